//go:build unix

package sock

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

var datagramType = Params{"type": "datagram"}

func listenSendersUnix(t *testing.T, path string, p Params) net.Listener {
	t.Helper()
	ln, err := ListenUnixSenders(soon(t), path, p, nil)
	return closes(t, ln, err)
}

// namedCaller calls path from a socket that can be answered.
func namedCaller(t *testing.T, path string) net.Conn {
	t.Helper()
	nc, err := DialUnix(soon(t), path, Params{"type": "datagram", "from": socketPath(t)})
	return closes(t, nc, err)
}

// boundCaller is namedCaller unconnected, for only then does Linux bound how much can lie unread with it.
func boundCaller(t *testing.T, path string) net.Conn {
	t.Helper()
	nc, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socketPath(t), Net: "unixgram"})
	return saysTo{closes(t, nc, err), path}
}

// A saysTo is an unconnected socket that says all to one path.
type saysTo struct {
	*net.UnixConn
	path string
}

func (s saysTo) Write(p []byte) (int, error) {
	return s.WriteTo(p, &net.UnixAddr{Name: s.path, Net: "unixgram"})
}

// namelessCaller calls path from a socket without a name, which DialUnix does not make on Linux.
func namelessCaller(t *testing.T, path string) net.Conn {
	t.Helper()
	nc, err := net.Dial("unixgram", path)
	return closes(t, nc, err)
}

func TestUnixSenders(t *testing.T) {
	path := socketPath(t)
	ln := listenSendersUnix(t, path, Params{"type": "datagram", "idle": "1h", "senders": "3", "mode": "600"})
	var accepted []net.Conn
	callers := []net.Conn{namedCaller(t, path), namedCaller(t, path), namedCaller(t, path)}
	for _, nc := range callers {
		tells(t, nc, "from "+nc.LocalAddr().String())
		accepted = append(accepted, accept(t, ln))
	}
	for i, s := range accepted {
		if s.RemoteAddr().String() != callers[i].LocalAddr().String() || !KeepsEdges(s.LocalAddr()) || s.LocalAddr().String() != path {
			t.Errorf("%v talks to %v", s.LocalAddr(), s.RemoteAddr())
		}
		hears(t, s, "from "+s.RemoteAddr().String())
		tells(t, s, "to "+s.RemoteAddr().String())
	}
	ln.Close()
	for i, nc := range callers {
		hears(t, nc, "to "+nc.LocalAddr().String())
		tells(t, nc, "more")
		hears(t, accepted[i], "more")
		accepted[i].Close()
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left after the last close: %v", err)
	}
}

// Without a name each datagram is a conversation, which ends with it and cannot be answered.
func TestUnixSendersWithoutName(t *testing.T) {
	path := socketPath(t)
	ln := listenSendersUnix(t, path, datagramType)
	nc := namelessCaller(t, path)
	for _, text := range []string{"one", "two"} {
		tells(t, nc, text)
		s := accept(t, ln)
		if host, _ := HostPort(s.RemoteAddr()); host != "" {
			t.Errorf("called from %q", host)
		}
		hears(t, s, text)
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("heard %v, want the end", err)
		}
		_, err := s.Write([]byte("reply"))
		says(t, "a reply", err, "no name to be answered by", "from=PATH")
	}
}

// Who does not read what he is told keeps nobody else waiting, and a write to him ends by deadline or close.
func TestUnixSendersStall(t *testing.T) {
	path := socketPath(t)
	ln := listenSendersUnix(t, path, datagramType)
	stalled, other := boundCaller(t, path), namedCaller(t, path)
	tells(t, stalled, "x")
	toStalled := accept(t, ln)
	tells(t, other, "x")
	toOther := accept(t, ln)
	full := func(s net.Conn) error {
		for {
			if _, err := s.Write([]byte("y")); err != nil {
				return err
			}
		}
	}
	blocked := make(chan error, 2)
	for range 2 {
		go func() { blocked <- full(toStalled) }()
	}
	toOther.SetWriteDeadline(time.Now().Add(patience))
	for range 100 {
		tells(t, toOther, "to another")
		hears(t, other, "to another")
	}
	if err := toStalled.SetWriteDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-blocked; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the write ended with %v", err)
		}
	}
	toStalled.SetWriteDeadline(time.Time{})
	go func() { blocked <- full(toStalled) }()
	toStalled.Close()
	if err := <-blocked; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the write ended with %v", err)
	}
	tells(t, stalled, "anew")
	toStalled = accept(t, ln)
	go func() { blocked <- full(toStalled) }()
	hears(t, stalled, "y") // he reads at last
	toStalled.SetWriteDeadline(Past)
	<-blocked
}

// Who has gone is an error of the conversation with him only.
func TestUnixSendersGone(t *testing.T) {
	path := socketPath(t)
	ln := listenSendersUnix(t, path, datagramType)
	gone, other := namedCaller(t, path), namedCaller(t, path)
	tells(t, gone, "x")
	s := accept(t, ln)
	gone.Close()
	_, err := s.Write([]byte("y"))
	var oe *net.OpError
	if !errors.As(err, &oe) || oe.Op != "write" || oe.Addr.String() != s.RemoteAddr().String() {
		t.Errorf("told who has gone: %v", err)
	}
	tells(t, other, "x")
	hears(t, accept(t, ln), "x")
}

func TestUnixSendersTooLong(t *testing.T) {
	path := socketPath(t)
	ln := listenSendersUnix(t, path, datagramType)
	nc := namedCaller(t, path)
	tells(t, nc, "x")
	s := accept(t, ln)
	most := sendBuffer(s.(*Sender).way.PacketConn)
	_, err := s.Write(make([]byte, most+1))
	isTooLong(t, err, most)
	says(t, "too long", err, "sndbuf= raises that")
	_, err = nc.Write(make([]byte, most+1))
	isTooLong(t, ExplainSize(err, most+1, nc), most)
	if runtime.GOOS == "linux" { // elsewhere a hearer has less room than a sender
		tells(t, s, strings.Repeat("y", most))
	}
}

func TestUnixSendersTypes(t *testing.T) {
	for _, p := range []Params{nil, {"type": "seqpacket"}} {
		if _, err := ListenUnixSenders(soon(t), socketPath(t), p, nil); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: %v", p, err)
		}
	}
	_, err := ListenUnixSenders(soon(t), socketPath(t), Params{"type": "datagram", "idle": "x"}, nil)
	says(t, "idle=x", err, "param idle=x")
}
