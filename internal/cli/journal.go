package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"parley"
)

// A journal is where a serving parley writes what happens: every conversation with --log, else only what went wrong, in
// words for people.
type journal struct {
	*slog.Logger
	out *logOutput // nil without --log

	mu      sync.Mutex
	refusal map[string]*repeated // by service and reason
}

// repeated is a message that many callers could have written for us in a second.
type repeated struct {
	next   time.Time
	hidden int
}

// refusalEvery is how often one reason to refuse callers is told.
const refusalEvery = time.Second

func newJournal(u *ui, format string) (*journal, error) {
	j := &journal{refusal: map[string]*repeated{}}
	if format == "" {
		j.Logger = slog.New(noteHandler{u: u})
		return j, nil
	}
	j.out = &logOutput{w: u.err}
	switch format {
	case "text":
		j.Logger = slog.New(slog.NewTextHandler(j.out, nil))
	case "json":
		j.Logger = slog.New(slog.NewJSONHandler(j.out, nil))
	default:
		return nil, usagef("--log %s: there are text and json", format)
	}
	return j, nil
}

// err tells at the end that the log is incomplete. Callers are served meanwhile.
func (j *journal) err() error {
	if j == nil || j.out == nil {
		return nil
	}
	j.out.mu.Lock()
	defer j.out.mu.Unlock()
	if j.out.lost == 0 {
		return nil
	}
	return &localError{fmt.Sprintf("standard error: %d lines of the log are lost", j.out.lost), j.out.err}
}

// A logOutput counts what could not be written, as on a full disk.
type logOutput struct {
	w io.Writer

	mu   sync.Mutex
	lost int
	err  error
}

func (o *logOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.w.Write(p)
	if err != nil {
		o.lost++
		o.err = cmp.Or(o.err, err)
	}
	return n, err
}

//go:noinline
func (j *journal) opened(service string, c *parley.Conn) {
	if j.out != nil {
		j.Info("opened", "service", service, "caller", addrText(c.RemoteAddr()))
	}
}

func (j *journal) closed(service string, c *parley.Conn, err error) {
	why := howEnded(err)
	if j.out == nil && why == "" {
		return
	}
	args := []any{"service", service, "caller", addrText(c.RemoteAddr())}
	if j.out != nil {
		if s := c.State(); s.Heard+s.Said > 0 { // a process that had the socket itself did not tell us
			args = append(args, "heard", s.Heard, "said", s.Said)
		}
	}
	if why != "" {
		j.Warn("conversation failed", append(args, "err", why)...)
		return
	}
	j.Info("closed", args...)
}

// refused tells that a caller was turned away, and not how each of a flood of them was.
func (j *journal) refused(service string, c *parley.Conn, reason string, err error) {
	key := service + " " + reason
	j.mu.Lock()
	r := j.refusal[key]
	if r == nil {
		r = new(repeated)
		j.refusal[key] = r
	}
	now := time.Now()
	if now.Before(r.next) {
		r.hidden++
		j.mu.Unlock()
		return
	}
	hidden := r.hidden
	r.next, r.hidden = now.Add(refusalEvery), 0
	j.mu.Unlock()
	args := []any{"service", service, "caller", addrText(c.RemoteAddr()), "err", err}
	if hidden > 0 {
		args = append(args, "before", fmt.Sprintf("%d more", hidden))
	}
	j.Warn("refused", args...)
}

// A noteHandler is for people: one line for what went wrong, in the words of the other verbs.
type noteHandler struct {
	u     *ui
	attrs []slog.Attr
}

func (h noteHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

func (h noteHandler) Handle(_ context.Context, r slog.Record) error {
	var where []string
	why := ""
	add := func(a slog.Attr) bool {
		if a.Key == "err" {
			why = ": " + a.Value.String()
		} else {
			where = append(where, a.Key+" "+a.Value.String())
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	text := r.Message
	if len(where) > 0 {
		text += " (" + strings.Join(where, ", ") + ")"
	}
	h.u.note("%s%s", text, why)
	return nil
}

func (h noteHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return noteHandler{h.u, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

func (h noteHandler) WithGroup(string) slog.Handler { return h }

// howEnded tells why a conversation failed; empty if it did not. The caller is named beside it already.
func howEnded(err error) string {
	if err == nil || err == io.EOF || errors.Is(err, parley.ErrServerEnding) {
		return ""
	}
	cause := err
	if named, ok := err.(*parley.Error); ok {
		cause = named.Err
	}
	if next := advice(err); next != "" {
		return cause.Error() + "; " + next
	}
	return cause.Error()
}
