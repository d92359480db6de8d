package sys

import (
	"os"
	"sync"
	"syscall"
)

// muchAtOnce is how many bytes a wait must bring for [PassThrough] to go on. Less is as well read and written, which needs
// no pipe. With 32 KiB a bulk transfer went back to reading every now and then, and lost 5 to 10 %.
const muchAtOnce = 4 << 10

// PassThrough moves what comes to from, a stream socket, to the descriptor to, by splice(2) through a pipe of ours: the
// bytes never enter this process. It returns, without an error, when little comes at a time, at the end of the stream,
// and when there is no pipe to be had: whoever reads next finds out which.
//
// FromErr is what package net's RawConn.Read returns, or the [syscall.Errno] of reading in an *os.SyscallError; toErr is
// that of writing: bytes that were taken and not given are lost then. Nobody else may read or write the two meanwhile.
func PassThrough(from, to syscall.RawConn, m Moves) (fromErr, toErr error) {
	t := through{Moves: m}
	defer t.letGo()
	take, give := t.take, t.give
	for {
		if err := from.Read(take); err != nil || t.err != nil {
			return orElse(err, t.err), nil
		}
		if t.n == 0 {
			return nil, nil
		}
		m.Took(t.n)
		for t.held = t.n; t.held > 0; {
			if err := to.Write(give); err != nil || t.err != nil {
				return nil, orElse(err, t.err)
			}
			m.Gave(t.n)
			t.held -= t.n
		}
		if t.waited && t.taken < muchAtOnce {
			return nil, nil
		}
	}
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// through is one PassThrough.
type through struct {
	Moves
	pipe   *ownPipe
	held   int // bytes in the pipe
	waited bool
	taken  int // since the last wait

	n   int // of the last step
	err error
}

// take fills the pipe. False has the poller wait, and lets go of the pipe: others have more use for it meanwhile.
func (t *through) take(fd uintptr) bool {
	if t.pipe == nil {
		if t.pipe = takePipe(); t.pipe == nil {
			t.n = 0
			return true
		}
	}
	var errno syscall.Errno
	if t.n, errno = spliceOnce(fd, t.pipe.in); errno == syscall.EAGAIN {
		t.letGo()
		t.waited, t.taken = true, 0
		t.Waits()
		return false
	}
	t.taken += t.n
	t.err = named(errno)
	return true
}

// give empties the pipe. False has the poller wait.
func (t *through) give(fd uintptr) bool {
	var errno syscall.Errno
	if t.n, errno = spliceOnce(t.pipe.out, fd); errno == syscall.EAGAIN {
		t.Stuck()
		return false
	}
	t.err = named(errno)
	return true
}

func (t *through) letGo() {
	if t.pipe != nil {
		t.pipe.letGo(t.held == 0)
		t.pipe = nil
	}
}

func spliceOnce(from, to uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.Syscall6(syscall.SYS_SPLICE, from, 0, to, 0, spliceMax, spliceNonblock)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

func named(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return os.NewSyscallError("splice", errno)
}

// An ownPipe is a pipe within this process.
type ownPipe struct{ out, in uintptr }

// maxPipes is how many there are at most, in use or kept. A user has 64 of 1 MiB before the system makes his pipes smaller
// (pipe-user-pages-soft, pipe(7)), and two descriptors a pipe are better used for callers.
const maxPipes = 32

// keptPipes are kept for the next use; making one costs as much as moving 30 KiB.
const keptPipes = 4

var pipes struct {
	sync.Mutex
	made int
	free []*ownPipe
}

// takePipe returns an empty pipe, nil if there are enough in use.
func takePipe() *ownPipe {
	pipes.Lock()
	defer pipes.Unlock()
	if n := len(pipes.free); n > 0 {
		p := pipes.free[n-1]
		pipes.free = pipes.free[:n-1]
		return p
	}
	if pipes.made == maxPipes {
		return nil
	}
	var fds [2]int
	if syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK) != nil {
		return nil
	}
	pipes.made++
	p := &ownPipe{out: uintptr(fds[0]), in: uintptr(fds[1])}
	grow(p.in)
	return p
}

// letGo gives the pipe to the next who needs one, if it is empty.
func (p *ownPipe) letGo(empty bool) {
	pipes.Lock()
	defer pipes.Unlock()
	if empty && len(pipes.free) < keptPipes {
		pipes.free = append(pipes.free, p)
		return
	}
	pipes.made--
	_ = syscall.Close(int(p.out))
	_ = syscall.Close(int(p.in))
}
