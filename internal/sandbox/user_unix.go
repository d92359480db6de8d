//go:build unix

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

func setUser(name string) error {
	id, err := lookUp(name)
	if err != nil {
		return err
	}
	return become(id)
}

// become changes the groups first, while that is still allowed. Package syscall does each for all threads.
func become(id identity) error {
	if syscall.Getuid() == id.uid && syscall.Geteuid() == id.uid && syscall.Getgid() == id.gid && syscall.Getegid() == id.gid {
		return verify(id) // that he is already
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"set the groups", func() error { return syscall.Setgroups(id.groups) }},
		{"set the group", func() error { return syscall.Setgid(id.gid) }},
		{"set the user", func() error { return syscall.Setuid(id.uid) }},
	} {
		if err := step.do(); errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%s: %w; only root may", step.what, err)
		} else if err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return verify(id)
}

// verify makes sure that there is no way back: a process with the right capabilities, or a saved root id, has one.
func verify(id identity) error {
	if syscall.Getuid() != id.uid || syscall.Geteuid() != id.uid || syscall.Getgid() != id.gid || syscall.Getegid() != id.gid {
		return fmt.Errorf("the system says that it did, but this is user %d in group %d", syscall.Geteuid(), syscall.Getegid())
	}
	if syscall.Setuid(0) == nil || syscall.Setgid(0) == nil && id.gid != 0 {
		return errors.New("the rights of root could be had back; the process must not go on")
	}
	return nil
}
