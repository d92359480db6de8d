package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"parley"
)

// Limits of a request to a FileServer. A caller that is too slow or too wordy is let go.
const (
	requestWithin = 10 * time.Second // to have said a whole request, from its first byte; on a new conversation from its start
	nextWithin    = time.Minute      // to begin the next request
	maxHeader     = 64 << 10         // bytes; net/http allows 4 KiB more
)

// A FileServer serves the files below one directory to callers that speak HTTP/1.1 (RFC 9112), read-only: GET and HEAD,
// ranges and conditions, an index.html or else a listing for a directory, as [http.FileServer] does it. [Files] makes one.
//
// Names that begin with a dot are not there, neither in listings nor anywhere in a path, and nothing but regular files and
// directories is. Nothing outside the directory can be reached, not by "..", nor by links, nor when something is
// renamed meanwhile (see [os.Root]). Links that stay inside are followed, also to a name that begins with a dot.
//
// A caller has 10 seconds to say a request, of at most 64 KiB before its body, and a minute until the next. One that does not
// read what it asked for is waited for; Server.Idle bounds that.
type FileServer struct {
	// Log hears of what net/http complains about, such as a directory that cannot be read. nil means no log, and nothing is ever
	// written to standard error: that is the program's. Set it before the first conversation.
	Log *slog.Logger

	root    *os.Root
	callers handover
	http    http.Server
	served  chan struct{} // closed when http.Serve has returned
}

// Files opens dir, and returns a server for what is below it, to be closed. It keeps dir even if that is renamed.
func Files(dir string) (*FileServer, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot serve the files of a directory: %w", err)
	}
	f := &FileServer{root: root, callers: newHandover(), served: make(chan struct{})}
	f.http = http.Server{
		Handler:     readOnly(http.FileServer(openTree{root})),
		ReadTimeout: requestWithin, // of headers too; bodies are of no use here
		IdleTimeout: nextWithin, MaxHeaderBytes: maxHeader,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(complaints{f}, "", 0),
		ConnState:                    func(nc net.Conn, s http.ConnState) { nc.(*httpCaller).now(s) },
	}
	go f.serveHTTP()
	return f, nil
}

func (f *FileServer) serveHTTP() {
	defer close(f.served)
	_ = f.http.Serve(f.callers) // the error is that it was closed
}

// Handle holds one conversation, until net/http or the caller ends it. When the Server begins to end, a request that has begun is
// still answered, and a caller that has not begun one is let go at once.
func (f *FileServer) Handle(ctx context.Context, c *parley.Conn) error {
	if c.KeepsEdges() {
		return fmt.Errorf("files are served over streams, not by datagrams: %w", errors.ErrUnsupported)
	}
	caller := &httpCaller{Conn: c, left: make(chan struct{})}
	select {
	case f.callers.next <- caller:
	case <-f.callers.closed:
		return fmt.Errorf("the file server was closed: %w", net.ErrClosed)
	}
	select {
	case <-caller.left:
	case <-ctx.Done():
	case <-f.callers.closed:
	}
	caller.Close()
	<-caller.left
	if caller.ending.Load() {
		return parley.ErrServerEnding
	}
	return nil
}

// Close ends all conversations at once and lets go of the directory.
func (f *FileServer) Close() error {
	f.callers.Close() // http.Server.Close does not know it before Serve has begun
	err := f.http.Close()
	<-f.served
	return errors.Join(err, f.root.Close())
}

// readOnly lets only those requests pass that change nothing (RFC 9110, section 15.5.6).
func readOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD: these files can be read, and nothing else", http.StatusMethodNotAllowed)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// complaints takes what net/http would write to standard error.
type complaints struct{ f *FileServer }

func (c complaints) Write(p []byte) (int, error) {
	if log := c.f.Log; log != nil {
		log.Warn("http", "says", string(p[:max(len(p)-1, 0)])) // without its newline
	}
	return len(p), nil
}

// A handover is the net.Listener by which conversations that have a Handler get to an http.Server.
type handover struct {
	next   chan net.Conn
	closed chan struct{}
	close  *sync.Once
}

func newHandover() handover {
	return handover{next: make(chan net.Conn), closed: make(chan struct{}), close: new(sync.Once)}
}

func (h handover) Accept() (net.Conn, error) {
	select {
	case nc := <-h.next:
		return nc, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h handover) Close() error {
	h.close.Do(func() { close(h.closed) })
	return nil
}

// Addr is nowhere: the addresses are those of the listeners whose conversations these are.
func (h handover) Addr() net.Addr { return handoverAddr{} }

type handoverAddr struct{}

func (handoverAddr) Network() string { return "parley" }
func (handoverAddr) String() string  { return "handover" }

var _ io.ReaderFrom = (*httpCaller)(nil) // of Conn: net/http sends files by it
