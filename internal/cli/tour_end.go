package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
)

// The ends of the tour for which there is no verb yet. Each is a few lines of the library; what is around them only
// listens, and writes the transcript.

// daytime speaks first: the time (RFC 867). As its format is the close, that says the end too.
func daytime(ctx context.Context, c *parley.Conn) error {
	return c.Send(ctx, time.Now().UTC().AppendFormat(nil, "Monday, January 2, 2006 15:04:05-UTC\r\n"))
}

// page replies to an HTTP/1.0 GET (RFC 1945).
func page(ctx context.Context, c *parley.Conn) error {
	request, err := c.Receive(ctx)
	if err != nil {
		return err
	}
	words := bytes.Fields(request)
	if len(words) < 2 || string(words[0]) != "GET" {
		return c.Send(ctx, []byte("HTTP/1.0 400 Bad Request\r\n\r\n"))
	}
	return c.Send(ctx, fmt.Appendf(nil, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nThis is %s.\n", words[1]))
}

// request replies to lines with how many they are.
func request(ctx context.Context, c *parley.Conn) error {
	text, err := c.Receive(ctx)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	return c.Send(ctx, fmt.Appendf(nil, "I heard %s.\nThe last is %q.\n", counted(len(lines), "line"), lines[len(lines)-1]))
}

// loop answers the messages of many sockets, one at a time.
func (e *tourEnd) loop(ctx context.Context, addresses []string) error {
	sources, err := e.listenAll(ctx, addresses)
	if err != nil {
		return err
	}
	n := 0
	for f, err := range parley.Merge(ctx, sources...) {
		if err != nil {
			e.rec.ended(f.Conn, f.Data, err)
			return err
		}
		n++
		if err := f.Reply(ctx, fmt.Appendf(nil, "you are number %d", n)); err != nil {
			return err
		}
		if n == e.count {
			e.stopListening() // callers who are there may still speak
		}
	}
	return context.Cause(ctx)
}

// datagrams answers each datagram.
func (e *tourEnd) datagrams(ctx context.Context, addresses []string) error {
	pc, err := e.cfg.ListenPacket(ctx, addresses[0])
	if err != nil {
		return err
	}
	defer pc.Close()
	if err := e.ready(pc.Address()); err != nil {
		return err
	}
	n := 0
	for f, err := range pc.Frames(ctx) {
		if err != nil {
			return err
		}
		n++
		if err := f.Reply(ctx, fmt.Appendf(nil, "datagram %d had %d bytes", n, len(f.Data))); err != nil {
			return err
		}
		if n == e.count {
			break
		}
	}
	return context.Cause(ctx)
}

// withEach is the play that holds a conversation by h with each caller.
func withEach(h parley.Handler) func(*tourEnd, context.Context, []string) error {
	return func(e *tourEnd, ctx context.Context, addresses []string) error {
		ln, err := e.cfg.Listen(ctx, addresses[0])
		if err != nil {
			return err
		}
		defer ln.Close()
		if err := e.ready(ln.Address()); err != nil {
			return err
		}
		return e.takeCallers(ctx, ln, h)
	}
}

// takeCallers returns the first error of a conversation, when all have ended.
func (e *tourEnd) takeCallers(ctx context.Context, ln *parley.Listener, h parley.Handler) error {
	var talks sync.WaitGroup
	var once sync.Once
	var first error
	n := 0
	for c, err := range ln.Conns(ctx) {
		if err != nil {
			return err
		}
		talks.Go(func() {
			if err := e.talk(ctx, c, h); err != nil {
				once.Do(func() { first = err })
			}
		})
		if n++; n == e.count {
			ln.Close()
		}
	}
	talks.Wait()
	return cmp.Or(first, context.Cause(ctx))
}

// talk holds one conversation by h, and then hears its caller to the end: whoever closes earlier may cut off what he
// has said himself.
func (e *tourEnd) talk(ctx context.Context, c *parley.Conn, h parley.Handler) error {
	defer c.Close()
	err := h(ctx, c)
	for err == nil {
		_, err = c.Receive(ctx)
	}
	if err == io.EOF {
		err = nil
	}
	err = because(ctx, err)
	e.rec.ended(c, nil, err)
	if err == nil || exitCode(err) == exitInterrupted {
		return err
	}
	e.u.note("%v", err)
	return toldError{err}
}

// tourRoles are what tour-end can play, with how messages end there.
var tourRoles = []tourRole{
	{"daytime", "line", "until close", withEach(daytime)},
	{"page", "crlf blank line", "until close", withEach(page)},
	{"request", `end "END REQUEST"`, "until close", withEach(request)},
	{"loop", "line", "line", (*tourEnd).loop},
	{"datagrams", "line", "line", (*tourEnd).datagrams},
}

type tourRole struct {
	name, hear, say string
	play            func(*tourEnd, context.Context, []string) error
}

// A tourEnd is the verb tour-end.
type tourEnd struct {
	flags
	u         *ui
	count     int
	readyFile string
	cfg       *parley.Config
	rec       *recorder   // nil without --json
	open      []io.Closer // what loop listens on
}

func tourEndCommand(u *ui) *cobra.Command {
	e := &tourEnd{u: u}
	cmd := &cobra.Command{
		Use:    "tour-end NAME ADDRESS...",
		Hidden: true,
		Short:  "play the server of a conversation of the tour",
		Long: `Plays the server of one of the conversations of parley tour on ADDRESS. NAME is daytime, page, request, loop or
datagrams; loop takes several addresses. It ends with Ctrl-C.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("a name and an address are needed; for example: parley tour-end daytime 7013")
			}
			return e.run(cmd.Context(), args[0], args[1:])
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&e.json, "json", false, "write what is said and heard as JSON lines")
	fl.IntVarP(&e.count, "count", "n", 0, "take so many callers (messages, for loop and datagrams) and leave with the last")
	fl.DurationVar(&e.maxTime, "max-time", 0, "give up after so long in all")
	fl.StringVar(&e.readyFile, "ready-file", "", "write the addresses to this file when callers can come")
	return cmd
}

func (e *tourEnd) run(ctx context.Context, name string, addresses []string) error {
	for _, role := range tourRoles {
		if role.name != name {
			continue
		}
		ctx, cancel := e.limited(ctx)
		defer cancel(nil)
		say, hear := frame.MustParse(role.say), frame.MustParse(role.hear)
		e.cfg = e.config(say, hear, nil)
		if e.json {
			e.rec = newRecorder(cancel, e.u.out, "tour-end", addresses, false, say, hear)
			e.cfg.Observe = e.rec.observe
		}
		defer e.stopListening()
		return cmp.Or(because(ctx, role.play(e, ctx, addresses)), e.rec.err())
	}
	return usagef("the tour has no end %q", name)
}

// listenAll listens on each address, and then says where.
func (e *tourEnd) listenAll(ctx context.Context, addresses []string) (sources []parley.Source, err error) {
	var where []string
	for _, address := range addresses {
		if strings.HasPrefix(address, "udp:") {
			pc, err := e.cfg.ListenPacket(ctx, address)
			if err != nil {
				return nil, err
			}
			e.open, sources, where = append(e.open, pc), append(sources, pc), append(where, pc.Address())
			continue
		}
		ln, err := e.cfg.Listen(ctx, address)
		if err != nil {
			return nil, err
		}
		e.open, sources, where = append(e.open, ln), append(sources, ln), append(where, ln.Address())
	}
	return sources, e.ready(where...)
}

func (e *tourEnd) stopListening() {
	for _, c := range e.open {
		c.Close()
	}
}

// ready says where callers can come.
func (e *tourEnd) ready(addresses ...string) error {
	where := strings.Join(addresses, " ")
	e.u.note("listening on %s", where)
	if e.readyFile == "" {
		return nil
	}
	return writeReadyFile(e.readyFile, where+"\n")
}
