package sys

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

// A listener's address cannot be listened on again, and cannot be called once it is closed: on every system.
func TestFailures(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, inUse := net.Listen("tcp", ln.Addr().String())
	ln.Close()
	_, refused := net.Dial("tcp", ln.Addr().String())
	_, notOurs := net.Listen("tcp", "192.0.2.1:0") // RFC 5737: nobody has it
	for what, test := range map[string]struct {
		err  error
		want Failure
	}{
		"listened twice":       {inUse, InUse},
		"called when closed":   {refused, Refused},
		"a stranger's address": {notOurs, NotAvailable},
		"wrapped":              {fmt.Errorf("why: %w", refused), Refused},
	} {
		if !test.want.Is(test.err) {
			t.Errorf("%s: %v is not known", what, test.err)
		}
		if Broken.Is(test.err) || Shortage.Is(test.err) || test.want.Is(io.EOF) || test.want.Is(nil) {
			t.Errorf("%s: %v is taken for something else", what, test.err)
		}
	}
}

// The numbers that sockets return on Windows are none of those that package syscall invents there.
func TestFailuresByNumber(t *testing.T) {
	if runtime.GOOS != "windows" {
		t.Skip("the numbers of Windows")
	}
	for number, want := range map[syscall.Errno]Failure{
		10024: Shortage, 10055: Shortage, 10053: Broken, 10054: Broken, 232: Broken, 10048: InUse, 10049: NotAvailable,
		10047: NoFamily, 10061: Refused, 10041: WrongType, 10060: TimedOut, 10065: Unreachable, 10051: Unreachable,
		10040: TooLong,
	} {
		if !want.Is(os.NewSyscallError("wsa", number)) {
			t.Errorf("%d is not known", number)
		}
	}
	if slices.ContainsFunc(slices.Concat(InUse, Refused, Shortage), func(e error) bool { return errors.Is(e, syscall.EADDRINUSE) }) {
		t.Error("an invented number is waited for")
	}
}
