//go:build unix

package local

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// highestInherited is how far descriptors are looked for that this process was started with. There is no list of them that
// every system has and every sandbox allows; asking for one takes less than a microsecond.
const highestInherited = 4095

// inherited are the descriptors beyond standard error that this process was started with, once they are closed at exec, by
// which they are known else; with the file of each, as the number may be another's by now.
var inherited struct {
	sync.Mutex
	found bool
	files map[given]identity
}

// An identity is which file a descriptor is of.
type identity struct{ dev, ino uint64 }

// keepFromCommands has all descriptors beyond standard error closed at exec. Those opened later are that anyhow.
func keepFromCommands() {
	inherited.Lock()
	defer inherited.Unlock()
	if inherited.found {
		return
	}
	inherited.found, inherited.files = true, map[given]identity{}
	syscall.ForkLock.Lock() // some systems open and mark in two steps; what is between them is not inherited
	defer syscall.ForkLock.Unlock()
	for d := given(3); d <= highestInherited; d++ {
		flags, err := unix.FcntlInt(uintptr(d), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		if own, ok := identify(d); ok {
			inherited.files[d] = own
		}
		unix.CloseOnExec(int(d))
	}
}

// isInherited reports whether d is one of those that keepFromCommands has found.
func isInherited(d given) bool {
	inherited.Lock()
	defer inherited.Unlock()
	was, ok := inherited.files[d]
	is, still := identify(d)
	return ok && still && was == is
}

func identify(d given) (identity, bool) {
	var st unix.Stat_t
	err := unix.Fstat(int(d), &st)
	return identity{uint64(st.Dev), uint64(st.Ino)}, err == nil
}
