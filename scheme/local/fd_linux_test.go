package local

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// In a sandbox, where no file can be opened, the other end of a pipe notices the end all the same, and what was given up is no
// trap: reading it is the end, and writing to it an error.
func TestGiveUpInSandbox(t *testing.T) {
	sandboxed(t)
	in, out, beyond := lentPipes(t)
	defer beyond.Close()
	c, err := openGiven(Addr{"fd", "in,out"}, in, out)
	must(t, err)
	must(t, c.(*end).CloseWrite())
	must(t, beyond.SetReadDeadline(time.Now().Add(10*time.Second)))
	if got := hearAll(t, beyond); got != "" {
		t.Errorf("the other end heard %q", got)
	}
	must(t, c.Close())
	if _, err := beyond.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing to what nobody hears any more is %v, want EPIPE", err)
	}
	for _, d := range []given{in, out} {
		if n, err := syscall.Read(int(d), make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("%v: read %d bytes and %v, want the end", d, n, err)
		}
		if _, err := syscall.Write(int(d), []byte("x")); !errors.Is(err, syscall.EBADF) {
			t.Errorf("%v: a write is %v, want EBADF", d, err)
		}
	}
}

// sandboxed takes all rights to files from the thread of the test, which is its alone and ends with it.
func sandboxed(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	none := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE}
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none.Handled_access_fs), 0)
	if errno != 0 {
		t.Skipf("no Landlock here: %v", errno)
	}
	defer unix.Close(int(rules))
	must(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if _, err := os.Open(os.DevNull); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("in the sandbox, opening the null device is %v", err)
	}
}
