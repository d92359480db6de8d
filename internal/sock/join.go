package sock

import (
	"context"
	"errors"
	"net"
	"sync"
)

// A joined is several blocking sources read as one: the two loopback listeners of "this machine only", whose callers
// come to one Accept. Each source has a goroutine, pull, that lives until close.
type joined[T any] struct {
	results chan result[T]
	done    chan struct{}
	once    sync.Once
	pulls   sync.WaitGroup
}

type result[T any] struct {
	value T
	err   error
}

func newJoined[T any]() *joined[T] {
	return &joined[T]{results: make(chan result[T]), done: make(chan struct{})}
}

func (j *joined[T]) add(next func() (T, error)) {
	j.pulls.Go(func() { j.pull(next) })
}

func (j *joined[T]) pull(next func() (T, error)) {
	for {
		v, err := next()
		select {
		case j.results <- result[T]{v, err}:
		case <-j.done:
			if nc, ok := any(v).(net.Conn); ok && err == nil {
				nc.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

func (j *joined[T]) next(ctx context.Context) (T, error) {
	select {
	case r := <-j.results:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), ctx.Err()
	case <-j.done:
		return *new(T), net.ErrClosed
	}
}

// close ends the pulls, after the sources have been closed so that they let go.
func (j *joined[T]) close() {
	j.once.Do(func() { close(j.done) })
	j.pulls.Wait()
}

// A joinedListener is one listener with several legs.
type joinedListener struct {
	legs []*tcpListener
	*joined[net.Conn]
}

// joinListeners makes one listener of legs; one leg stays as it is.
func joinListeners(legs []*tcpListener) net.Listener {
	if len(legs) == 1 {
		return legs[0]
	}
	l := &joinedListener{legs, newJoined[net.Conn]()}
	for _, leg := range legs {
		l.add(leg.Accept)
	}
	return l
}

func (l *joinedListener) Accept() (net.Conn, error) { return l.next(context.Background()) }

// AcceptContext is Accept with a context; see Accept.
func (l *joinedListener) AcceptContext(ctx context.Context) (net.Conn, error) { return l.next(ctx) }

func (l *joinedListener) Addr() net.Addr { return l.legs[0].Addr() }

func (l *joinedListener) Close() error {
	var errs []error
	for _, leg := range l.legs {
		errs = append(errs, leg.Close())
	}
	l.close()
	return errors.Join(errs...)
}
