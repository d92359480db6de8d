package cli

import (
	"cmp"
	"context"
	"iter"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
)

// A calling is the verb call.
type calling struct {
	flags
	u         *ui
	text      string
	say, hear frame.Format
	rec       *recorder
}

func callCommand(u *ui) *cobra.Command {
	v := &calling{u: u}
	cmd := &cobra.Command{
		Use:     "call ADDRESS",
		GroupID: "talk",
		Short:   "call an address: standard input to it, what it says to standard output",
		Long: `Calls ADDRESS. Standard input goes to the other end, what the other end says
to standard output, as it is. When standard input ends, the other end is told
so (half-close); what it still says is heard until it ends too. If the other
end ends first, the rest of a pipe or file is still said, but nobody has to
type on.

With --frame, each line of standard input is said as one message of that
format, and each message heard is printed on a line. So it is on udp: a line
is a datagram.`,
		Example: `  parley call 7070                                  a program on this machine
  parley call --say 'Hello there!' 7070             say one line, hear the answer
  parley call time.example.org:daytime              the other end speaks first
  parley call 'tls:mail.example.org:993'            TLS, verified
  tar c . | parley call host:7070                   a stream of bytes
  parley call /run/app.sock                         a Unix socket`,
		Args: exactlyOneAddress,
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd, args[0]) },
	}
	v.add(cmd)
	v.addConnectTimeout(cmd)
	cmd.Flags().StringVarP(&v.text, "say", "s", "", "say this text, once, instead of standard input")
	return cmd
}

func exactlyOneAddress(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("one address is needed, and %d arguments were given; for example: parley %s 7070", len(args), cmd.Name())
	}
	return nil
}

func (v *calling) run(cmd *cobra.Command, address string) (err error) {
	if v.say, v.hear, err = v.formats(cmd); err != nil {
		return err
	}
	ctx, cancel := v.limited(cmd.Context())
	defer cancel(nil)
	var observe func(parley.Event)
	if v.json {
		v.rec = newRecorder(cancel, v.u.out, "call", []string{address}, true, v.say, v.hear)
		observe = v.rec.observe
	}
	c, err := v.dial(ctx, v.config(v.say, v.hear, observe), address)
	if err != nil {
		return because(ctx, err)
	}
	err = v.talk(ctx, c, address, cmd.Flags().Changed("say"))
	v.rec.ended(c, nil, err)
	letGo(c, err)
	return cmp.Or(err, v.rec.err())
}

// talk holds the conversation: in frames where they matter, else in bytes.
func (v *calling) talk(ctx context.Context, c *parley.Conn, address string, sayOnce bool) error {
	t := converse{flags: &v.flags, u: v.u, c: c, who: address}
	inFrames := v.framed || v.json || c.KeepsEdges()
	t.hear = t.hearBytes
	if inFrames {
		t.hear = t.hearFrames
	}
	switch {
	case sayOnce:
		t.say = t.sayTexts(once(v.text))
	case inFrames:
		t.say, t.keyed = t.sayTexts(input(v.u, v.say)), v.u.inTerm
	default:
		t.say, t.keyed = t.sayBytes(v.u.in), v.u.inTerm
	}
	return t.run(ctx)
}

// input is what is said in frames: the lines of standard input, or all of it where a frame has no end but the close. The
// CR of a line that ends in CRLF goes with its end, unless it is part of a message in that format.
func input(u *ui, say frame.Format) iter.Seq2[[]byte, error] {
	if say == frame.UntilClose() {
		return whole(u.in)
	}
	return lines(u.in, say == frame.Line() || say == frame.CRLF())
}
