package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine names the machine, as far as figures depend on it.
func machine() string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // empty if it cannot be read
	return fmt.Sprintf("%d processors, %s, Linux %s, %s",
		runtime.NumCPU(), processorName(), strings.TrimSpace(string(kernel)), runtime.Version())
}

// printMachine says where the figures were taken, and with which peers: they
// mean little without. It returns the versions, by the programs' names.
func printMachine(ctx context.Context, w io.Writer, l *lab) map[string]string {
	fmt.Fprintln(w, machine())
	versions := map[string]string{}
	for _, argv := range [][]string{
		{"parley", "--version"}, {"ncat", "--version"}, {"nc", "-h"}, {"socat", "-V"}, {"haproxy", "-v"},
		{"nginx", "-v"}, {"tcpserver"}, {"iperf3", "--version"}, {"gcc", "--version"},
	} {
		versions[argv[0]] = versionOf(ctx, l, argv)
		if argv[0] == "parley" && l.parley == "" {
			versions["parley"] += commit(ctx)
		}
		fmt.Fprintf(w, "  %s: %s\n", argv[0], versions[argv[0]])
	}
	return versions
}

// commit names what this checkout is; empty if that cannot be known.
func commit(ctx context.Context) string {
	name, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return ""
	}
	return ", commit " + strings.TrimSpace(string(name))
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

// versionOf is the first line of what the program says that has a digit, or
// as parley does, its own name. A program without a flag for it tells none.
func versionOf(ctx context.Context, l *lab, argv []string) string {
	path, err := l.find(ctx, argv[0])
	if err != nil {
		return err.Error()
	}
	if len(argv) == 1 {
		return "installed"
	}
	text, _ := exec.CommandContext(ctx, path, argv[1:]...).CombinedOutput() // nc -h fails, and still says
	for line := range strings.Lines(string(text)) {
		if strings.ContainsAny(line, "0123456789") || strings.HasPrefix(line, argv[0]+" (") {
			line, _, _ = strings.Cut(line, " - http") // haproxy and ncat tell where they live
			line, _, _ = strings.Cut(line, " ( http")
			return strings.TrimSpace(line)
		}
	}
	return "unknown version"
}
