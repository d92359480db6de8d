package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var children = map[string]func(dir string){
	"files":           filesChild,
	"files as nobody": func(dir string) { becomeNobody(); filesChild(dir) },
	"replaced":        replacedChild,
	"make":            makeChild,
	"threads":         threadsChild,
	"ports":           portsChild,
	"outside":         outsideChild,
	"abstract":        abstractChild,
	"look-ups":        lookUpsChild,
	"missing path":    missingPathChild,
	"hears":           hearsChild,
	"user":            userChild,
}

func setUser(name string) error {
	become, err := FindUser(name)
	if err != nil {
		return err
	}
	return become()
}

func becomeNobody() {
	if err := setUser(fmt.Sprintf("%d:%d", nobody, nobody)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestFiles(t *testing.T) {
	needLandlock(t, 3)
	run(t, "files")
}

func TestFilesAsNobody(t *testing.T) {
	needLandlock(t, 3)
	needRoot(t)
	run(t, "files as nobody")
}

func filesChild(dir string) {
	in, out, other := filepath.Join(dir, "in"), filepath.Join(dir, "out", "file"), filepath.Join(dir, "out", "other")
	opened, err := os.Open(out)
	check(err == nil, "open: %v", err)
	os.Setenv("TZ", "Asia/Kolkata") // which has no summer time
	zone, err := time.LoadLocation("Asia/Kolkata")
	check(err == nil, "time zone: %v", err)
	_, wantOffset := time.Unix(0, 0).In(zone).Zone()
	restrictTo(Rights{Read: []string{in, other}})

	_, err = os.ReadFile(filepath.Join(in, "file"))
	check(err == nil, "reading a file of a readable directory: %v", err)
	_, err = os.ReadFile(other)
	check(err == nil, "reading a readable file: %v", err)
	denied("writing to a readable file", os.WriteFile(other, nil, 0))
	_, err = os.ReadDir(in)
	check(err == nil, "listing a readable directory: %v", err)
	_, err = opened.Read(make([]byte, 1))
	check(err == nil, "reading what was open before: %v", err)

	denied("writing beside it", os.WriteFile(filepath.Join(in, "other"), nil, 0))
	denied("making a file", os.WriteFile(filepath.Join(in, "made"), nil, 0o600))
	denied("removing a file", os.Remove(filepath.Join(in, "other")))
	for _, path := range []string{out, "/etc/passwd", "/proc/self/environ"} {
		_, err := os.ReadFile(path)
		denied("reading "+path, err)
	}
	denied("running a program", exec.Command("/bin/true").Run())
	_, err = os.Stat(out)
	check(err == nil, "asking whether a file is there: %v", err)
	_, offset := time.Now().Zone()
	check(offset == wantOffset, "the local time is %d s from UTC, and was %d s", offset, wantOffset)
}

// denied checks that err says that there is no right.
func denied(what string, err error) {
	check(errors.Is(err, fs.ErrPermission), "%s: %v, want that it is not permitted", what, err)
}

// Files that are replaced while the process runs: by rename, as editors do, and by a link that points somewhere else, as
// certbot does.
func TestReplacedFilesCanBeRead(t *testing.T) {
	needLandlock(t, 1)
	run(t, "replaced")
}

func replacedChild(dir string) {
	rules, live, archive := filepath.Join(dir, "in", "file"), filepath.Join(dir, "live"), filepath.Join(dir, "archive")
	for _, d := range []string{live, archive} {
		check(os.Mkdir(d, 0o755) == nil, "making %s", d)
	}
	check(os.WriteFile(filepath.Join(archive, "cert1.pem"), []byte("old"), 0o644) == nil, "writing")
	cert := filepath.Join(live, "cert.pem")
	check(os.Symlink("../archive/cert1.pem", cert) == nil, "linking")

	replacer := exec.Command("/bin/sh", "-ec", `read go; cd "$1"; printf new >tmp; mv tmp in/file
		printf new >archive/cert2.pem; ln -s ../archive/cert2.pem live/tmp; mv live/tmp live/cert.pem`, "sh", dir)
	goOn, err := replacer.StdinPipe()
	check(err == nil, "pipe: %v", err)
	check(replacer.Start() == nil, "starting sh")

	read, err := Replaced(rules, cert, filepath.Join(dir, "in", "not there yet"))
	check(err == nil, "Replaced: %v", err)
	restrictTo(Rights{Read: read})
	_, _ = goOn.Write([]byte("go\n"))
	check(replacer.Wait() == nil, "replacing")
	for _, path := range []string{rules, cert} {
		text, err := os.ReadFile(path)
		check(string(text) == "new" && err == nil, "%s: %q, %v", path, text, err)
	}
	_, err = os.ReadFile(filepath.Join(dir, "out", "file"))
	denied("reading elsewhere", err)
}

// What a Unix socket needs: made, removed, stale files replaced.
func TestMake(t *testing.T) {
	needLandlock(t, 1)
	run(t, "make")
}

func makeChild(dir string) {
	socket := filepath.Join(dir, "in", "socket")
	first, err := net.Listen("unix", socket)
	check(err == nil, "listening before: %v", err)
	restrictTo(ForSocket(socket).And(ForSocket("@abstract")))
	first.Close()
	_, err = os.Lstat(socket)
	check(errors.Is(err, fs.ErrNotExist), "the socket's file is still there: %v", err)
	again, err := net.Listen("unix", socket)
	check(err == nil, "listening again: %v", err)
	again.Close()
	_, err = net.Listen("unix", filepath.Join(dir, "out", "socket"))
	denied("listening elsewhere", err)
}

// Threads that were there before, and those that come later.
func TestEveryThreadIsRestricted(t *testing.T) {
	needLandlock(t, 1)
	run(t, "threads")
}

func threadsChild(dir string) {
	const threads = 20
	start, path := make(chan struct{}), filepath.Join(dir, "in", "file")
	results := make(chan error, 2*threads)
	var ready sync.WaitGroup
	look := func() {
		runtime.LockOSThread() // and never unlocks: the thread ends with the goroutine
		ready.Done()
		<-start
		_, err := os.ReadFile(path)
		results <- err
	}
	ready.Add(threads)
	for range threads {
		go look()
	}
	ready.Wait()
	restrictTo(Rights{})
	ready.Add(threads)
	for range threads {
		go look()
	}
	ready.Wait()
	close(start)
	for range 2 * threads {
		denied("reading in a thread", <-results)
	}
}

func TestPorts(t *testing.T) {
	needLandlock(t, 4)
	run(t, "ports")
}

func portsChild(string) {
	lc := &net.ListenConfig{}
	lc.SetMultipathTCP(false) // which Landlock does not restrict
	d := &net.Dialer{}
	ctx := context.Background()
	listen := func() net.Listener {
		ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		check(err == nil, "listening before: %v", err)
		return ln
	}
	open, shut, udp := listen(), listen(), localUDP()
	restrictTo(Rights{Connect: []uint16{uint16(open.Addr().(*net.TCPAddr).Port)}})

	nc, err := d.DialContext(ctx, "tcp", open.Addr().String())
	check(err == nil, "calling the port that may be called: %v", err)
	_, err = open.Accept()
	check(err == nil, "taking a caller of a socket that was open: %v", err)
	nc.Close()
	_, err = d.DialContext(ctx, "tcp", shut.Addr().String())
	denied("calling another port", err)
	_, err = lc.Listen(ctx, "tcp", "127.0.0.1:0")
	denied("listening", err)
	_, err = udp.WriteTo([]byte("x"), udp.LocalAddr())
	check(err == nil, "answering a datagram: %v", err)
}

func localUDP() net.PacketConn {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err == nil, "udp: %v", err)
	return udp
}

// Other processes: no signals to them, and no abstract Unix sockets of theirs.
func TestOutside(t *testing.T) {
	needLandlock(t, 6)
	run(t, "outside")
}

func outsideChild(dir string) {
	before := syscall.Kill(os.Getppid(), 0)
	check(before == nil, "asking after the parent before: %v", before)
	others, name := otherSocket()
	restrictTo(Rights{})
	denied("asking after the parent", syscall.Kill(os.Getppid(), 0))
	check(syscall.Kill(os.Getpid(), 0) == nil, "asking after itself")
	denied("sending to an abstract socket of another", sendTo(name))
	others()
}

func TestAbstractSocketsCanStayOpen(t *testing.T) {
	needLandlock(t, 6)
	run(t, "abstract")
}

func abstractChild(dir string) {
	others, name := otherSocket()
	restrictTo(Rights{Call: []string{anyAbstract, filepath.Join(dir, "in")}})
	check(sendTo(name) == nil, "sending to an abstract socket of another: %v", sendTo(name))
	denied("asking after the parent", syscall.Kill(os.Getppid(), 0))
	others()
}

// otherSocket has another process hear datagrams on an abstract socket: the child's own is one of its domain.
func otherSocket() (end func(), name string) {
	name = fmt.Sprintf("@parley-sandbox-%d", os.Getpid())
	cmd := exec.Command(os.Args[0], name)
	cmd.Env = append(os.Environ(), childVariable+"=hears")
	in, err := cmd.StdinPipe()
	check(err == nil, "pipe: %v", err)
	out, err := cmd.StdoutPipe()
	check(err == nil, "pipe: %v", err)
	check(cmd.Start() == nil, "starting another process")
	_, err = out.Read(make([]byte, 8))
	check(err == nil, "the other process is not ready: %v", err)
	return func() { in.Close(); _ = cmd.Wait() }, name
}

func hearsChild(name string) {
	pc, err := net.ListenPacket("unixgram", name)
	check(err == nil, "listening on %s: %v", name, err)
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	pc.Close()
}

func sendTo(name string) error {
	nc, err := net.Dial("unixgram", name)
	if err != nil {
		return err
	}
	defer nc.Close()
	_, err = nc.Write([]byte("x"))
	return err
}

// everyThread checks that the status of each thread has a line.
func everyThread(line string) {
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	check(err == nil && len(tasks) > 1, "%d threads, %v", len(tasks), err)
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a thread that has ended meanwhile
		}
		check(err == nil && slices.Contains(strings.Split(string(status), "\n"), line), "%s has no line %q: %v", task, line, err)
	}
}

func TestForLookups(t *testing.T) {
	needLandlock(t, 1)
	run(t, "look-ups")
}

func lookUpsChild(dir string) {
	restrictTo(ForLookups())
	net.DefaultResolver.PreferGo = true
	addrs, err := net.LookupHost("localhost")
	check(err == nil && len(addrs) > 0, "localhost: %v, %v", addrs, err)
	_, err = os.ReadFile(filepath.Join(dir, "in", "file"))
	denied("reading elsewhere", err)
}

func TestMissingPathIsNamed(t *testing.T) { run(t, "missing path") }

func missingPathChild(dir string) {
	missing := filepath.Join(dir, "missing")
	for _, r := range []Rights{{Read: []string{missing}}, {Make: []string{missing}}, {Call: []string{missing}}} {
		err := Restrict(r)
		check(errors.Is(err, fs.ErrNotExist) && strings.Contains(err.Error(), missing), "got %v", err)
	}
	_, err := os.ReadFile(filepath.Join(dir, "in", "file"))
	check(err == nil, "restricted all the same: %v", err)
}

func TestMissingLimits(t *testing.T) {
	for abi, want := range map[int]int{1: 3, 2: 3, 3: 2, 5: 1, 6: 0, 11: 0} {
		err := missing(abi)
		n := 0
		if err != nil {
			n = strings.Count(err.Error(), "cannot restrict")
		}
		if n != want || n > 0 && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("version %d misses %d: %v; want %d", abi, n, err, want)
		}
	}
}
