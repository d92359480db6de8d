//go:build unix

package systemd

import (
	"net"
	"regexp"
	"strings"
	"testing"
)

func TestNotify(t *testing.T) {
	path := socketPath(t)
	pc, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	for _, test := range []struct {
		tell func() error
		want string
	}{
		{Ready, `^READY=1$`},
		{Stopping, `^STOPPING=1$`},
		{Reloading, `^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+\n$`},
		{func() error { return Notify("STATUS=12 callers") }, `^STATUS=12 callers$`},
	} {
		if err := test.tell(); err != nil {
			t.Fatal(err)
		}
		heard := make([]byte, 1000)
		n, _, err := pc.ReadFrom(heard)
		if err != nil || !regexp.MustCompile(test.want).Match(heard[:n]) {
			t.Errorf("heard %q, %v; want %s", heard[:n], err, test.want)
		}
	}
}

func TestNotifyNobody(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Ready(); err != nil {
		t.Errorf("without a manager: %v", err)
	}
	t.Setenv("NOTIFY_SOCKET", socketPath(t))
	if err := Ready(); err == nil || !strings.Contains(err.Error(), "READY=1") {
		t.Errorf("with a manager that is gone: %v", err)
	}
}
