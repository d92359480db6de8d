// Package idle knows when a conversation has been silent for too long. It looks at each now and then, so that a limit costs
// a conversation nothing while it talks.
package idle

// A Silence is what was last seen of one conversation. Its zero value has seen nothing.
type Silence struct {
	bytes int64
	since int64 // Unix ns
	left  int   // untaken when it was last asked for; -1 not yet
}

// Begin starts to look at now, in Unix ns.
func (s *Silence) Begin(now int64) { *s = Silence{since: now, left: -1} }

// Over reports whether nothing has moved for limit ns: bytes is how many were said and heard so far, untaken how many of
// them the other kernel has not taken, which is asked for only when nothing was said or heard: what was said long ago may
// still be being taken.
func (s *Silence) Over(now, limit, bytes int64, untaken func() int) bool {
	if bytes != s.bytes {
		*s = Silence{bytes, now, -1}
		return false
	}
	if now-s.since < limit {
		return false
	}
	if left := untaken(); left > 0 && left != s.left {
		s.since, s.left = now, left
		return false
	}
	return true
}
