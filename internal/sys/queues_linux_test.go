package sys

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

func queues(t *testing.T, c syscall.Conn) Queues {
	t.Helper()
	q, err := SocketQueues(raw(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// fill writes to c until nothing more goes in, and returns how many bytes went.
func fill(t *testing.T, c stream) int {
	t.Helper()
	total := 0
	control(t, c, func(fd uintptr) {
		for p := make([]byte, 64<<10); ; {
			n, again, err := Write(fd, p)
			if again || err != nil {
				return
			}
			total += n
		}
	})
	return total
}

// fillAll fills until the other end's kernel takes no more either.
func fillAll(t *testing.T, c stream, closed func() bool) (total int) {
	t.Helper()
	await(func() bool {
		total += fill(t, c)
		return closed()
	})
	return total
}

func TestQueuesTCP(t *testing.T) {
	for _, network := range streams[:2] {
		t.Run(network, func(t *testing.T) {
			a, b := joined(t, network)
			if q := queues(t, a); q != (Queues{Charged: -1}) {
				t.Errorf("fresh: %+v", q)
			}
			total := fillAll(t, a, func() bool { return queues(t, a).ZeroWindow })
			q := queues(t, a)
			if q.Unacked <= 0 || q.Unacked >= total {
				t.Errorf("unacked %d of %d, and nobody reads", q.Unacked, total)
			}
			if got := queues(t, b); got.Unread+q.Unacked < total || got.ZeroWindow {
				t.Errorf("unread %d + unacked %d, but %d were written (%+v)", got.Unread, q.Unacked, total, got)
			}

			a.CloseWrite()
			if got := queues(t, a).Unacked; got != q.Unacked+1 {
				t.Errorf("the FIN makes %d into %d", q.Unacked, got)
			}
			if n, err := io.Copy(io.Discard, b); int(n) != total || err != nil {
				t.Errorf("read %d of %d, %v", n, total, err)
			}
			await(func() bool { return queues(t, a) == Queues{Charged: -1} })
		})
	}
}

func TestQueuesUnix(t *testing.T) {
	a, b := joined(t, "unix")
	if q := queues(t, a); q != (Queues{Unacked: -1}) {
		t.Errorf("fresh: %+v", q)
	}
	total := fill(t, a)
	if q := queues(t, a); q.Charged < total || q.Unacked != -1 || q.ZeroWindow {
		t.Errorf("%+v after %d bytes that nobody reads", q, total)
	}
	if q := queues(t, b); q.Unread != total || q.Charged != 0 {
		t.Errorf("%+v before %d bytes are read", q, total)
	}
	if _, err := io.ReadFull(b, make([]byte, total)); err != nil {
		t.Error(err)
	}
	await(func() bool { return queues(t, a).Charged == 0 })
}

func TestQueuesErrors(t *testing.T) {
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, err := SocketQueues(raw(t, udp.(*net.UDPConn))); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("udp: %v", err)
	}
	a, _ := joined(t, "tcp4")
	rc := raw(t, a)
	a.Close()
	if _, err := SocketQueues(rc); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestQueuesProbe looks at a peer that is not read from for so long that the window
// has been probed: the answer must stay the same.
func TestQueuesProbe(t *testing.T) {
	a, _ := joined(t, "tcp4")
	fillAll(t, a, func() bool { return queues(t, a).ZeroWindow })
	a.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // the first probe goes out after 200
	a.Read(make([]byte, 1))
	if !queues(t, a).ZeroWindow {
		t.Error("the window looks open after a probe")
	}
}
