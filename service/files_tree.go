package service

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// An openTree is what may be seen of a directory, for http.FileServer. Its files are *os.File, not something around them, so
// that the kernel can send them by itself.
type openTree struct{ root *os.Root }

// Open opens a file or directory. What may not be seen does not exist, whatever the reason, so that nobody learns of it.
func (t openTree) Open(name string) (http.File, error) {
	local, err := localName(name)
	if err != nil {
		return nil, err
	}
	// Without waiting: opening a pipe that nobody writes to would wait for ever.
	f, err := t.root.OpenFile(local, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, unseen(err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.Mode().IsRegular():
		return f, nil
	case err == nil && info.IsDir():
		return openDir{f, t.root, local}, nil
	}
	f.Close()
	return nil, fs.ErrNotExist
}

// localName turns the path of a request, which begins with a slash, into one below the root.
func localName(name string) (string, error) {
	name = strings.Trim(name, "/")
	if name == "" {
		return ".", nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return "", fs.ErrNotExist
		}
	}
	local, err := filepath.Localize(name)
	if err != nil {
		return "", fs.ErrNotExist
	}
	return local, nil
}

// unseen is fs.ErrNotExist for what the asker got wrong, or may not know, and err for what this machine lacks: that must
// not be said, nor remembered, as "not found".
func unseen(err error) error {
	var number syscall.Errno
	if !errors.As(err, &number) { // such as a link that leads out of the root
		return fs.ErrNotExist
	}
	switch number {
	case syscall.ENAMETOOLONG, syscall.ELOOP, syscall.ENOTDIR, syscall.EINVAL, syscall.ENXIO:
		return fs.ErrNotExist
	}
	return err
}

// An openDir lists only what Open would open.
type openDir struct {
	*os.File
	root *os.Root
	name string
}

// ReadDir is what http.FileServer lists a directory by.
func (d openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	entries, err := d.File.ReadDir(n)
	return slices.DeleteFunc(entries, d.hides), err
}

// Readdir belongs to http.File. Nobody calls it while there is ReadDir.
func (d openDir) Readdir(int) ([]fs.FileInfo, error) { return nil, errors.ErrUnsupported }

func (d openDir) hides(e fs.DirEntry) bool {
	if strings.HasPrefix(e.Name(), ".") {
		return true
	}
	mode := e.Type()
	if mode&fs.ModeSymlink != 0 {
		info, err := d.root.Stat(filepath.Join(d.name, e.Name()))
		return err != nil || !info.Mode().IsRegular() && !info.IsDir()
	}
	return !mode.IsRegular() && !mode.IsDir()
}
