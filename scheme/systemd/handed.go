package systemd

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"

	"parley/internal/sock"
)

// firstSocket is the number of the first descriptor that is handed over (SD_LISTEN_FDS_START).
const firstSocket = 3

// A handover is what this process was handed at its start.
type handover struct {
	mu      sync.Mutex
	sockets []*socket
	why     error // there are none
}

// handed is asked when the first address is listened on. It takes the variables out of the environment, so that no command
// run later takes the sockets for its own.
var handed = sync.OnceValue(takeOver)

func takeOver() *handover {
	h := &handover{why: whyNone()}
	for i, file := range activation.Files(true) {
		h.sockets = append(h.sockets, &socket{file: file, fd: firstSocket + i, name: file.Name()})
	}
	return h
}

// whyNone says why there are no sockets, if there are none, from what the environment says.
func whyNone() error {
	count, pid := os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_PID")
	switch {
	case runtime.GOOS == "windows":
		return fmt.Errorf("there is no systemd on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	case count == "" || count == "0":
		return sock.Mistake("systemd has handed over no sockets: LISTEN_FDS is not set; is this started by a .service that has a .socket?")
	case pid != strconv.Itoa(os.Getpid()):
		return sock.Mistake("systemd has handed its sockets to another process: LISTEN_PID is %q and this is %d; does a shell start this one? exec does it in place", pid, os.Getpid())
	}
	return sock.Mistake("systemd has handed over no sockets: LISTEN_FDS is %q", count)
}

// take returns the socket that a target means, which nobody else gets then. Its file is the caller's to close.
func take(target string) (*socket, error) {
	return handed().take(target)
}

func (h *handover) take(target string) (*socket, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	meant := h.meant(target)
	for _, s := range meant {
		if !s.taken {
			s.taken = true
			return s, nil
		}
	}
	switch {
	case len(h.sockets) == 0:
		return nil, h.why
	case len(meant) == 1:
		return nil, fmt.Errorf("%s is listened on already: %w", meant[0], inUse)
	case len(meant) > 1:
		return nil, fmt.Errorf("all %d sockets of the name %s are listened on already: %w", len(meant), meant[0].name, inUse)
	case target == "":
		return nil, sock.Mistake("systemd has handed over %d sockets; name one: %s", len(h.sockets), h)
	}
	return nil, sock.Mistake("systemd has handed over no socket %q; there are %s", target, h)
}

// meant returns the sockets of that name; if there are none, that of that number.
func (h *handover) meant(target string) (meant []*socket) {
	if target == "" && len(h.sockets) == 1 {
		return h.sockets
	}
	for _, s := range h.sockets {
		if target != "" && s.name == target {
			meant = append(meant, s)
		}
	}
	if len(meant) > 0 {
		return meant
	}
	for _, s := range h.sockets {
		if strconv.Itoa(s.fd) == target {
			meant = append(meant, s)
		}
	}
	return meant
}

// String lists the sockets: "3 (web.socket), 4 (dns.socket)".
func (h *handover) String() string {
	var words []string
	for _, s := range h.sockets {
		words = append(words, fmt.Sprintf("%d (%s)", s.fd, s.name))
	}
	return strings.Join(words, ", ")
}
