package relay_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A target that has closed long ago resets what it is told then, our end too. That is no failure: it had taken everything.
func TestGoneLongBeforeTheLastEnd(t *testing.T) {
	tcp := streams()[0]
	j := join(t, tcp, tcp, nil)
	write(t, j.client, "question")
	hears(t, j.server, "question")
	write(t, j.server, "answer")
	server := j.server.NetConn().(*net.TCPConn)
	raw, err := server.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) { // the kernel then knows it for a second only, not for a minute
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_LINGER2, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprintf(":%04X ", server.LocalAddr().(*net.TCPAddr).Port)
	j.server.Close()
	hears(t, j.client, "answer")
	hearsEnd(t, j.client)
	until(t, "the kernel has forgotten the server", func() bool { return !strings.Contains(localColumn(t), port) })
	closeWrite(t, j.client)
	if _, err := j.wait(t); err != nil {
		t.Error(err)
	}
}

// localColumn is the local addresses of all TCP sockets, each followed by a blank.
func localColumn(t *testing.T) string {
	t.Helper()
	table, err := os.ReadFile("/proc/self/net/tcp")
	if err != nil {
		t.Skip(err)
	}
	var column strings.Builder
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			column.WriteString(fields[1] + " ")
		}
	}
	return column.String()
}
