package meter

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley"
)

// Summary tells in a few lines for each service what has happened since the program began. Every line ends with a newline.
func (m *Meter) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "since %s, %v ago\n", m.started.Format(time.DateTime), age(m.started))
	for _, a := range m.accounts() {
		a.summarize(&b)
	}
	return b.String()
}

func (a *account) summarize(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s", a.title(), plural(a.total, "conversation"))
	if a.open > 0 {
		fmt.Fprintf(b, ", %d open", a.open)
	}
	if n := a.refused.sum(); n > 0 {
		fmt.Fprintf(b, "; %s refused: %s", plural(n, "caller"), a.refused)
	}
	fmt.Fprintf(b, "\n  heard %s\n  said %s\n", amount(a.framesHeard, a.bytesHeard), amount(a.framesSaid, a.bytesSaid))
	if n := a.errors.sum(); n > 0 {
		fmt.Fprintf(b, "  %s: %s\n", plural(n, "error"), a.errors)
	}
	if a.acceptFailures > 0 {
		fmt.Fprintf(b, "  callers could not be accepted %s\n", plural(a.acceptFailures, "time"))
	}
	if a.lostPackets > 0 {
		fmt.Fprintf(b, "  %s thrown away\n", plural(a.lostPackets, "datagram"))
	}
	if a.replies.count > 0 {
		fmt.Fprintf(b, "  %s: half of them %s, 99 of 100 %s\n", plural(a.replies.count, "reply"), a.replies.words(0.5), a.replies.words(0.99))
	}
}

// title is the service and where it is.
func (a *account) title() string {
	if len(a.addresses) == 0 {
		return printable(a.service)
	}
	return printable(a.service + " on " + strings.Join(a.addresses, ", "))
}

// String names the counts, the largest first.
func (t tally) String() string {
	names := slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b))
	})
	var words []string
	for _, name := range names {
		words = append(words, fmt.Sprintf("%d %s", t[name], printable(name)))
	}
	return strings.Join(words, ", ")
}

func (d *durations) words(share float64) string {
	if bound, ok := d.within(share); ok {
		return "within " + bound.String()
	}
	return "in more than " + bounds[len(bounds)-1].String()
}

// longest is how many conversations Status names.
const longest = 10

// Status tells what the program is doing now: its process, one line for each service, and the conversations that have waited
// longest. It asks the kernel about every open conversation, which takes a millisecond for some hundred of them.
func (m *Meter) Status() string {
	var b strings.Builder
	fmt.Fprintf(&b, "process %d, up %v\n", os.Getpid(), age(m.started))
	for _, a := range m.accounts() {
		fmt.Fprintf(&b, "%s: %d open of %s\n", a.title(), a.open, plural(a.total, "conversation"))
	}
	waiting := m.waiting()
	if len(waiting) > 0 {
		b.WriteString("waiting longest:\n")
	}
	for _, w := range waiting[:min(len(waiting), longest)] {
		fmt.Fprintf(&b, "  %s with %s: %s for %v; open for %v; %s\n",
			printable(w.service), printable(caller(w.conn)), w.doing(), age(w.since), age(w.open), w.state)
	}
	if more := len(waiting) - longest; more > 0 {
		fmt.Fprintf(&b, "  and %d more\n", more)
	}
	return b.String()
}

// A wait is a conversation in which a call waits.
type wait struct {
	service     string
	conn        *parley.Conn
	state       parley.State
	since, open time.Time
}

// waiting returns the conversations that wait, the longest wait first.
func (m *Meter) waiting() (all []wait) {
	for _, s := range m.sorted() {
		for t := range s.held() {
			state := t.conn.State()
			if since := waitingSince(state); !since.IsZero() {
				all = append(all, wait{s.name, t.conn, state, since, t.since})
			}
		}
	}
	slices.SortFunc(all, func(a, b wait) int { return cmp.Or(a.since.Compare(b.since), a.open.Compare(b.open)) })
	return all
}

// waitingSince prefers saying: whoever cannot say waits for more than whoever has nothing to hear.
func waitingSince(s parley.State) time.Time {
	if !s.Saying.IsZero() {
		return s.Saying
	}
	return s.Hearing
}

func (w *wait) doing() string {
	if !w.state.Saying.IsZero() {
		return "waits to be heard"
	}
	return "waits to hear"
}

// caller names the other end. On a Unix socket it mostly has no name.
func caller(c *parley.Conn) string {
	if c.RemoteHost() == "" {
		return "a caller on " + c.LocalAddr().String()
	}
	return c.RemoteAddr().String()
}

// printable keeps control characters, which may be in the name of a Unix socket, from the terminal.
func printable(s string) string {
	quoted := strconv.Quote(s)
	if inside := quoted[1 : len(quoted)-1]; strings.Contains(inside, `\`) {
		return quoted
	}
	return s
}

func amount(frames, bytes int64) string {
	if frames == 0 {
		return plural(bytes, "byte")
	}
	return plural(frames, "frame") + ", " + plural(bytes, "byte")
}

func plural(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		noun = strings.TrimSuffix(noun, "y") + "ie"
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

// age is how long ago at was, in steps that a person cares for.
func age(at time.Time) time.Duration {
	d := time.Since(at)
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}
