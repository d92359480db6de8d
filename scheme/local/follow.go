package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"parley/internal/mutex"
)

// lookEvery is how often a followed file is looked at when nothing is told: a file that another machine writes changes without
// the kernel's knowledge, and so does one that was moved elsewhere.
const lookEvery = time.Second

// follow reads a file as it grows. When it has been truncated it is read from its beginning, when it has been replaced the new
// one is, after the rest of the old: it never ends. A file truncated and written again between two looks, to more than it had,
// is not told from one that grew.
type follow struct {
	path    string
	watcher *fsnotify.Watcher // nil: the system has none left
	by      deadline

	turn mutex.Mutex // guards what follows
	f    *os.File
	next *os.File // what has replaced f; nil if nothing has

	once   sync.Once
	closed chan struct{}
}

// newFollow reads f, which was opened at path, from where it stands.
func newFollow(path string, f *os.File) *follow {
	return &follow{path: path, f: f, watcher: watch(path), closed: make(chan struct{})}
}

// watch is told what changes beside the file and, where its name is a link, beside what that means. It watches directories, as
// a file that replaces another is no news of that one.
func watch(path string) *fsnotify.Watcher {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil
	}
	err = w.Add(filepath.Dir(path))
	if meant, linkErr := filepath.EvalSymlinks(path); linkErr == nil && filepath.Dir(meant) != filepath.Dir(path) {
		err = errors.Join(err, w.Add(filepath.Dir(meant)))
	}
	if err != nil { // looking every now and then does too
		w.Close()
		return nil
	}
	return w
}

func (l *follow) Read(p []byte) (int, error) {
	_ = l.turn.Lock(context.Background())
	defer l.turn.Unlock()
	for {
		switch {
		case isClosed(l.closed):
			return 0, net.ErrClosed
		case l.by.hasPassed():
			return 0, os.ErrDeadlineExceeded
		}
		n, err := l.f.Read(p)
		if n > 0 || err != io.EOF {
			return n, err
		}
		again, err := l.look()
		if err != nil {
			return 0, err
		}
		if !again {
			l.wait()
		}
	}
}

// look finds out, at the end of the file, whether there is more to read already. It needs the turn.
func (l *follow) look() (again bool, err error) {
	if l.next != nil { // and the old one was read once more since
		l.f.Close()
		l.f, l.next = l.next, nil
		return true, nil
	}
	info, err := l.f.Stat()
	if err != nil {
		return false, err
	}
	at, err := l.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return false, err
	}
	if info.Size() != at {
		if info.Size() < at {
			_, err = l.f.Seek(0, io.SeekStart)
		}
		return true, err
	}
	return l.lookForNext(info)
}

// lookForNext finds out whether another file has taken the place. While that is empty, the writer may not know of it yet,
// and go on writing to the old one.
func (l *follow) lookForNext(old fs.FileInfo) (found bool, err error) {
	info, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (os.SameFile(old, info) || info.Size() == 0) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	l.next, err = openToRead(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// wait waits until something has changed, or it is time to look again.
func (l *follow) wait() {
	look := time.NewTimer(lookEvery)
	defer look.Stop()
	var told <-chan fsnotify.Event
	var lost <-chan error
	if l.watcher != nil {
		told, lost = l.watcher.Events, l.watcher.Errors
	}
	select {
	case <-told:
	case <-lost: // more has changed than could be told
	case <-look.C:
	case <-l.by.wait():
	case <-l.closed:
	}
}

func (l *follow) SetReadDeadline(t time.Time) error { l.by.set(t); return nil }

func (l *follow) file() *os.File { return nil }

func (l *follow) Close() (err error) {
	l.once.Do(func() {
		close(l.closed)
		_ = l.turn.Lock(context.Background())
		defer l.turn.Unlock()
		if l.watcher != nil {
			err = l.watcher.Close()
		}
		if l.next != nil {
			l.next.Close()
		}
		err = errors.Join(err, l.f.Close())
	})
	return err
}
