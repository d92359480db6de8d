package sock

import (
	"cmp"
	"net"
	"sync"
	"time"
)

// Deadlines are what the user has set on a connection, and whether something else overrides it for the call under way: a
// context that has ended, or a server that ends. So both can use the one mechanism of net.Conn, and neither undoes the other.
type Deadlines struct {
	mu   sync.Mutex
	user *[2]time.Time // of Reading and of Writing; nil until one is set
	past [2]bool       // overridden
}

// The sides of Deadlines.
const Reading, Writing = 0, 1

// Set changes the user's deadlines on nc, and applies them where they are not overridden.
func (d *Deadlines) Set(nc net.Conn, t time.Time, sides ...int) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.user == nil {
		d.user = new([2]time.Time)
	}
	for _, side := range sides {
		d.user[side] = t
		err = cmp.Or(err, d.apply(nc, side))
	}
	return err
}

// Override ends the calls of one side of nc that wait, or takes that back.
func (d *Deadlines) Override(nc net.Conn, side int, past bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.past[side] = past
	return d.apply(nc, side)
}

// apply needs the lock.
func (d *Deadlines) apply(nc net.Conn, side int) error {
	var t time.Time
	switch {
	case d.past[side]:
		t = Past
	case d.user != nil:
		t = d.user[side]
	}
	if side == Reading {
		return nc.SetReadDeadline(t)
	}
	return nc.SetWriteDeadline(t)
}

// Passed reports whether the user's own read deadline has gone by.
func (d *Deadlines) Passed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.user != nil && !d.user[Reading].IsZero() && !time.Now().Before(d.user[Reading])
}
