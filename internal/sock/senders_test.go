package sock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A dropping remembers what a listener has dropped.
type dropping struct {
	mu   sync.Mutex
	from []net.Addr
	errs []error
}

func (d *dropping) note(from net.Addr, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from, d.errs = append(d.from, from), append(d.errs, err)
}

func (d *dropping) all() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.errs
}

func listenSendersUDP(t testing.TB, target string, p Params) net.Listener {
	t.Helper()
	ln, err := ListenUDPSenders(soon(t), "udp", target, p, func(from net.Addr, err error) {
		if !strings.Contains(err.Error(), "a conversation that was closed") { // as tests end that do not hear all
			t.Errorf("%v: %v", from, err)
		}
	})
	return closes(t, ln, err)
}

func dialUDP(t testing.TB, target string, p Params) net.Conn {
	t.Helper()
	nc, err := DialUDP(soon(t), "udp", target, p)
	return closes(t, nc, err)
}

// tells says text, and fails t if it cannot.
func tells(t testing.TB, nc net.Conn, text string) {
	t.Helper()
	if n, err := nc.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("said %d of %q: %v", n, text, err)
	}
}

// hears fails t unless nc hears want next.
func hears(t testing.TB, nc net.Conn, want string) {
	t.Helper()
	if err := nc.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 70_000)
	n, err := nc.Read(p)
	if err != nil || string(p[:n]) != want {
		t.Fatalf("heard %.40q, %v, want %.40q", p[:n], err, want)
	}
}

// Each of several senders, by whatever family, has a conversation of its own, and its replies.
func TestSendersAreAnswered(t *testing.T) {
	needIPv6(t)
	joined := func() net.Listener {
		ln, err := ListenSenders(listenUDP(t, "0", nil), nil, nil)
		return closes(t, ln, err)
	}
	for what, ln := range map[string]net.Listener{
		"local": listenSendersUDP(t, "0", nil), "every interface": listenSendersUDP(t, ":0", nil), "joined": joined(),
	} {
		port := portOf(ln.Addr())
		var callers, accepted []net.Conn
		for _, target := range []string{"127.0.0.1:" + port, "[::1]:" + port, port} {
			nc := dialUDP(t, target, nil)
			tells(t, nc, "from "+nc.LocalAddr().String())
			s := accept(t, ln)
			if !KeepsEdges(s.LocalAddr()) || portOf(s.LocalAddr()) != port || s.RemoteAddr().String() != nc.LocalAddr().String() {
				t.Errorf("%s: %v talks to %v, called from %v", what, s.LocalAddr(), s.RemoteAddr(), nc.LocalAddr())
			}
			callers, accepted = append(callers, nc), append(accepted, s)
		}
		for i := len(accepted) - 1; i >= 0; i-- { // not in the order they came
			s := accepted[i]
			hears(t, s, "from "+s.RemoteAddr().String())
			tells(t, s, "to "+s.RemoteAddr().String())
		}
		for i, nc := range callers {
			hears(t, nc, "to "+nc.LocalAddr().String())
			tells(t, nc, "again")
			tells(t, nc, "")
			hears(t, accepted[i], "again")
			hears(t, accepted[i], "")
		}
	}
}

// What ReadDatagram hands over is the receiver's; what does not fit into a Read is lost.
func TestSendersDatagrams(t *testing.T) {
	ln := listenSendersUDP(t, "127.0.0.1:0", nil)
	nc := dialUDP(t, ln.Addr().String(), nil)
	long := strings.Repeat("x", 60_000)
	for _, text := range []string{"first", "second", long, "third"} {
		tells(t, nc, text)
	}
	s := accept(t, ln).(*Sender)
	first, err := s.ReadDatagram()
	second, err2 := s.ReadDatagram()
	if err := errors.Join(err, err2); err != nil || string(first) != "first" || string(second) != "second" {
		t.Fatalf("heard %q, %q, %v", first, second, err)
	}
	p := make([]byte, 10)
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: %d, %v", n, err)
	}
	if n, err := s.Read(p); n != 10 || err != nil {
		t.Errorf("the beginning of a long one: %d, %v", n, err)
	}
	hears(t, s, "third")
}

func TestSendersParams(t *testing.T) {
	for name, test := range map[string]struct{ value, says string }{
		"idle": {"soon", "such as 90s or 5m"}, "senders": {"0", "a number of 1 or more"}, "eof": {"fin", "there is only eof=empty"},
	} {
		_, err := ListenUDPSenders(soon(t), "udp", "127.0.0.1:0", Params{name: test.value}, nil)
		says(t, name, err, "param "+name+"="+test.value, test.says)
	}
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "5m": 5 * time.Minute, "7": 7 * time.Second, "0": 0} {
		if sp, err := (Params{"idle": text, "senders": "5"}).senders(); err != nil || sp.idle != want || sp.most != 5 {
			t.Errorf("idle=%s: %+v, %v", text, sp, err)
		}
	}
	for _, text := range []string{"", "-1s", "-1", "x", "99999999999999"} {
		_, err := duration("idle", text)
		says(t, text, err, "param idle="+text)
	}
	for name := range map[string]bool{"idle": true, "senders": true} {
		p := Params{name: "1"}
		_, err := DialUDP(soon(t), "udp", "127.0.0.1:7", p)
		says(t, "dial", err, "param "+name, "a conversation with each sender")
		_, err = ListenUDP(soon(t), "udp", "127.0.0.1:0", p)
		says(t, "listen for datagrams", err, "param "+name, "a conversation with each sender")
		_, err = ListenUnix(soon(t), socketPath(t), p)
		says(t, "listen for streams", err, "param "+name, "a conversation with each sender")
	}
}

// With eof=empty an empty datagram ends a conversation, either way, and begins none.
func TestSendersEmptyIsTheEnd(t *testing.T) {
	ln := listenSendersUDP(t, "127.0.0.1:0", Params{"eof": "empty"})
	nc := dialUDP(t, ln.Addr().String(), Params{"eof": "empty"})
	end := func() {
		t.Helper()
		if err := nc.(emptyEnd).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	end()
	tells(t, nc, "question")
	end()
	tells(t, nc, "another conversation")
	s := accept(t, ln).(*Sender)
	hears(t, s, "question")
	for range 2 {
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("heard %v, want the end", err)
		}
	}
	tells(t, s, "answer")
	_, err := s.Write(nil)
	says(t, "an empty write", err, "an empty datagram is the end with eof=empty")
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	hears(t, nc, "answer")
	if _, err := nc.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("heard %v, want the end", err)
	}
	hears(t, accept(t, ln), "another conversation")

	plain := listenSendersUDP(t, "127.0.0.1:0", nil)
	tells(t, dialUDP(t, plain.Addr().String(), nil), "x")
	if err := accept(t, plain).(*Sender).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("an end that cannot be said: %v", err)
	}
}

// What this end has closed is forgotten: the same sender then begins anew.
func TestSendersClose(t *testing.T) {
	ln := listenSendersUDP(t, "127.0.0.1:0", nil)
	nc := dialUDP(t, ln.Addr().String(), nil)
	tells(t, nc, "one")
	s := accept(t, ln)
	waiting := make(chan error, 1)
	hears(t, s, "one")
	go func() { _, err := s.Read(make([]byte, 1)); waiting <- err }()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, readErr := s.Read(make([]byte, 1))
	_, nothingErr := s.Read(nil)
	_, writeErr := s.Write([]byte("x"))
	for what, err := range map[string]error{
		"a read that waited": <-waiting, "read": readErr, "read of nothing": nothingErr, "write": writeErr,
		"deadline": s.SetDeadline(time.Now()), "close": s.Close(),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after close: %v", what, err)
		}
	}
	tells(t, nc, "two")
	hears(t, accept(t, ln), "two")
}

// A closed listener has no new callers; those it has go on, and take the socket with them.
func TestSendersListenerCloses(t *testing.T) {
	ln := listenSendersUDP(t, "0", nil)
	old, unaccepted := dialUDP(t, portOf(ln.Addr()), nil), dialUDP(t, portOf(ln.Addr()), nil)
	tells(t, old, "hello")
	s := accept(t, ln)
	tells(t, unaccepted, "is anybody there?")
	tells(t, old, "still here")
	hears(t, s, "hello")
	hears(t, s, "still here") // so that all that was said has come
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if nc, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepted %v, %v", nc, err)
	}
	if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	tells(t, unaccepted, "hello?")
	tells(t, old, "more")
	hears(t, s, "more")
	tells(t, s, "reply")
	hears(t, old, "reply")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left := goroutinesLeft(); left != "" {
		t.Errorf("goroutines are left:\n\n%s", left)
	}
	listenUDP(t, portOf(ln.Addr()), nil)
}

func TestSendersListenerClosesAtOnce(t *testing.T) {
	ln := listenSendersUDP(t, "0", nil)
	accepted := make(chan error, 1)
	go func() { _, err := ln.Accept(); accepted <- err }()
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("an Accept that waited: %v", err)
	}
	if left := goroutinesLeft(); left != "" {
		t.Errorf("goroutines are left:\n\n%s", left)
	}
}

func TestSendersContexts(t *testing.T) {
	ln := listenSendersUDP(t, "127.0.0.1:0", nil)
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan error, 1)
	go func() { _, err := Accept(ctx, ln); accepted <- err }()
	cancel()
	if err := <-accepted; !errors.Is(err, context.Canceled) {
		t.Errorf("accepted: %v", err)
	}
	tells(t, dialUDP(t, ln.Addr().String(), nil), "x")
	hears(t, accept(t, ln), "x")
}

// A deadline ends the calls that wait, and only those it governs; what has come is there afterwards.
func TestSendersDeadlines(t *testing.T) {
	ln := listenSendersUDP(t, "127.0.0.1:0", nil)
	nc := dialUDP(t, ln.Addr().String(), nil)
	tells(t, nc, "x")
	s := accept(t, ln)
	hears(t, s, "x")
	for what, set := range map[string]func() error{
		"past":           func() error { return s.SetReadDeadline(Past) },
		"future":         func() error { return s.SetDeadline(time.Now().Add(time.Millisecond)) },
		"while it waits": func() error { go func() { _ = s.SetReadDeadline(Past) }(); return s.SetReadDeadline(time.Time{}) },
		"future, shorter": func() error {
			_ = s.SetReadDeadline(time.Now().Add(time.Hour))
			return s.SetReadDeadline(time.Now().Add(1))
		},
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_ = s.SetDeadline(time.Time{})
	}
	if err := s.SetWriteDeadline(Past); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("y")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	tells(t, nc, "z")
	hears(t, s, "z")
	_ = s.SetWriteDeadline(time.Time{})
	tells(t, s, "w")
	hears(t, nc, "w")
}

// What is too long for a datagram says how long, and what would have gone; on dialled sockets too, by ExplainSize.
func TestSendersTooLong(t *testing.T) {
	needIPv6(t)
	for host, most := range map[string]int{"127.0.0.1": mostIPv4, "::1": mostIPv6} {
		ln := listenSendersUDP(t, net.JoinHostPort(host, "0"), Params{"sndbuf": "1000000"})
		nc := dialUDP(t, ln.Addr().String(), Params{"sndbuf": "1000000"})
		tells(t, nc, strings.Repeat("x", most))
		s := accept(t, ln)
		hears(t, s, strings.Repeat("x", most))
		tells(t, s, strings.Repeat("y", most))
		hears(t, nc, strings.Repeat("y", most))
		_, err := s.Write(make([]byte, most+1))
		isTooLong(t, err, most)
		_, err = nc.Write(make([]byte, most+1))
		isTooLong(t, ExplainSize(err, most+1, nc), most)
		tells(t, s, "short")
		hears(t, nc, "short")
	}
	every := listenSendersUDP(t, ":0", nil)
	tells(t, dialUDP(t, "127.0.0.1:"+portOf(every.Addr()), nil), "by IPv4, to a socket of both")
	_, err := accept(t, every).Write(make([]byte, mostIPv4+1))
	isTooLong(t, err, mostIPv4)
	for _, err := range []error{nil, io.EOF, syscall.EPIPE} {
		if got := ExplainSize(err, 1, dialUDP(t, every.Addr().String(), nil)); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func isTooLong(t *testing.T, err error, most int) {
	t.Helper()
	var size *SizeError
	var oe *net.OpError
	if !errors.As(err, &size) || size.Size != most+1 || size.Limit != most || !errors.As(err, &oe) || oe.Op != "write" {
		t.Errorf("%v, want an error of %d bytes, over %d", err, most+1, most)
		return
	}
	if strings.Count(err.Error(), "write") > 1 {
		t.Errorf("said twice: %v", err)
	}
	says(t, "too long", err, fmt.Sprintf("%d bytes are too long for one datagram, which holds %d at most", most+1, most))
	if again := ExplainSize(err, 5, dialUDP(t, "127.0.0.1:9", nil)); again != err {
		t.Errorf("%v, explained again %v", err, again)
	}
}

// Many at once, from all sides: for the race detector, and nobody gets what is another's.
func TestSendersTogether(t *testing.T) {
	ln := listenSendersUDP(t, "0", nil)
	port := portOf(ln.Addr())
	var all, echoes sync.WaitGroup
	all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			echoes.Go(func() { echoDatagrams(nc) })
		}
	})
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			nc, err := DialUDP(context.Background(), "udp", port, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer nc.Close()
			_ = nc.SetDeadline(time.Now().Add(patience))
			p := make([]byte, 100)
			for k := range 50 {
				text := fmt.Appendf(nil, "%d of caller %d", k, i)
				_, writeErr := nc.Write(text)
				n, err := nc.Read(p)
				if err := errors.Join(writeErr, err); err != nil || !bytes.Equal(p[:n], text) {
					t.Errorf("said %q, heard %q, %v", text, p[:n], err)
				}
			}
			nc.Write([]byte("bye"))
		})
	}
	callers.Wait()
	ln.Close()
	echoes.Wait()
	all.Wait()
}

func echoDatagrams(nc net.Conn) {
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	for {
		data, err := nc.(*Sender).ReadDatagram()
		if err != nil || string(data) == "bye" {
			return
		}
		nc.Write(data)
	}
}

// Datagrams a second through one listener, there and back.
func BenchmarkSendersEcho(b *testing.B) {
	for _, callers := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) { benchmarkSenders(b, callers) })
	}
}

func benchmarkSenders(b *testing.B, callers int) {
	ln := listenSendersUDP(b, "127.0.0.1:0", nil)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go echoDatagrams(nc)
		}
	}()
	var all sync.WaitGroup
	for range callers {
		nc := dialUDP(b, ln.Addr().String(), nil)
		all.Go(func() {
			p := make([]byte, 64)
			for range b.N / callers {
				nc.Write(p)
				if _, err := nc.Read(p); err != nil {
					b.Error(err)
					return
				}
			}
			nc.Write([]byte("bye"))
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "datagrams/s")
	ln.Close()
}
