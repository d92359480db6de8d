package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// printMachine says where the figures were taken, and with which peers: they
// mean little without.
func printMachine(w io.Writer) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // empty if it cannot be read
	fmt.Fprintf(w, "%d processors, %s, Linux %s, %s\n",
		runtime.NumCPU(), processorName(), strings.TrimSpace(string(kernel)), runtime.Version())
	for _, argv := range [][]string{
		{"ncat", "--version"}, {"nc", "-h"}, {"socat", "-V"}, {"haproxy", "-v"}, {"tcpserver"}, {"gcc", "--version"},
	} {
		fmt.Fprintf(w, "  %s: %s\n", argv[0], versionOf(argv))
	}
}

func processorName() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, is := strings.CutPrefix(line, "model name"); is {
			return strings.Trim(name, "\t :\n")
		}
	}
	return runtime.GOARCH
}

// versionOf is the first line of what the program says that has a digit. A
// program without a flag for it tells none.
func versionOf(argv []string) string {
	path, err := installed(argv[0])
	if err != nil {
		return err.Error()
	}
	if len(argv) == 1 {
		return "installed"
	}
	text, _ := exec.Command(path, argv[1:]...).CombinedOutput() // nc -h fails, and still says
	for line := range strings.Lines(string(text)) {
		if strings.ContainsAny(line, "0123456789") {
			return strings.TrimSpace(line)
		}
	}
	return "unknown version"
}
