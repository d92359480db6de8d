package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/frame"
	"parley/parleytest"
	"parley/service"
)

// A party is a Chat on a network in memory, in a bubble of virtual time.
type party struct {
	*testing.T
	chat   *service.Chat
	cfg    *parley.Config
	seen   []string
	lines  []service.ChatLine
	stop   context.CancelFunc
	served chan error
	log    bytes.Buffer // to be read when the server has ended
}

// onParty runs f in a bubble where ch serves. The server is ended after f, if f has not.
func onParty(t *testing.T, ch *service.Chat, cfg parley.Config, f func(p *party)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cfg.Schemes == nil {
			cfg.Schemes = []parley.Scheme{new(parleytest.Network).Scheme()}
		}
		p := &party{T: t, chat: ch, cfg: &cfg, served: make(chan error, 1)}
		ch.Seen = func(l service.ChatLine) {
			p.lines = append(p.lines, l)
			p.seen = append(p.seen, l.String())
		}
		ln, err := p.cfg.Listen(t.Context(), "mem:chat")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		p.stop = stop
		s := parley.Server{Handler: ch.Handle, Log: slog.New(slog.NewTextHandler(&p.log, nil))}
		go func() { p.served <- s.Serve(ctx, ln) }()
		defer func() {
			stop()
			if err := <-p.served; err != nil {
				t.Errorf("Serve: %v", err)
			}
		}()
		f(p)
	})
}

// come is a new caller, who has heard his greeting.
func (p *party) come() *parley.Conn {
	p.Helper()
	c := p.dial()
	for range 2 {
		if text := p.next(c); !strings.HasPrefix(text, "* ") {
			p.Fatalf("the greeting is %q", text)
		}
	}
	return c
}

func (p *party) dial() *parley.Conn {
	p.Helper()
	cfg := *p.cfg
	cfg.MaxFrame = 0
	c, err := cfg.Dial(p.Context(), "mem:chat")
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { c.Close() })
	return c
}

func (p *party) next(c *parley.Conn) string {
	p.Helper()
	text, err := c.Receive(p.Context())
	if err != nil {
		p.Fatalf("waiting for a line: %v", err)
	}
	return string(text)
}

// hears fails unless c hears these lines, and no others for now. A want that ends in "…" is a beginning.
func (p *party) hears(c *parley.Conn, want ...string) {
	p.Helper()
	got := p.heard(c)
	same := slices.EqualFunc(got, want, func(g, w string) bool {
		begin, open := strings.CutSuffix(w, "…")
		return g == w || open && strings.HasPrefix(g, begin)
	})
	if !same {
		p.Errorf("heard\n\t%q, want\n\t%q", got, want)
	}
}

// heard returns what c hears until nothing more comes.
func (p *party) heard(c *parley.Conn) (lines []string) {
	p.Helper()
	synctest.Wait()
	ctx, cancel := context.WithTimeout(p.Context(), time.Microsecond)
	defer cancel()
	for {
		text, err := c.Receive(ctx)
		if err == io.EOF {
			return append(lines, "EOF")
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return lines
		}
		if err != nil {
			p.Fatalf("waiting for lines: %v", err)
		}
		lines = append(lines, string(text))
	}
}

func (p *party) say(c *parley.Conn, lines ...string) {
	p.Helper()
	for _, text := range lines {
		p.write(c, text+"\n")
	}
}

func (p *party) write(c *parley.Conn, text string) {
	p.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		p.Fatal(err)
	}
	synctest.Wait()
}

func TestChatGreets(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
		a := p.dial()
		p.hears(a, "* you are [1 guest1] in room lobby, with 0 others",
			`* commands: /name NAME, /who, /join ROOM, /help, /quit; //text says "/text"`)
		b := p.dial()
		p.hears(b, "* you are [2 guest2] in room lobby, with 1 other", "* commands: …")
		p.hears(a, "* 2 guest2 came")
	})
}

func TestChatCommands(t *testing.T) {
	help := `commands: /name NAME, /who, /join ROOM, /help, /quit; //text says "/text"`
	tests := []struct {
		say   string
		self  []string // what the sayer hears
		other []string
	}{
		{"hello", nil, []string{"[1 guest1] hello"}},
		{"", nil, nil},
		{" ", nil, []string{"[1 guest1]  "}},
		{"//who", nil, []string{"[1 guest1] /who"}},
		{"/help", []string{"* " + help}, nil},
		{"/name ann", []string{"* 1 guest1 is now ann"}, []string{"* 1 guest1 is now ann"}},
		{"/NAME  ann ", []string{"* 1 guest1 is now ann"}, []string{"* 1 guest1 is now ann"}},
		{"/name guest1", []string{"* 1 guest1 is now guest1"}, []string{"* 1 guest1 is now guest1"}},
		{"/name", []string{`* you are still [1 guest1]: the name "" is empty`}, nil},
		{"/name a b", []string{`* you are still [1 guest1]: the name "a b" contains a space; letters, digits, - and _ are allowed`}, nil},
		{"/name guest2", []string{`* you are still [1 guest1]: the name "guest2" is a guest's; only the server gives such names`}, nil},
		{"/name x\x1b[2J", []string{`* you are still [1 guest1]: the name "x\x1b[2J" contains \x1b; letters, digits, - and _ are allowed`}, nil},
		{"/name \u202eann", []string{`* you are still [1 guest1]: the name "\u202eann" contains \u202e; letters, digits, - and _ are allowed`}, nil},
		{"/name x\xff", []string{`* you are still [1 guest1]: the name "x\xff" contains \xff; letters, digits, - and _ are allowed`}, nil},
		{"/name SERVER", []string{`* you are still [1 guest1]: the name "SERVER" is reserved`}, nil},
		{"/who", []string{"* in lobby: 1 guest1, 2 guest2", "* rooms: lobby (2)"}, nil},
		{"/join go", []string{"* you are now in go, with 0 others"}, []string{"* 1 guest1 went to go"}},
		{"/join Lobby", []string{"* you are in lobby"}, nil},
		{"/join ]", []string{`* you are still in lobby: the room "]" contains ]; letters, digits, - and _ are allowed`}, nil},
		{"/nmae ann", []string{`* unknown command "/nmae", did you mean /name? ` + help}, nil},
		{"/w", []string{`* unknown command "/w", did you mean /who? ` + help}, nil},
		{"/shutdown\x07 now", []string{`* unknown command "/shutdown\x07" ` + help}, nil},
		{"/", []string{`* unknown command "/" ` + help}, nil},
		{"/" + strings.Repeat("é", 50), []string{`* unknown command "/` + strings.Repeat("é", 39) + `…" ` + help}, nil},
		{"/quit", []string{"* goodbye", "EOF"}, []string{"* 1 guest1 left: quit"}},
	}
	for _, tt := range tests {
		t.Run(tt.say, func(t *testing.T) {
			onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
				a, b := p.come(), p.come()
				p.hears(a, "* 2 guest2 came")
				p.say(a, tt.say)
				p.hears(a, tt.self...)
				p.hears(b, tt.other...)
			})
		})
	}
}

// Whatever a caller says, the others hear one line that is his.
func TestChatCannotBeForged(t *testing.T) {
	tests := []struct{ name, say, want string }{
		{"a line end within", "hello\n[2 guest2] I am not guest2\n", "[1 guest1] hello|[1 guest1] [2 guest2] I am not guest2"},
		{"CR", "hello\r[2 guest2] no\n", `[1 guest1] hello\x0d[2 guest2] no`},
		{"CRLF", "hello\r\nyou\r\n", "[1 guest1] hello|[1 guest1] you"},
		{"many CR", "hello\r\r\n", `[1 guest1] hello\x0d`},
		{"notice", "* 2 guest2 left\n", "[1 guest1] * 2 guest2 left"},
		{"other line ends", "a\vb\fc\u0085d\u2028e\u2029f\n", `[1 guest1] a\x0bb\x0cc\u0085d\u2028e\u2029f`},
		{"backwards", "\u202e]1 tseug 2[ olleh\n", `[1 guest1] \u202e]1 tseug 2[ olleh`},
		{"erase the head", "\b\b\b\b\x1b[2K\x1b[G[2 guest2] hi\n", `[1 guest1] \x08\x08\x08\x08\x1b[2K\x1b[G[2 guest2] hi`},
		{"C1 control", "\u009b2J\x9b2J\n", `[1 guest1] \u009b2J\x9b2J`},
		{"title and answerback", "\x1b]0;x\x07\x05\x1b[c\n", `[1 guest1] \x1b]0;x\x07\x05\x1b[c`},
		{"NUL", "a\x00b\n", `[1 guest1] a\x00b`},
		{"invisible", "a\u200b\u200d\ufeff\U000e0041b\n", `[1 guest1] a\u200b\u200d\ufeff\ue0041b`},
		{"no UTF-8", "a\xff\xc3(\xe2\x82\n", `[1 guest1] a\xff\xc3(\xe2\x82`},
		{"text as it is", "\tz\u0301 Grüße, 世界 🙂 \ufffd\n", "[1 guest1] \tz\u0301 Grüße, 世界 🙂 \ufffd"},
		{"escaped slash", "//quit\n", "[1 guest1] /quit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
				a, b := p.come(), p.come()
				p.write(a, tt.say)
				p.hears(b, strings.Split(tt.want, "|")...)
			})
		})
	}
}

// A frame that may hold a line end, as those with a length may, is one line all the same.
func TestChatFramesWithLineEnds(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{Frame: frame.NUL()}, func(p *party) {
		a, b := p.come(), p.come()
		p.write(a, "hello\n[2 guest2] no\n* bye\x00")
		p.hears(b, `[1 guest1] hello\x0a[2 guest2] no\x0a* bye`)
	})
}

// The job that ncat's chat gets wrong: the server sees nothing, its numbers are used again, a caller can speak as another,
// and a line said in two writes becomes two.
func TestChatJobOfNcat(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
		ann, bob := p.come(), p.come()
		p.write(bob, "spl")
		p.say(ann, "hello", "<user2> I am not user2", "[2 guest2] nor this")
		p.write(bob, "it line\n")
		p.hears(ann, "* 2 guest2 came", "[2 guest2] split line")
		p.hears(bob, "[1 guest1] hello", "[1 guest1] <user2> I am not user2", "[1 guest1] [2 guest2] nor this")
		bob.Close()
		synctest.Wait()
		p.come()
		p.hears(ann, "* 2 guest2 left: end of input", "* 3 guest3 came")
		want := []string{
			"[lobby] * 1 guest1 came", "[lobby] * 2 guest2 came",
			"[lobby] [1 guest1] hello", "[lobby] [1 guest1] <user2> I am not user2", "[lobby] [1 guest1] [2 guest2] nor this",
			"[lobby] [2 guest2] split line", "[lobby] * 2 guest2 left: end of input", "[lobby] * 3 guest3 came",
		}
		if !slices.Equal(p.seen, want) {
			t.Errorf("the server saw\n\t%q, want\n\t%q", p.seen, want)
		}
	})
}

func TestChatNamesAreTheirs(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
		ann, bob := p.come(), p.come()
		p.say(ann, "/name bill")
		p.heard(ann)
		p.heard(bob)
		for _, name := range []string{"bill", "BILL", "bi11", "b1ll", "bIlI"} {
			p.say(bob, "/name "+name)
			p.hears(bob, fmt.Sprintf(`* you are still [2 guest2]: the name %q is taken, or looks like that of [1 bill]`, name))
		}
		p.say(ann, "/name Bill") // her own, in other case
		p.hears(ann, "* 1 bill is now Bill")
		p.hears(bob, "* 1 bill is now Bill")
		p.say(ann, "/quit")
		p.hears(bob, "* 1 Bill left: quit")
		p.say(bob, "/name bill")
		p.hears(bob, "* 2 guest2 is now bill")
		carl := p.come()
		p.say(bob, "I am bill, but not 1")
		p.hears(carl, "[2 bill] I am bill, but not 1")
		if l := p.lines[len(p.lines)-1]; l.ID != 2 || l.Name != "bill" || l.Room != "lobby" || l.Notice ||
			l.Text != "I am bill, but not 1" || l.From.Network() != "mem" || l.Time.IsZero() {
			t.Errorf("the server saw %+v", l)
		}
	})
}

func TestChatRooms(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
		ann, bob, carl := p.come(), p.come(), p.come()
		p.heard(ann)
		p.heard(bob)
		p.say(ann, "/join Go")
		p.say(bob, "/join gO", "to go")
		p.say(carl, "to lobby", "/who")
		p.hears(ann, "* you are now in Go, with 0 others", "* 2 guest2 came from lobby", "[2 guest2] to go")
		p.hears(bob, "* 1 guest1 went to Go", "* you are now in Go, with 1 other")
		p.hears(carl, "* 1 guest1 went to Go", "* 2 guest2 went to Go", "* in lobby: 3 guest3", "* rooms: Go (2), lobby (1)")
		p.say(bob, "/join lobby", "/name bob")
		p.hears(carl, "* 2 guest2 came from Go", "* 2 guest2 is now bob")
		ann.CloseWrite()
		synctest.Wait()
		p.say(carl, "/who") // an empty room is gone
		p.hears(carl, "* in lobby: 3 guest3, 2 bob", "* rooms: lobby (2)")
		if want := "[Go] * 1 guest1 left: end of input"; p.seen[len(p.seen)-1] != want {
			t.Errorf("the server saw %q last, want %q", p.seen[len(p.seen)-1], want)
		}
	})
}

func TestChatLongLines(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{MaxFrame: 5000}, func(p *party) {
		ann, bob := p.come(), p.come()
		p.heard(ann)
		longest := strings.Repeat("x", 4096)
		p.say(ann, longest, longest+"x", strings.Repeat("\xff", 4096))
		p.hears(ann, "* your line was not delivered: it has 4097 bytes, 4096 are allowed")
		p.hears(bob, "[1 guest1] "+longest, "[1 guest1] "+strings.Repeat(`\xff`, 4096))
		p.write(ann, strings.Repeat("x", 10*5000))
		p.hears(ann, "* goodbye: a line is longer than the limit of 5000 bytes", "EOF")
		p.hears(bob, "* 1 guest1 left: a line is longer than the limit of 5000 bytes")
	})
}

func TestChatMalformed(t *testing.T) {
	netstring, err := frame.Parse("netstring")
	if err != nil {
		t.Fatal(err)
	}
	onParty(t, new(service.Chat), parley.Config{Frame: netstring}, func(p *party) {
		ann, bob := p.come(), p.come()
		p.heard(ann)
		p.write(ann, "2:hi,2;hi,")
		p.hears(ann, "* goodbye: malformed frame, the format is netstring", "EOF")
		p.hears(bob, "[1 guest1] hi", "* 1 guest1 left: malformed frame, the format is netstring")
	})
}

// Formats that cannot carry a line lose it for their own callers only.
func TestChatFormatThatCannot(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
		until, err := frame.Parse(`until "END"`)
		if err != nil {
			t.Fatal(err)
		}
		other := *p.cfg
		other.Frame = until
		ln, err := other.Listen(p.Context(), "mem:other")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(p.Context())
		done := make(chan error, 1)
		go func() { done <- (&parley.Server{Handler: p.chat.Handle}).Serve(ctx, ln) }()
		bob, err := other.Dial(p.Context(), "mem:other")
		if err != nil {
			t.Fatal(err)
		}
		defer bob.Close()
		p.heard(bob)
		ann := p.come()
		p.say(ann, "one", "the END of two", "three")
		p.hears(bob, "* 2 guest2 came", "[2 guest2] one", "[2 guest2] three")
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestChatLeaving(t *testing.T) {
	tests := []struct {
		name  string
		leave func(p *party, c *parley.Conn)
		self  []string
		other []string
		log   string // what it must contain; nothing must be there if empty
	}{
		{"end of input", func(p *party, c *parley.Conn) { c.CloseWrite() }, []string{"EOF"}, []string{"* 1 guest1 left: end of input"}, ""},
		{"line, then the end at once", func(p *party, c *parley.Conn) { c.Write([]byte("hi\n")); c.CloseWrite() },
			[]string{"EOF"}, []string{"[1 guest1] hi", "* 1 guest1 left: end of input"}, ""},
		{"question, then the end at once", func(p *party, c *parley.Conn) { c.Write([]byte("/who\n")); c.CloseWrite() },
			[]string{"* in lobby: 1 guest1, 2 guest2", "* rooms: lobby (2)", "EOF"}, []string{"* 1 guest1 left: end of input"}, ""},
		{"quit, and more", func(p *party, c *parley.Conn) { c.Write([]byte("/quit\nmore\n")) },
			[]string{"* goodbye", "EOF"}, []string{"* 1 guest1 left: quit"}, ""},
		{"half a line", func(p *party, c *parley.Conn) { c.Write([]byte("hi")); c.CloseWrite() },
			[]string{"* your last line was not delivered: it has no end", "EOF"}, []string{"* 1 guest1 left: stopped in the middle of a line"}, "stopped after 2 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log string
			onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
				a, b := p.come(), p.come()
				p.heard(a)
				tt.leave(p, a)
				p.hears(a, tt.self...)
				p.hears(b, tt.other...)
				p.stop()
				if err := <-p.served; err != nil {
					t.Error(err)
				}
				p.served <- nil
				log = p.log.String()
			})
			if !strings.Contains(log, tt.log) || tt.log == "" && log != "" {
				t.Errorf("the log is %q, want %q", log, tt.log)
			}
		})
	}
}

func TestChatReset(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
		a := p.dial()
		synctest.Wait()
		b := p.come() // a has not heard his greeting: his close is a reset
		synctest.Wait()
		p.write(a, "last words\n")
		a.Close()
		p.hears(b, "[1 guest1] last words", "* 1 guest1 left: connection reset")
	})
}

func TestChatServerEnds(t *testing.T) {
	onParty(t, new(service.Chat), parley.Config{}, func(p *party) {
		a, b := p.come(), p.come()
		p.heard(a)
		for i := range 200 { // less than the queue; the network holds them all
			fmt.Fprintf(a, "line %d\n", i)
		}
		synctest.Wait()
		p.stop()
		p.hears(a, "* the server is ending", "EOF")
		got := p.heard(b)
		if len(got) != 202 || got[199] != "[1 guest1] line 199" || got[200] != "* the server is ending" || got[201] != "EOF" {
			t.Errorf("heard %d lines, the last %q", len(got), got[max(0, len(got)-3):])
		}
		if err := <-p.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		p.served <- nil
		if log := p.log.String(); log != "" {
			t.Errorf("the log is %q", log)
		}
	})
}
