package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Servers that start a process for each conversation are killed with some of
// them alive. Those end soon, as their conversations have; but until then they
// would disturb the next contender, and if nobody waited for them, their time
// would be taken for that of other programs.

// setChildSubreaper is PR_SET_CHILD_SUBREAPER of prctl(2).
const setChildSubreaper = 36

// adoptOrphans makes this process the parent of the children that its children
// leave behind.
func adoptOrphans() error {
	if _, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); failed != 0 {
		return fmt.Errorf("prctl PR_SET_CHILD_SUBREAPER: %w", failed)
	}
	return nil
}

// awaitOrphans waits until this process has no child any more. Only for a
// moment when it has ended and waited for all that it started itself.
func awaitOrphans(ctx context.Context) error {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			return nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("wait for what a server left behind: %w", err)
		case pid > 0:
			continue
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("a server left processes behind that do not end: %w", err)
		}
	}
}
