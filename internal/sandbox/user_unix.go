//go:build unix

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
)

func findUser(name string) (change func() error, err error) {
	id, err := lookUp(name)
	if err != nil {
		return nil, err
	}
	return func() error { return become(id) }, nil
}

// become changes the groups first, while that is still allowed. Package syscall does each for all threads.
func become(id identity) error {
	if syscall.Getuid() == id.uid && syscall.Geteuid() == id.uid && syscall.Getgid() == id.gid && syscall.Getegid() == id.gid {
		if group, ok := strayGroup(id.groups); ok {
			return fmt.Errorf("this process is that user already, and in group %d too, which only root can leave", group)
		}
		return verify(id)
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

// strayGroup returns a group that this process is in, and that is none of those wanted.
func strayGroup(wanted []int) (group int, ok bool) {
	groups, err := syscall.Getgroups()
	if err != nil {
		return 0, false
	}
	i := slices.IndexFunc(groups, func(g int) bool { return !slices.Contains(wanted, g) && g != syscall.Getgid() })
	if i < 0 {
		return 0, false
	}
	return groups[i], true
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
