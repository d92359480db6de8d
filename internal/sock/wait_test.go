package sock

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// The context of one Accept does not end another that waits on the same listener.
func TestAcceptsShareAListener(t *testing.T) {
	for name, ln := range map[string]net.Listener{"tcp": listenTCP(t, "127.0.0.1:0", nil), "unix": listenUnix(t, socketPath(t), nil)} {
		ctx := soon(t)
		accepted := make(chan error, 1)
		go func() {
			nc, err := Accept(ctx, ln)
			if err == nil {
				nc.Close()
			}
			accepted <- err
		}()
		for range 50 { // the first few may come before the other waits
			short, cancel := context.WithTimeout(ctx, time.Millisecond)
			if _, err := Accept(short, ln); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		}
		nc, err := net.Dial(ln.Addr().Network(), ln.Addr().String())
		closes(t, nc, err)
		if err := <-accepted; err != nil {
			t.Errorf("%s: the context of another ended it: %v", name, err)
		}
	}
}

// However many end at once, each does; and the listener works on.
func TestAcceptsEndTogether(t *testing.T) {
	ln := listenTCP(t, "127.0.0.1:0", nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(100+10*i)*time.Microsecond)
				if _, err := Accept(ctx, ln); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	if len(endings.of) != 0 {
		t.Errorf("%d listeners are still ending", len(endings.of))
	}
	dialTCP(t, ln.Addr().String(), nil)
	accept(t, ln)
}
