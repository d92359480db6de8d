package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"parley"
	"parley/guard"
)

// echo says every frame back.
func echo(ctx context.Context, c *parley.Conn) error {
	for f, err := range c.Frames(ctx) {
		if err != nil {
			return err
		}
		if err := f.Reply(ctx, f.Data); err != nil {
			return err
		}
	}
	return nil
}

func caller(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 40000} }

// A server for the machines of two networks, that no single one can overrun.
func Example() {
	rules, err := guard.NewRules([]string{"127.0.0.0/8, ::1", "10.0.0.0/8"}, []string{"10.6.6.6"})
	if err != nil {
		log.Fatal(err)
	}
	g := &guard.Guard{MaxConns: 1000, MaxPerHost: 10, Rate: 5, FirstFrameWithin: 10 * time.Second}
	g.SetRules(rules)

	ctx, stop := context.WithCancel(context.Background())
	ln, err := parley.Listen(ctx, "0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- (&parley.Server{Handler: g.Handler(echo)}).Serve(ctx, ln) }()

	c, err := parley.Dial(ctx, ln.Address())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	reply, err := c.Ask(ctx, []byte("Hello there!"))
	fmt.Printf("%s %v\n", reply, err)
	stop()
	fmt.Println(<-served)
	// Output:
	// Hello there! <nil>
	// <nil>
}

// Refused callers hear a text; the program hears who it was, and why.
func ExampleGuard() {
	g := &guard.Guard{
		MaxConns: 1,
		Refusal:  []byte("busy, call again later"),
		Refused:  func(_ *parley.Conn, why error) { fmt.Println("refused:", why) },
	}
	ctx, stop := context.WithCancel(context.Background())
	ln, err := parley.Listen(ctx, "0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- (&parley.Server{Handler: g.Handler(echo)}).Serve(ctx, ln) }()

	first, err := parley.Dial(ctx, ln.Address())
	if err != nil {
		log.Fatal(err)
	}
	if _, err := first.Ask(ctx, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	second, err := parley.Dial(ctx, ln.Address())
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(second)
	fmt.Printf("%q %v\n", text, err)
	first.Close()
	second.Close()
	stop()
	<-served
	// Output:
	// refused: too many conversations: the limit is 1 at once
	// "busy, call again later\n" <nil>
}

func ExampleGuard_Handler() {
	g := &guard.Guard{MaxTime: time.Millisecond}
	handler := g.Handler(func(ctx context.Context, c *parley.Conn) error {
		_, err := c.Receive(ctx) // nothing ever comes
		return err
	})
	here, there := net.Pipe()
	defer there.Close()
	fmt.Println(handler(context.Background(), parley.NewConn(here, nil)))
	// Output: the conversation took longer than it may: the limit is 1ms
}

// Rules can be changed while callers come.
func ExampleGuard_SetRules() {
	g := new(guard.Guard)
	g.SetRules(nil) // before Handler, so that its handler is guarded
	handler := g.Handler(func(context.Context, *parley.Conn) error { return nil })
	call := func() error {
		here, there := net.Pipe()
		defer there.Close()
		return handler(context.Background(), parley.NewConn(from{here, caller("192.0.2.1")}, nil))
	}
	fmt.Println(call())
	rules, err := guard.NewRules(nil, []string{"192.0.2.0/24"})
	if err != nil {
		log.Fatal(err)
	}
	g.SetRules(rules)
	fmt.Println(call())
	// Output:
	// <nil>
	// denied by the rules: 192.0.2.1: deny 192.0.2.0/24
}

// A from is a conversation with somebody elsewhere.
type from struct {
	net.Conn
	addr net.Addr
}

func (c from) RemoteAddr() net.Addr { return c.addr }

func ExampleReason() {
	g := new(guard.Guard)
	rules, err := guard.NewRules([]string{"10.0.0.0/8"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	g.SetRules(rules)
	here, there := net.Pipe()
	defer there.Close()
	err = g.Handler(echo)(context.Background(), parley.NewConn(from{here, caller("192.0.2.1")}, nil))
	fmt.Println(guard.Reason(err), errors.Is(err, guard.ErrDenied))
	// Output: denied true
}

func ExampleNewRules() {
	rules, err := guard.NewRules([]string{"10.0.0.0/8,192.168.0.0/16"}, []string{"10.6.6.6"})
	if err != nil {
		log.Fatal(err)
	}
	for _, ip := range []string{"10.1.2.3", "10.6.6.6", "192.0.2.1"} {
		ok, rule := rules.Allows(caller(ip))
		fmt.Println(ip, ok, rule)
	}
	// Output:
	// 10.1.2.3 true allow 10.0.0.0/8
	// 10.6.6.6 false deny 10.6.6.6
	// 192.0.2.1 false no rule allows it
}

func ExampleReadRules() {
	rules, err := guard.ReadRules("rules.txt", strings.NewReader(`
# who may call
allow 10.0.0.0/8, fe80::/10
deny  10.6.6.6    # the one that floods
`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rules.Allows(caller("10.6.6.6")))
	// Output: false rules.txt:4: deny 10.6.6.6
}

func ExampleRuleError() {
	_, err := guard.ReadRules("rules.txt", strings.NewReader("allow 10.0.0.0/8\ndeny 10.6.6.6/24\n"))
	fmt.Println(err)
	if e, ok := errors.AsType[*guard.RuleError](err); ok {
		fmt.Println("line", e.Line)
	}
	// Output:
	// rules.txt:2: "deny 10.6.6.6/24": "10.6.6.6/24" is an address in a network; write 10.6.6.0/24 for the network, or 10.6.6.6 for the one address
	// line 2
}

func ExampleRules_Allows() {
	rules, err := guard.NewRules([]string{"all"}, []string{"2001:db8::/32"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rules.Allows(caller("2001:db8::1")))
	fmt.Println(rules.Allows(caller("::ffff:192.0.2.1")))
	fmt.Println(rules.Allows(&net.UnixAddr{Net: "unix", Name: "/run/socket"}))
	// Output:
	// false deny 2001:db8::/32
	// true allow all
	// true
}

// The rules of the command line and those of a file hold together.
func ExampleRules_Join() {
	flags, err := guard.NewRules([]string{"10.0.0.0/8"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	file, err := guard.ReadRules("rules.txt", strings.NewReader("deny 10.6.6.6"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(flags.Join(file).Allows(caller("10.6.6.6")))
	// Output: false rules.txt:1: deny 10.6.6.6
}

func ExampleRules_Resolve() {
	rules, err := guard.NewRules([]string{"gateway.example"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	lookup := func(ctx context.Context, host string) ([]netip.Addr, error) { // nil would ask the DNS
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	}
	if err := rules.Resolve(context.Background(), lookup); err != nil {
		fmt.Fprintln(os.Stderr, err) // the names that could be looked up count all the same
	}
	fmt.Println(rules.Allows(caller("192.0.2.1")))
	// Output: true allow gateway.example (192.0.2.1)
}

func ExampleRules_Hosts() {
	rules, err := guard.NewRules([]string{"10.0.0.0/8, Gateway.example"}, []string{"gateway.example, other.example"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rules.Hosts())
	// Output: [gateway.example other.example]
}

// Rules that are read anew keep the addresses of host names, should the DNS not answer just then.
func ExampleRules_TakeAddresses() {
	found := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	}
	lost := func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no answer") }

	ctx := context.Background()
	old, _ := guard.NewRules(nil, []string{"flood.example"})
	if err := old.Resolve(ctx, found); err != nil {
		log.Fatal(err)
	}
	anew, _ := guard.NewRules(nil, []string{"flood.example, other.example"})
	anew.TakeAddresses(old)
	fmt.Println(anew.Resolve(ctx, lost))
	fmt.Println(anew.Allows(caller("192.0.2.1")))
	// Output:
	// deny flood.example: cannot look up flood.example, which keeps the addresses [192.0.2.1]: no answer
	// deny other.example: cannot look up other.example, so the rule is for nobody yet: no answer
	// false deny flood.example (192.0.2.1)
}
