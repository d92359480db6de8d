package service

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"parley"
)

// An httpCaller is a conversation as net/http sees it. Conn.Read would never tell net/http that the Server begins to end:
// it takes bytes whatever they are part of, and cannot know whether it is between two requests. Here that is known.
type httpCaller struct {
	*parley.Conn
	left  chan struct{} // closed when net/http has done with it
	leave sync.Once

	asking atomic.Bool // a request has begun, and its reply has not ended
	ending atomic.Bool // the Server is
}

// now notes what net/http says of the conversation.
func (c *httpCaller) now(s http.ConnState) {
	switch s {
	case http.StateIdle:
		c.asking.Store(false)
	case http.StateClosed:
		c.leave.Do(func() { close(c.left) })
	}
}

// Read waits by WriteTo, which holds no buffer and tells when the Server begins to end. Between requests that is
// the end for net/http, which closes without a word.
func (c *httpCaller) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.mayLeave() {
		return 0, io.EOF
	}
	one := take{c: c, into: p}
	_, err := c.Conn.WriteTo(&one)
	switch {
	case one.n > 0:
		c.asking.Store(true)
		return one.n, nil
	case err == nil || errors.Is(err, parley.ErrServerEnding):
		return 0, io.EOF
	}
	return 0, err
}

// mayLeave reports whether the Server is ending, and no request has begun.
func (c *httpCaller) mayLeave() bool { return c.ending.Load() && !c.asking.Load() }

// A take lets WriteTo write once, as much as there is room for.
type take struct {
	c    *httpCaller
	into []byte
	n    int
}

var errTaken = errors.New("enough for now")

func (t *take) Write(p []byte) (int, error) {
	t.n = copy(t.into, p)
	return t.n, errTaken
}

// ServerEnding is called by WriteTo when the Server begins to end.
func (t *take) ServerEnding() bool {
	t.c.ending.Store(true)
	return t.c.mayLeave()
}
