package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"slices"
)

// maxLinks is how many links the kernel follows from one name.
const maxLinks = 40

// Replaced returns the directories that must be readable so that the files can be read again after they have been replaced
// by others of the same name, which need not be there now. That is the directory of each, and if it is a link, that of each
// file on the way to the last: certbot, for one, has a link in one directory point to a new file in another.
//
// So the files should be in directories that hold nothing else worth protecting.
func Replaced(files ...string) (dirs []string, err error) {
	for _, file := range files {
		if dirs, err = replaced(dirs, file); err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

// replaced adds the directories of one file.
func replaced(dirs []string, file string) ([]string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	for range maxLinks {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return nil, fmt.Errorf("the directory of %s: %w", file, err)
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		path = filepath.Join(dir, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil {
			return dirs, nil // no link, or nothing there yet
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return nil, fmt.Errorf("%s: more than %d links one after the other", file, maxLinks)
}

// lookupFiles are those that package net reads to look up names of hosts and services, again and again, as they change
// (resolv.conf(5), hosts(5), nsswitch.conf(5), services(5)).
var lookupFiles = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services"}

// ForLookups returns the rights to look up names of hosts and services: of the files in /etc, each of which may be replaced at
// any time, and thus /etc itself; and TCP to port 53, for answers too long for UDP. They are the rights of Go's own
// resolver; that of the C library, which a program built with cgo uses where nsswitch.conf names what Go does not know,
// needs more.
func ForLookups() Rights {
	r := Rights{Connect: []uint16{53}}
	for _, file := range lookupFiles {
		if dirs, err := replaced(r.Read, file); err == nil { // package net does without those that are not there
			r.Read = dirs
		}
	}
	return r
}

// ForFiles returns the right to serve the files below dir, and has package mime read its tables now, so that they need no
// right.
func ForFiles(dir string) Rights {
	_ = mime.TypeByExtension(".html")
	return Rights{Read: []string{dir}}
}

// ForSocket returns the right to remove a Unix socket's file when it is no longer listened on. An abstract one, whose name
// begins with @, has none.
func ForSocket(path string) Rights {
	if path == "" || path[0] == '@' {
		return Rights{}
	}
	return Rights{Make: []string{filepath.Dir(path)}}
}

// checkPaths fails for the first path that is not there, before anything is taken away.
func (r Rights) checkPaths() error {
	for _, path := range slices.Concat(r.Read, r.Make, r.Call) {
		if path == anyAbstract {
			continue
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sandbox: cannot keep the right to %s, which is not there: %w", path, err)
		} else if err != nil {
			return fmt.Errorf("sandbox: cannot keep the right to %s: %w", path, err)
		}
	}
	return nil
}

// anyAbstract stands for all abstract Unix sockets in Rights.Call.
const anyAbstract = "@"
