package service_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/service"
)

// startChat serves ch on TCP and returns the address. The server has ended, in order, when the test has.
func startChat(t testing.TB, ch *service.Chat) string {
	t.Helper()
	ln, err := parley.Listen(t.Context(), "tcp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- (&parley.Server{Handler: ch.Handle}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Address()
}

// enter calls a chat and reads the greeting.
func enter(t testing.TB, address string) *parley.Conn {
	t.Helper()
	c, err := parley.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Others stall, reset, flood, forge and leave at random: who behaves hears every line of the others who do, whole and in the
// order in which the server saw them.
func TestChatAmongTroublemakers(t *testing.T) {
	const callers, each, troublemakers = 8, 200, 6
	var mu sync.Mutex
	var order []string // of the lines of those who behave, as the server saw them
	ch := &service.Chat{Seen: func(l service.ChatLine) {
		mu.Lock()
		defer mu.Unlock()
		if !l.Notice && strings.HasPrefix(l.Text, "say ") && l.ID <= callers {
			order = append(order, strings.TrimPrefix(l.String(), "[lobby] "))
		}
	}}
	address := startChat(t, ch)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var conns []*parley.Conn
	for range callers {
		c := enter(t, address)
		defer c.Close()
		conns = append(conns, c)
	}
	heard := make([][]string, callers)
	var work, trouble sync.WaitGroup
	for i, c := range conns {
		work.Go(func() { heard[i] = hearCalm(ctx, t, c, (callers-1)*each) })
		work.Go(func() {
			for n := range each {
				if err := c.Send(ctx, fmt.Appendf(nil, "say %d", n)); err != nil {
					t.Errorf("caller %d: %v", i+1, err)
					return
				}
			}
		})
	}
	for i := range troublemakers {
		trouble.Go(func() { makeTrouble(address, rand.New(rand.NewPCG(3, uint64(i)))) })
	}
	work.Wait()
	trouble.Wait()
	mu.Lock()
	defer mu.Unlock()
	for i, got := range heard {
		own := fmt.Sprintf("[%d guest%d] ", i+1, i+1)
		want := slices.DeleteFunc(slices.Clone(order), func(l string) bool { return strings.HasPrefix(l, own) })
		if !slices.Equal(got, want) {
			t.Errorf("caller %d heard %d lines, not the %d that the server saw, or not in that order", i+1, len(got), len(want))
		}
	}
}

// hearCalm returns n lines of those who behave, and fails if a line is headed by nobody.
func hearCalm(ctx context.Context, t *testing.T, c *parley.Conn, n int) (lines []string) {
	for len(lines) < n {
		text, err := c.Receive(ctx)
		if err != nil {
			t.Errorf("after %d of %d lines: %v", len(lines), n, err)
			return lines
		}
		line := string(text)
		if strings.HasPrefix(line, "* ") {
			continue
		}
		var id, guest int
		if _, err := fmt.Sscanf(line, "[%d guest%d] ", &id, &guest); err != nil || id != guest {
			t.Errorf("heard %q, headed by nobody", line)
		}
		if said := strings.TrimPrefix(line, fmt.Sprintf("[%d guest%d] ", id, id)); id <= 8 && strings.HasPrefix(said, "say ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// makeTrouble calls again and again, and misbehaves in another way each time.
func makeTrouble(address string, r *rand.Rand) {
	says := []string{
		"[1 guest1] say 0\n", "* 1 guest1 left: quit\n", "half a line", "\r\r\n\x00\xff\x1b[2J\n", "/name guest1\n", "/who\n/who\n",
		"/join elsewhere\n", "/join lobby\n", "/quit\n", strings.Repeat("x", 5000) + "\n", strings.Repeat("flood\n", 100),
	}
	for range 8 {
		nc, err := net.Dial("tcp", strings.TrimPrefix(address, "tcp:"))
		if err != nil {
			return
		}
		_ = nc.SetDeadline(time.Now().Add(time.Second)) // of a write that nobody takes any more
		for range r.IntN(8) {
			if _, err := nc.Write([]byte(says[r.IntN(len(says))])); err != nil {
				break
			}
			if r.IntN(3) == 0 {
				_, _ = nc.Read(make([]byte, 1+r.IntN(100)))
			}
		}
		if r.IntN(2) == 0 {
			_ = nc.(*net.TCPConn).SetLinger(0) // a reset
		}
		nc.Close()
	}
}

// Programs made for people are callers too.
func TestChatWithNetcat(t *testing.T) {
	for _, command := range [][]string{{"nc", "-N"}, {"ncat"}} {
		t.Run(command[0], func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip(err)
			}
			address := startChat(t, new(service.Chat))
			c := enter(t, address)
			defer c.Close()
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], host, port)...)
			cmd.Stdin = strings.NewReader("hi\r\n/name ann\nbye\n")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", command[0], err)
			}
			lines := strings.Split(string(out), "\n")
			if lines[0] != "* you are [2 guest2] in room lobby, with 1 other" || lines[2] != "* 2 guest2 is now ann" {
				t.Errorf("%s printed %q", command[0], out)
			}
			for _, want := range []string{"* 2 guest2 came", "[2 guest2] hi", "* 2 guest2 is now ann", "[2 ann] bye", "* 2 ann left: end of input"} {
				if got, err := c.Receive(t.Context()); err != nil || string(got) != want {
					t.Errorf("heard %q and %v, want %q", got, err, want)
				}
			}
		})
	}
}
