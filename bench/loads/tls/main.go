// Tls PORT BEHIND CERTIFICATE up|down CONVERSATIONS MIB is the load for relays
// that end TLS: it calls PORT with TLS, and is the plain server at BEHIND to
// which the relay carries what it decrypts. Each conversation carries MIB,
// from the callers to the server (up) or down to the callers. It prints
// "BYTES SECONDS OWN": the bytes carried, how long that took, and this
// process's processor time meanwhile.
//
// So that the callers are not what is measured, they neither encrypt nor
// decrypt while the clock runs. What goes up is encrypted before, and kept.
// What comes down is not decrypted: the lengths in the record headers (RFC
// 8446, section 5.2) tell how much came. That a relay decrypts and encrypts
// rightly is checked before the clock runs, in a conversation of its own.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// suite is the one that crypto/tls and the peers are held to.
const suite = tls.TLS_AES_128_GCM_SHA256

// block is written again and again; 64 KiB are four records.
var block = bytes.Repeat([]byte("0123456789abcdef"), 4096)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 7 {
		log.Fatal("usage: tls PORT BEHIND CERTIFICATE up|down CONVERSATIONS MIB")
	}
	conversations, err := strconv.Atoi(os.Args[5])
	if err != nil {
		log.Fatal(err)
	}
	mib, err := strconv.Atoi(os.Args[6])
	if err != nil {
		log.Fatal(err)
	}
	l, err := newLoad(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	if err := l.check(); err != nil {
		log.Fatal("check of the relay: ", err)
	}
	prepare := l.prepareUp
	if os.Args[4] == "down" {
		prepare = l.prepareDown
	}
	if err := measure(prepare, conversations, mib<<20); err != nil {
		log.Fatal(err)
	}
}

// measure prepares the conversations, lets all carry at once, and prints what
// that came to.
func measure(prepare func(size int) (carry func() error, err error), conversations, size int) error {
	var all []func() error
	for range conversations {
		carry, err := prepare(size)
		if err != nil {
			return err
		}
		all = append(all, carry)
	}
	failures := make([]error, len(all))
	own, began := processorTime(), time.Now()
	var group sync.WaitGroup
	for i, carry := range all {
		group.Go(func() { failures[i] = carry() })
	}
	group.Wait()
	seconds := time.Since(began).Seconds()
	fmt.Printf("%d %.6f %.6f\n", conversations*size, seconds, (processorTime() - own).Seconds())
	return errors.Join(failures...)
}

func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// A load calls the relay, and is called by it.
type load struct {
	relay  string
	config *tls.Config
	behind net.Listener
}

func newLoad(port, behind, certificate string) (*load, error) {
	pem, err := os.ReadFile(certificate)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", certificate)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", behind))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13}
	return &load{relay: net.JoinHostPort("127.0.0.1", port), config: config, behind: ln}, nil
}

// A conversation is both its ends, with the relay between them.
type conversation struct {
	raw    *recorder // below the caller's TLS
	caller *tls.Conn
	server *net.TCPConn
}

// open makes a conversation, of which the caller has said one byte and the
// server has heard it: a relay may wait for a first byte before it calls.
func (l *load) open() (*conversation, error) {
	raw, err := net.Dial("tcp", l.relay)
	if err != nil {
		return nil, err
	}
	c := &conversation{raw: &recorder{TCPConn: raw.(*net.TCPConn)}}
	c.caller = tls.Client(c.raw, l.config)
	if _, err := c.caller.Write([]byte{'x'}); err != nil {
		return nil, err
	}
	if used := c.caller.ConnectionState().CipherSuite; used != suite {
		return nil, fmt.Errorf("the relay chose %s: only %s can be compared", tls.CipherSuiteName(used), tls.CipherSuiteName(suite))
	}
	server, err := l.behind.Accept()
	if err != nil {
		return nil, err
	}
	c.server = server.(*net.TCPConn)
	_, err = io.ReadFull(c.server, make([]byte, 1))
	return c, err
}

func (c *conversation) close() error { return errors.Join(c.server.Close(), c.raw.Close()) }

// check carries a block both ways and compares.
func (l *load) check() error {
	c, err := l.open()
	if err != nil {
		return err
	}
	for _, way := range []struct {
		from io.Writer
		to   io.Reader
	}{{c.caller, c.server}, {c.server, c.caller}} {
		heard := make([]byte, len(block))
		if _, err := way.from.Write(block); err != nil {
			return err
		}
		if _, err := io.ReadFull(way.to, heard); err != nil {
			return err
		}
		if !bytes.Equal(heard, block) {
			return errors.New("what was heard is not what was said")
		}
	}
	return c.close()
}

// prepareUp encrypts size bytes. The carrying is done when the server behind
// has heard them all, and the caller's end.
func (l *load) prepareUp(size int) (func() error, error) {
	c, err := l.open()
	if err != nil {
		return nil, err
	}
	c.raw.kept = make([]byte, 0, size+size/32) // records add 22 bytes to at least 1,400
	for said := 0; said < size; said += len(block) {
		if _, err := c.caller.Write(block); err != nil {
			return nil, err
		}
	}
	if err := c.caller.CloseWrite(); err != nil {
		return nil, err
	}
	if err := c.raw.SetWriteDeadline(time.Time{}); err != nil { // crypto/tls lets writes fail after its end
		return nil, err
	}
	return func() error {
		failed := make(chan error, 1)
		go func() {
			_, err := c.raw.TCPConn.Write(c.raw.kept)
			failed <- errors.Join(err, c.raw.TCPConn.CloseWrite())
		}()
		heard, err := io.CopyBuffer(writerOnly{io.Discard}, readerOnly{c.server}, make([]byte, 128*1024))
		if err == nil && heard != int64(size) {
			err = fmt.Errorf("%d of %d bytes came up", heard, size)
		}
		return errors.Join(err, <-failed, c.close())
	}, nil
}

// prepareDown's carrying is done when the caller has heard size bytes, of
// which the server has said all.
func (l *load) prepareDown(size int) (func() error, error) {
	c, err := l.open()
	if err != nil {
		return nil, err
	}
	return func() error {
		failed := make(chan error, 1)
		go func() { failed <- say(c.server, size) }()
		return errors.Join(c.raw.hearRecords(size), <-failed, c.close())
	}, nil
}

// say says size bytes and the end.
func say(server *net.TCPConn, size int) error {
	for said := 0; said < size; said += len(block) {
		if _, err := server.Write(block); err != nil {
			return err
		}
	}
	return server.CloseWrite()
}

// readerOnly and writerOnly hide ReadFrom and WriteTo, so that CopyBuffer
// uses its buffer: the bytes shall reach the server, as they do in programs.
type readerOnly struct{ io.Reader }
type writerOnly struct{ io.Writer }

// A recorder is the TCP connection below TLS. It keeps what is written, once
// there is a place for it, instead of sending it.
type recorder struct {
	*net.TCPConn
	kept []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.kept == nil {
		return r.TCPConn.Write(p)
	}
	r.kept = append(r.kept, p...)
	return len(p), nil
}

const (
	recordHeader   = 5      // type, version, length
	recordOverhead = 1 + 16 // the inner type, and the tag of AES-GCM
)

// hearRecords reads until records with size bytes in them have come. The
// server's tickets are counted as if they were data; they are a few hundred.
func (r *recorder) hearRecords(size int) error {
	buf := make([]byte, 256*1024)
	have := 0 // bytes in buf, which begins with a header
	for heard := 0; heard < size; {
		n, err := r.TCPConn.Read(buf[have:])
		if err != nil {
			return fmt.Errorf("%d of %d bytes came down: %w", heard, size, err)
		}
		have += n
		at := 0
		for at+recordHeader <= have {
			length := int(buf[at+3])<<8 | int(buf[at+4])
			if at+recordHeader+length > have {
				break
			}
			heard += length - recordOverhead
			at += recordHeader + length
		}
		have = copy(buf, buf[at:have])
	}
	return nil
}
