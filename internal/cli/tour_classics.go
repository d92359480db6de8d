package cli

import (
	"fmt"
	"strings"
)

// A classic is one of the conversations of the tour: one server, and those who call it.
type classic struct {
	title, why string
	server     part
	callers    []part
	outcome    string // headline of what one end heard; {host} and {port} are the server's
	hearer     string // who heard it: client or server
}

// A part is what one end of a conversation does: a verb of this program.
type part struct {
	name  string   // of a caller among several
	args  []string // of the program; {1} is the first port of the server, {2} the second
	more  []string // args that only the tour needs
	input string   // standard input
	typed bool     // the input comes line by line, in turns with the other callers, as people type
	waits bool     // standard input ends when the other end has ended: a person has nothing to say
}

// classics are in the order in which they are easiest to understand. No two callers of one say the same, as it is by
// what they say that the transcripts of both ends are found to belong together.
var classics = []classic{
	{
		title: "Hear everybody: one receiver, three callers at once",
		why: `A line is a message. Lines of different callers never mix, however they come.
The callers end; the receiver goes on hearing the others.`,
		server: part{args: []string{"listen", "{1}"}, more: []string{"--count", "3"}},
		callers: []part{
			{name: "anna", args: []string{"call", "{1}"}, input: "anna: good morning\nanna: and goodbye\n", typed: true},
			{name: "ben", args: []string{"call", "{1}"}, input: "ben: is it me you hear?\nben: I thought so\n", typed: true},
			{name: "cleo", args: []string{"call", "{1}"}, input: "cleo: me too\n", typed: true},
		},
		outcome: "The receiver prints:", hearer: "server",
	},
	{
		title: `Say "Hello there!": the caller speaks first and ends first`,
		why: `The caller says a line and then its end, which leaves it able to hear. It stays until the
other end has ended too: only then it knows that nothing was cut off.`,
		server:  part{args: []string{"listen", "{1}"}, more: []string{"--count", "1"}},
		callers: []part{{args: []string{"call", "--say", "Hello there!", "{1}"}}},
		outcome: "The receiver prints:", hearer: "server",
	},
	{
		title: "Ask the time: the server speaks first, and its end is the end of the message",
		why: `A daytime client (RFC 867) need not say anything: it hears until the end. If both waited to
be spoken to, they would wait for ever.`,
		server: part{args: []string{"tour-end", "daytime", "{1}"}, more: []string{"--count", "1"}},
		callers: []part{
			{args: []string{"call", "{1}"}, more: []string{"--reply-frame", "until close"}, waits: true},
		},
		outcome: "response from {host} port {port} was:", hearer: "client",
	},
	{
		title: "Get a page: a blank line ends the request, the end of the server ends the reply",
		why: `HTTP/1.0 (RFC 1945). The request has an end mark of its own, as the caller cannot end before
it has heard the reply. The reply needs none.`,
		server: part{args: []string{"tour-end", "page", "{1}"}, more: []string{"--count", "1"}},
		callers: []part{
			{args: []string{"ask", "{1}", "GET /tour HTTP/1.0", "--frame", "crlf blank line", "--reply-frame", "until close"}},
		},
		outcome: "The caller prints:", hearer: "client",
	},
	{
		title: "Send many lines: a line END REQUEST ends them, the end of the server ends the reply",
		why: `The two ends must agree on the end mark. If one leaves it out, the server waits for more
lines and the caller for the reply: both listen, and nobody speaks.`,
		server: part{args: []string{"tour-end", "request", "{1}"}, more: []string{"--count", "1"}},
		callers: []part{{
			args:  []string{"ask", "{1}", "--frame", `end "END REQUEST"`, "--reply-frame", "until close"},
			input: "name\nage\n",
		}},
		outcome: "The caller prints:", hearer: "client",
	},
	{
		title: "Hear many sockets in one loop",
		why: `Two TCP ports and a UDP port, one loop and one counter: each message is answered where it
came from, before the next is heard.`,
		server: part{args: []string{"tour-end", "loop", "{1}", "{2}", "udp:{3}"}, more: []string{"--count", "5"}},
		callers: []part{
			{name: "anna", args: []string{"ask", "{1}", "--each-line", "anna at the door", "anna still here"}},
			{name: "ben", args: []string{"ask", "{2}", "--each-line", "ben at the back", "ben still here"}},
			{name: "cleo", args: []string{"ask", "udp:{3}", "cleo at the letter box"}},
		},
		outcome: "The loop hears, in this order:", hearer: "server",
	},
	{
		title: "Datagrams: each is a message by itself",
		why: `UDP has no conversation: nobody says the end, and nobody promises that a datagram arrives.
An answer is the only receipt.`,
		server:  part{args: []string{"tour-end", "datagrams", "udp:{1}"}, more: []string{"--count", "2"}},
		callers: []part{{args: []string{"ask", "udp:{1}", "--each-line", "is anybody there?", "and still?"}}},
		outcome: "The caller prints:", hearer: "client",
	},
}

// replaced returns args with the ports filled in.
func replaced(args, ports []string) []string {
	var pairs []string
	for i, port := range ports {
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), port)
	}
	fill := strings.NewReplacer(pairs...)
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = fill.Replace(arg)
	}
	return out
}

// longCommand is how many columns of a command stand on one line, if it can be broken.
const longCommand = 76

// byHand is the command that does the same in a terminal.
func (p part) byHand(ports []string) string {
	command := "parley"
	if p.input != "" {
		command = "printf '" + strings.ReplaceAll(p.input, "\n", `\n`) + "' | parley"
	}
	broken := false
	for _, arg := range replaced(p.args, ports) {
		if strings.HasPrefix(arg, "--frame") && !broken && p.width() > longCommand {
			command += " \\\n            "
			broken = true
		}
		command += " " + shellQuote(arg)
	}
	return command
}

func (p part) width() int {
	return len(p.input) + len(strings.Join(p.args, " ")) + len("printf '' | parley ")
}
