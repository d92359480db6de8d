package sys

import (
	"fmt"
	"net"
	"os"
	"testing"
)

func TestPortHolder(t *testing.T) {
	comm := processName(os.Getpid())
	want := fmt.Sprintf("%s (pid %d)", comm, os.Getpid())
	if comm == "" || comm == "a process" {
		t.Fatalf("this process is called %q", comm)
	}
	for _, test := range []struct{ listen, address, ask, other string }{
		{"tcp4", "127.0.0.1:0", "tcp", "udp"},
		{"tcp4", "127.0.0.1:0", "tcp4", "tcp6"},
		{"tcp6", "[::1]:0", "tcp", "tcp4"},
		{"tcp6", "[::1]:0", "tcp6", "unix"},
		{"udp4", "127.0.0.1:0", "udp", "udp6"},
		{"udp6", "[::1]:0", "udp6", "udp4"},
	} {
		port, closer := hold(t, test.listen, test.address)
		if got := PortHolder(test.ask, port); got != want {
			t.Errorf("%s asked as %s: %q, want %q", test.listen, test.ask, got, want)
		}
		if got := PortHolder(test.other, port); got == want {
			t.Errorf("%s asked as %s: %q", test.listen, test.other, got)
		}
		closer()
		if got := PortHolder(test.ask, port); got == want {
			t.Errorf("%s, closed: %q", test.listen, got)
		}
	}
}

// hold binds a port the kernel chooses.
func hold(t *testing.T, network, address string) (port int, closer func() error) {
	t.Helper()
	if network[:3] == "udp" {
		pc, err := net.ListenPacket(network, address)
		if err != nil {
			t.Skip(err)
		}
		return pc.LocalAddr().(*net.UDPAddr).Port, pc.Close
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close
}

func FuzzHolderOf(f *testing.F) {
	f.Add(" 0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4231 1 0", 22, true)
	f.Add("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", 0, true)
	f.Add("0: x 0 0A 0 0 0 0 0 7", 0, false)
	f.Fuzz(func(t *testing.T, line string, port int, tcp bool) {
		inode, ok := holderOf(line, port, tcp)
		if ok && (inode == "" || port < 0 || port > 65535) {
			t.Errorf("%q holds port %d by inode %q", line, port, inode)
		}
	})
}

func TestHolderOf(t *testing.T) {
	const line = " 0: 0100007F:0016 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0        0 4231 1 0"
	for _, test := range []struct {
		state string
		port  int
		tcp   bool
		want  bool
	}{{"0A", 22, true, true}, {"0A", 23, true, false}, {"01", 22, true, false}, {"01", 22, false, true}, {"07", 22, false, true}} {
		inode, ok := holderOf(fmt.Sprintf(line, test.state), test.port, test.tcp)
		if ok != test.want || ok && inode != "4231" {
			t.Errorf("%+v: %q, %v", test, inode, ok)
		}
	}
}
