package sock

import (
	"io"
	"testing"
)

// With eof=empty an empty datagram is the end: it is said by CloseWrite only, and heard only where one has come.
func TestUDPEmptyIsTheEnd(t *testing.T) {
	pc := listenUDP(t, "127.0.0.1:0", nil)
	nc, err := DialUDP(soon(t), "udp", pc.LocalAddr().String(), Params{"eof": "empty"})
	closes(t, nc, err)
	for _, nothing := range [][]byte{nil, {}} {
		_, err := nc.Write(nothing)
		says(t, "an empty write", err, "an empty datagram is the end with eof=empty")
	}
	if _, err := nc.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	n, from, err := ReadFrom(soon(t), pc, buf)
	if err != nil || string(buf[:n]) != "x" {
		t.Fatalf("heard %q first, %v", buf[:n], err)
	}
	if n, err := nc.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: %d, %v", n, err)
	}
	if _, err := pc.WriteTo(nil, from); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Read(buf); err != io.EOF {
		t.Errorf("heard %v, want the end", err)
	}
	if err := nc.(emptyEnd).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := ReadFrom(soon(t), pc, buf); n != 0 || err != nil {
		t.Errorf("the end is %q, %v", buf[:n], err)
	}
}
