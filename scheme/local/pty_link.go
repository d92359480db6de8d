package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A link is a symbolic link to a terminal.
type link struct {
	path  string // absolute, as this program may go elsewhere
	slave string
}

// makeLink makes a link to a terminal. What is there already is replaced only if it is what such a conversation leaves behind
// that could not end in order: a link to a terminal that is no more, or whose name is now that of slave.
func makeLink(path, slave string) (*link, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	l := &link{path, slave}
	err = os.Symlink(slave, path)
	if errors.Is(err, fs.ErrExist) {
		if err := l.clear(); err != nil {
			return nil, err
		}
		err = os.Symlink(slave, path)
	}
	if err != nil {
		return nil, fmt.Errorf("param link=%s: %w", path, cause(err))
	}
	return l, nil
}

// clear removes a link that was left behind.
func (l *link) clear() error {
	target, err := os.Readlink(l.path)
	if err != nil {
		return fmt.Errorf("param link=%s: %w, and no link to a terminal; take another path, or remove it", l.path, fs.ErrExist)
	}
	if filepath.Dir(target) != filepath.Dir(l.slave) {
		return fmt.Errorf("param link=%s: %w, and leads to %s, which is no terminal; take another path, or remove it", l.path, fs.ErrExist, target)
	}
	if _, err := os.Lstat(target); err == nil && target != l.slave {
		return fmt.Errorf("param link=%s: %w, and leads to %s, a terminal that is in use; take another path", l.path, fs.ErrExist, target)
	}
	if err := os.Remove(l.path); err != nil {
		return fmt.Errorf("param link=%s: %w", l.path, cause(err))
	}
	return nil
}

// remove removes the link, if it is still ours.
func (l *link) remove() error {
	if target, err := os.Readlink(l.path); err != nil || target != l.slave {
		return nil
	}
	return os.Remove(l.path)
}

// cause is what the system said, without the names of files that package os adds.
func cause(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}
