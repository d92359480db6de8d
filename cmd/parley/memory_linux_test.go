package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// checkMemory fails the test if p has ever held more than 200 MB. The race detector takes several times what a program
// does.
func checkMemory(t *testing.T, p *program) {
	t.Helper()
	limit := 200 << 10
	if raceDetector {
		limit *= 5
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no VmHWM in %s", text)
	}
	if kb, _ := strconv.Atoi(string(m[1])); kb > limit {
		t.Errorf("%s has held %d kB, the limit is %d", p.cmd, kb, limit)
	}
}
