package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// A terminal is a person at one: what they type, and what they see.
type terminal struct {
	keys *os.File
	seen *transcribed
}

// atTerminal starts cmd with a terminal for standard input, output and error.
func atTerminal(t *testing.T, cmd *exec.Cmd) (*program, terminal) {
	t.Helper()
	master, slave := openTerminal(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.Env = append(os.Environ(), "TERM=xterm")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p := start(t, cmd)
	slave.Close()
	screen := terminal{master, newTranscribed()}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer screen.seen.end()
		_, _ = master.WriteTo(screen.seen) // until EIO: nobody has the other side any more
	}()
	t.Cleanup(func() {
		<-p.done
		<-read
		master.Close()
		if t.Failed() {
			t.Logf("on the terminal: %q", clip(screen.seen.text()))
		}
	})
	return p, screen
}

// openTerminal makes a pseudo-terminal that does not echo (pts(4)).
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		missing(t, "/dev/ptmx")
	}
	var number uint32
	var unlocked int32
	control(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	control(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var mode syscall.Termios
	control(t, slave, syscall.TCGETS, unsafe.Pointer(&mode))
	mode.Lflag &^= syscall.ECHO
	mode.Oflag &^= syscall.OPOST // so that a line end is seen as it was written
	control(t, slave, syscall.TCSETS, unsafe.Pointer(&mode))
	return master, slave
}

func control(t *testing.T, f *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) { _, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(arg)) })
	if err != nil || errno != 0 {
		t.Fatalf("ioctl %#x: %v, %v", request, errno, err)
	}
}

func (term terminal) typed(t *testing.T, text string) {
	t.Helper()
	write(t, term.keys, text)
}

const (
	ctrlC = "\x03"
	ctrlD = "\x04"
	head  = `(?:\x1b\[3\dm)?%d 127\.0\.0\.1:\d+(?:\x1b\[0m)? ` // of a caller's line
)

// TestListenAtTerminal: lines are headed by who says them, and what is typed goes to the only caller, or asks to whom.
func TestListenAtTerminal(t *testing.T) {
	t.Parallel()
	v, term := atTerminal(t, parley("listen", "0"))
	address := "127.0.0.1:" + term.seen.await(t, `to call it: parley call (\d+)`)[1]
	term.typed(t, "is anybody there?\n")
	term.seen.await(t, `not said: there is no caller`)

	one := start(t, callWithOpenInput(t, address))
	term.seen.await(t, `caller 1 \(127\.0\.0\.1:\d+\) is there`)
	term.typed(t, "hello, one\n")
	one.out.await(t, "^hello, one\n")

	two := dial(t, "tcp", address)
	write(t, two, "I am \x1b[31mtwo\x07\r\x9b\n")
	term.seen.await(t, fmt.Sprintf(head, 2)+`I am \\x1b\[31mtwo\\x07(\\x0d|\\r)\\x9b\n`)
	term.typed(t, "hello, who?\n")
	term.seen.await(t, `to whom\? type a number, or \* for all: 1 \(127\.0\.0\.1:\d+\), 2 \(127\.0\.0\.1:\d+\)`)
	term.typed(t, "1\n")
	one.out.await(t, "hello, who\\?\n")
	term.typed(t, "hello, nobody\n")
	term.seen.await(t, `(?s)to whom.*to whom`)
	term.typed(t, "the second\n")
	term.seen.await(t, `not said: "the second" is neither a caller's number nor \*`)
	term.typed(t, "hello, all\n*\n")
	one.out.await(t, "hello, all\n")
	got := make([]byte, len("hello, all\n"))
	if _, err := two.Read(got); err != nil || string(got) != "hello, all\n" {
		t.Errorf("two heard %q, %v", got, err)
	}

	two.Close()
	term.seen.await(t, `caller 2 \(127\.0\.0\.1:\d+\) has ended`)
	term.typed(t, ctrlC)
	if code := v.wait(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(term.seen.text(), "\x07") || strings.Contains(term.seen.text(), "\x1b[31m") {
		t.Error("a caller has reached the terminal")
	}
}

func callWithOpenInput(t *testing.T, address string) *exec.Cmd {
	t.Helper()
	cmd := parley("call", address)
	input(t, cmd)
	return cmd
}

// TestCallAtTerminal: what the other end says is escaped, and nobody has to type for one that has ended.
func TestCallAtTerminal(t *testing.T) {
	t.Parallel()
	cmd := parley("listen", "0", "--once", "--patience", "0")
	answers := input(t, cmd)
	v, address := listen(t, cmd)
	p, term := atTerminal(t, parley("call", address, "--patience", "100ms"))
	term.typed(t, "typed\n")
	v.out.await(t, "^typed\n$")
	write(t, answers, "\x1b]0;owned\x07 caf\xc3")
	write(t, answers, "\xa9\ttab\r\n\xff\u202e\n")
	term.seen.await(t, `^\\x1b\]0;owned\\x07 café\ttab\n\\xff\\u202e\n`)
	answers.Close()
	if code := p.wait(); code != 0 { // although the terminal is still open
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(term.seen.text(), "waiting") {
		t.Errorf("a person who types is told of it: %q", term.seen.text())
	}
	v.leaves(0, ``)
}

// TestCtrlD: the end of typing is the end of what is said.
func TestCtrlD(t *testing.T) {
	t.Parallel()
	for _, verb := range [][]string{{"call"}, {"ask", "--frame", "until close"}} {
		cmd := parley("listen", "0", "--once")
		answers := input(t, cmd)
		v, address := listen(t, cmd)
		p, term := atTerminal(t, parley(append(verb, address)...))
		if verb[0] == "ask" {
			term.seen.await(t, `type the request; Ctrl-D ends it`)
		}
		term.typed(t, "the request\n"+ctrlD)
		v.out.await(t, `^the request\n?$`)
		write(t, answers, "the \x1breply\n")
		answers.Close()
		term.seen.await(t, `the \\x1breply\n`)
		if code := p.wait(); code != 0 {
			t.Errorf("%s: exit code %d", verb, code)
		}
		v.leaves(0, ``)
	}
}

// TestNoColour: NO_COLOR and dumb terminals are heeded.
func TestNoColour(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"NO_COLOR=1", "TERM=dumb", "TERM=xterm"} {
		cmd := exec.Command("env", setting, "parley", "listen", "0")
		v, term := atTerminal(t, cmd)
		address := "127.0.0.1:" + term.seen.await(t, `to call it: parley call (\d+)`)[1]
		c := dial(t, "tcp", address)
		write(t, c, "hello\n")
		term.seen.await(t, fmt.Sprintf(head, 1)+"hello\n")
		if coloured := strings.Contains(term.seen.text(), "\x1b["); coloured != (setting == "TERM=xterm") {
			t.Errorf("%s: coloured is %v", setting, coloured)
		}
		v.interrupt()
		v.wait()
	}
}
