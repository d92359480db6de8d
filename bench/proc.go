package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What the kernel tells in /proc; proc(5) describes the files.

// tick is the unit of processor time in /proc: USER_HZ is 100 on every system
// that Go runs on.
const tick = 10 * time.Millisecond

// Fields of /proc/PID/stat, counted from 0.
const (
	userTime     = 13 // used by the process itself
	systemTime   = 14
	childrenUser = 15 // used by its children that have been waited for
	childrenSys  = 16
)

// processTime sums the named fields of /proc/PID/stat. No program here has a
// space in its name, so the fields can be counted from the left.
func processTime(pid int, which ...int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	return sumTicks(fields, which...)
}

// familyTime is the processor time of a process and of its children, those
// that it has waited for among them.
func familyTime(pid int) (time.Duration, error) {
	sum, err := processTime(pid, userTime, systemTime, childrenUser, childrenSys)
	if err != nil {
		return 0, err
	}
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, err
	}
	for _, file := range children {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			used, err := familyTime(child)
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESRCH) {
				return 0, err // one that has ended since is no error
			}
			sum += used
		}
	}
	return sum, nil
}

// machineTime is the time that all processors were at work: user, nice,
// system, irq and softirq. What a program sends over loopback is received in
// softirq, which the kernel charges to that program as well.
func machineTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return sumTicks(strings.Fields(string(text)), 1, 2, 3, 6, 7)
}

func sumTicks(fields []string, which ...int) (time.Duration, error) {
	var sum time.Duration
	for _, i := range which {
		ticks, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}

// residentBytes is the resident memory of a process. smaps_rollup counts its
// pages one by one; statm is kept by rough counters.
func residentBytes(pid int) (int, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if field := strings.Fields(lines.Text()); field[0] == "Rss:" {
			kb, err := strconv.Atoi(field[1])
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("no Rss in %s", file.Name())
}

// listening says whether a socket listens on port: state 0A in the tables
// described in the kernel's Documentation/networking/proc_net_tcp.rst.
func listening(port int) bool {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table) // a system without IPv6 has no tcp6
		for line := range strings.Lines(string(text)) {
			field := strings.Fields(line)
			if len(field) > 3 && field[3] == "0A" && strings.HasSuffix(field[1], fmt.Sprintf(":%04X", port)) {
				return true
			}
		}
	}
	return false
}

// descriptors counts the open ones of a process.
func descriptors(pid int) (int, error) {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(open), err
}
