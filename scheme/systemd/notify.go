package systemd

import (
	"fmt"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Notify tells the service manager of a change of state (sd_notify(3)): lines of NAME=VALUE, such as "STATUS=12 callers". It
// does nothing and returns nil if no manager has asked to be told, which is when NOTIFY_SOCKET is not set. It dials that
// socket each time, so a process that restricts itself must keep the right to call it.
func Notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("tell the service manager %q: %w", state, err)
	}
	return nil
}

// Ready tells that this process serves: at the start, for Type=notify, and when it has reloaded.
func Ready() error { return Notify(daemon.SdNotifyReady) }

// Stopping tells that this process is about to end.
func Stopping() error { return Notify(daemon.SdNotifyStopping) }

// Reloading tells that this process reads its files again, for Type=notify-reload; [Ready] must follow. systemd wants to
// know when that began, by the clock that it waits by.
func Reloading() error {
	return Notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}
