package examples_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The classics talk with their Perl originals: these are the programs that docs/from-perl.md sets side by side.

func perl(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("perl")
	if err != nil {
		t.Skip("no perl on this machine")
	}
	if err := exec.Command(path, "-MIO::Socket::INET", "-MIO::Select", "-e1").Run(); err != nil {
		t.Skip("this perl has no IO::Socket::INET")
	}
	return path
}

// perlHello, perlRequest and perlDatagram call $ARGV[0].
const (
	perlHello = `
use strict; use warnings; use IO::Socket::INET;
my $c = IO::Socket::INET->new($ARGV[0]) or die $@;
print $c "Hello there!\n";
`
	perlRequest = `
use strict; use warnings; use IO::Socket::INET;
my $c = IO::Socket::INET->new($ARGV[0]) or die $@;
print $c "name\nage\nEND REQUEST\n";
local $/;
print scalar <$c>;
`
	perlDatagram = `
use strict; use warnings; use IO::Socket::INET;
my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], Proto => "udp") or die $@;
$c->send("hello") or die $!;
defined $c->recv(my $reply, 1500) or die $!;
print $reply;
`
)

// perlListen begins the programs that take one caller and say where, as the examples do.
const perlListen = `
use strict; use warnings; use IO::Socket::INET; use IO::Select;
my $ln = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die $@;
print STDERR "listening on 127.0.0.1:", $ln->sockport, "\n";
`

func TestPerlCalls(t *testing.T) {
	for _, test := range []struct{ name, example, script, address, want string }{
		{"request", "requestd", perlRequest, "0", "NAME\nAGE"},
		{"datagram", "datagrams", perlDatagram, "udp:0", "HELLO"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := start(t, program(test.example), test.address)
			address := strings.TrimPrefix(server.listens(t), "udp:")
			if out := mustRun(t, perl(t), "-e", test.script, address); out != test.want {
				t.Errorf("perl printed %q, want %q", out, test.want)
			}
		})
	}
	t.Run("hello", func(t *testing.T) {
		server := start(t, program("receiver"), "0")
		mustRun(t, perl(t), "-e", perlHello, server.listens(t))
		if line := server.stdout.next(t); !strings.HasSuffix(line, ": Hello there!") {
			t.Errorf("receiver printed %q", line)
		}
	})
}

func TestPerlAnswers(t *testing.T) {
	for _, test := range []struct{ example, script, args, want string }{
		{"daytime", `my $c = $ln->accept; print $c "noon\n";`, "", "was:\nnoon\n"},
		{"request", `
			my $c = $ln->accept;
			local $/ = "END REQUEST\n";
			chomp(my $request = <$c>);
			print $c "heard <$request>";`, "name\nage", "heard <name\nage\n>\n"},
		{"httpget", `
			my $c = $ln->accept;
			local $/ = "\r\n\r\n";
			chomp(my $request = <$c>);
			print $c "HTTP/1.0 200 OK\r\n\r\n$request";`, "/page", "HTTP/1.0 200 OK\r\n\r\nGET /page HTTP/1.0"},
		{"hello", `print scalar <$_> for scalar $ln->accept;`, "", ""},
	} {
		t.Run(test.example, func(t *testing.T) {
			server := start(t, perl(t), "-e", perlListen+test.script)
			args := []string{server.listens(t)}
			if test.args != "" {
				args = append(args, test.args)
			}
			if out := mustRun(t, program(test.example), args...); !strings.HasSuffix(out, test.want) {
				t.Errorf("printed %q, want it to end with %q", out, test.want)
			}
			if test.example != "hello" {
				return
			}
			if line := server.stdout.next(t); line != "Hello there!" {
				t.Errorf("perl heard %q", line)
			}
		})
	}
}
