package local

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"parley"
	"parley/internal/sock"
)

var ptyParams = []parley.Param{
	{Name: "link", Value: "PATH", Summary: "a symbolic link to the terminal, removed at the end"},
	{Name: "raw", Value: "BOOL", Summary: "bytes pass as they are, without echo (default yes)"},
	{Name: "size", Value: "COLUMNSxLINES", Summary: "the size of the terminal (default 80x24)"},
	{Name: "wait", Value: "BOOL", Summary: "hearing waits until somebody has opened the terminal (default yes)"},
}

// A size is that of a terminal.
type size struct{ columns, lines uint16 }

// usualSize is what a terminal has if nothing else is said.
var usualSize = size{80, 24}

// parseSize reads the param size, which only a terminal has.
func parseSize(params map[string]string, terminal bool) (size, error) {
	text, ok := params["size"]
	switch {
	case !ok:
		return usualSize, nil
	case !terminal:
		return size{}, sock.Mistake("param size=%s: only a terminal has a size; add the param pty", text)
	}
	before, after, _ := strings.Cut(text, "x")
	columns, err1 := strconv.ParseUint(before, 10, 16)
	lines, err2 := strconv.ParseUint(after, 10, 16)
	if err1 != nil || err2 != nil || columns == 0 || lines == 0 {
		return size{}, sock.Mistake("param size=%s: write COLUMNSxLINES, as in %dx%d", text, usualSize.columns, usualSize.lines)
	}
	return size{uint16(columns), uint16(lines)}, nil
}

// A master is the end of a pseudo-terminal that is not a terminal: it sees what is shown there, and types. It can be waited
// for.
type master struct {
	*os.File
	slave string // the path of the terminal
}

// ptyWishes are what a pty address asks for.
type ptyWishes struct {
	raw, wait bool
	size      size
	link      string // empty: none
}

func parsePTY(a parley.Addr) (w ptyWishes, err error) {
	if a.Target != "" {
		return w, sock.Mistake("pty addresses have no target; for a link to the terminal write pty:?link=%s", a.Target)
	}
	link, wanted := a.Params["link"]
	if wanted && link == "" {
		return w, sock.Mistake("param link: say where, as in link=/tmp/terminal")
	}
	w.link = link
	if w.raw, err = flagOf(a, "raw", true); err != nil {
		return w, err
	}
	if w.wait, err = flagOf(a, "wait", true); err != nil {
		return w, err
	}
	w.size, err = parseSize(a.Params, true)
	return w, err
}

// dialPTY makes a pseudo-terminal, and holds the conversation with whoever opens it.
func dialPTY(ctx context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, err := parsePTY(a)
	if err != nil {
		return nil, err
	}
	m, err := openMaster(w.size)
	if err != nil {
		return nil, err
	}
	c := &ptyConn{end: newTerminalEnd(Addr{a.Scheme, m.slave}, m.File)}
	if err := c.prepare(m, w); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// A ptyConn is a conversation with whoever opens a terminal.
type ptyConn struct {
	*end
	kept    *os.File // the terminal, if it must be open so that reading waits
	link    *link    // nil if there is none
	closing sync.Once
	closed  error // of Close
}

// prepare does to the terminal what is wished.
func (c *ptyConn) prepare(m *master, w ptyWishes) (err error) {
	if w.raw {
		if err := m.makeRaw(); err != nil {
			return err
		}
	}
	if c.kept, err = m.await(w.wait); err != nil {
		return err
	}
	if w.link != "" {
		c.link, err = makeLink(w.link, m.slave)
	}
	return err
}

// Close hangs the terminal up, and removes the link to it.
func (c *ptyConn) Close() error {
	c.closing.Do(func() {
		var unlinked error
		if c.link != nil {
			unlinked = c.link.remove()
		}
		c.closed = errors.Join(unlinked, c.end.Close())
		if c.kept != nil {
			c.kept.Close()
		}
	})
	return c.closed
}
