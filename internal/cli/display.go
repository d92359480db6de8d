package cli

import (
	"fmt"
	"io"
	"sync"

	"parley/internal/escape"
)

// A display is where listen prints what callers say: headed lines on a terminal, tagged lines, or the bytes as said. Each
// Write and each frame is printed whole before the next.
type display struct {
	u         *ui
	tag, json bool

	mu  sync.Mutex
	out io.Writer
}

func newDisplay(u *ui, tag, json bool) *display {
	return &display{u: u, tag: tag, json: json, out: u.out}
}

// raw reports whether bytes are printed as said.
func (d *display) raw() bool { return !d.tag && !d.json && !d.u.outTerm }

func (d *display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.Write(p)
}

// frame prints one message. With --json the recorder has done so.
func (d *display) frame(c *caller, text []byte) error {
	var line string
	switch {
	case d.json:
		return nil
	case d.tag:
		line = tagged(c.id, text)
	case d.u.outTerm:
		line = d.head(c) + escape.Text(string(text)) + "\n"
	default:
		line = string(text) + "\n"
	}
	_, err := io.WriteString(d, line)
	return localOutput(err)
}

// head says who is speaking; each caller has its colour.
func (d *display) head(c *caller) string {
	colours := [...]string{"36", "33", "35", "32", "34", "31"}
	return d.u.paint(colours[int(c.id)%len(colours)], fmt.Sprintf("%d %s", c.id, escape.Line(addrText(c.from)))) + " "
}

// came and went tell a person who is there.
func (d *display) came(c *caller) {
	if d.u.outTerm && !d.json && c.conn != nil {
		d.u.note("caller %s is there", c.name())
	}
}

func (d *display) went(c *caller, err error) {
	if d.u.outTerm && !d.json && err == nil {
		d.u.note("caller %s has ended", c.name())
	}
}
