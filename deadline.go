package parley

import (
	"sync"
	"time"
)

// deadlines remembers what the user has set, so that a context can use the same mechanism for one call and undo it.
type deadlines struct {
	mu          sync.Mutex
	read, write time.Time
}

// SetDeadline sets both deadlines, as net.Conn has it.
func (c *Conn) SetDeadline(t time.Time) error {
	c.deadline.mu.Lock()
	defer c.deadline.mu.Unlock()
	c.deadline.read, c.deadline.write = t, t
	return c.nc.SetDeadline(t)
}

// SetReadDeadline sets when hearing gives up: Read, and Receive, Frames and Ask whatever their context allows.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.deadline.mu.Lock()
	defer c.deadline.mu.Unlock()
	c.deadline.read = t
	return c.nc.SetReadDeadline(t)
}

// SetWriteDeadline sets when saying gives up.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.deadline.mu.Lock()
	defer c.deadline.mu.Unlock()
	c.deadline.write = t
	return c.nc.SetWriteDeadline(t)
}

// restoreRead puts back the user's deadline.
func (c *Conn) restoreRead() {
	c.deadline.mu.Lock()
	defer c.deadline.mu.Unlock()
	_ = c.nc.SetReadDeadline(c.deadline.read)
}

func (c *Conn) restoreWrite() {
	c.deadline.mu.Lock()
	defer c.deadline.mu.Unlock()
	_ = c.nc.SetWriteDeadline(c.deadline.write)
}
