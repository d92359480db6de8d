package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/internal/escape"
)

// A journal is where a serving parley writes what happens: every conversation with --log, else only what went wrong, in
// words for people.
type journal struct {
	*slog.Logger
	logs  bool
	out   *logQueue
	notes *notes // without --log
}

func newJournal(u *ui, format string) (*journal, error) {
	j := &journal{logs: true, out: newLogQueue(logTarget(u))}
	switch format {
	case "":
		j.logs = false
		j.notes = &notes{u: u, out: j.out, last: map[string]*repeated{}}
		j.Logger = slog.New(noteHandler{notes: j.notes})
	case "text":
		j.Logger = slog.New(slog.NewTextHandler(j.out, nil))
	case "json":
		j.Logger = slog.New(slog.NewJSONHandler(j.out, nil))
	default:
		return nil, usagef("--log %s: there are text and json", format)
	}
	return j, nil
}

// logTarget is where log lines go. On a terminal they take turns with other notes; elsewhere they must not hold these up.
func logTarget(u *ui) io.Writer {
	if u.errTerm {
		return u
	}
	return u.err
}

// end writes what is left, and tells how many notes were not told, of those that nothing like them has followed.
func (j *journal) end() {
	j.out.close()
	if j.notes == nil {
		return
	}
	j.notes.mu.Lock()
	defer j.notes.mu.Unlock()
	for _, like := range slices.Sorted(maps.Keys(j.notes.last)) {
		if n := j.notes.last[like].hidden; n > 0 {
			j.notes.u.note("not told: %d more of%s", n, like)
		}
	}
}

// err tells at the end that the log is incomplete. Callers are served meanwhile.
func (j *journal) err() error {
	lost, why := j.out.missing()
	if lost == 0 {
		return nil
	}
	return &localError{fmt.Sprintf("standard error: %d lines of the log are lost", lost), why}
}

// observe logs when conversations begin and end; how those went that failed is for the Server to log.
func (j *journal) observe(service string) func(parley.Event) {
	log := j.With("service", service)
	return func(e parley.Event) {
		switch e.Kind {
		case parley.Opened:
			log.Info("opened", "caller", addrText(e.Addr))
		case parley.Closed:
			said, heard := e.Conn.Bytes()
			log.Info("closed", "caller", addrText(e.Addr), "heard", heard, "said", said)
		case parley.Dropped:
			log.Warn("datagram dropped", "caller", addrText(e.Addr), "err", e.Err)
		}
	}
}

// A noteHandler is for people: one line for what went wrong, in the words of the other verbs. What many callers bring about
// in a second is told some times, and then how often it was not.
type noteHandler struct {
	*notes
	where string // attributes given before
}

type notes struct {
	u    *ui
	out  *logQueue
	mu   sync.Mutex
	last map[string]*repeated // by message, service and what is between
}

// repeated is a kind of note that has been told.
type repeated struct {
	since        time.Time // the second that counts
	told, hidden int
}

// noteBurst is how many notes of one kind are told in a second.
const noteBurst = 20

func (h noteHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

func (h noteHandler) Handle(_ context.Context, r slog.Record) error {
	hidden, tell := h.tells(r)
	if !tell {
		return nil
	}
	where, why := h.where, ""
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			why = ": " + reasonOf(err)
		} else {
			where = listed(where, a)
		}
		return true
	})
	if hidden > 0 {
		where = listed(where, slog.Int("not told", hidden))
	}
	if where != "" {
		where = " (" + where + ")"
	}
	_, _ = fmt.Fprintln(h.out, "parley: "+escape.Line(r.Message+where+why))
	return nil
}

// tells reports whether r is to be told, and how many like it were not.
func (h noteHandler) tells(r slog.Record) (hidden int, tell bool) {
	key := " " + r.Message
	if h.where != "" {
		key += " (" + h.where + ")"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	last := h.last[key]
	if last == nil {
		last = new(repeated)
		h.last[key] = last
	}
	if r.Time.Sub(last.since) >= time.Second {
		hidden = last.hidden
		*last = repeated{since: r.Time}
	}
	if last.told == noteBurst {
		last.hidden++
		return 0, false
	}
	last.told++
	return hidden, true
}

func (h noteHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.where = listed(h.where, a)
	}
	return h
}

func (h noteHandler) WithGroup(string) slog.Handler { return h }

func listed(list string, a slog.Attr) string {
	if list != "" {
		list += ", "
	}
	return list + a.Key + " " + strings.TrimSpace(a.Value.String())
}

// reasonOf is err without the addresses that stand beside it already, and with what can be done about it.
func reasonOf(err error) string {
	cause := err
	if named, ok := cause.(*parley.Error); ok {
		cause = named.Err
	}
	if below := (*net.OpError)(nil); errors.As(cause, &below) && cause == error(below) {
		cause = below.Err
	}
	if next := advice(err); next != "" {
		return cause.Error() + "; " + next
	}
	return cause.Error()
}
