package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley"
	"parley/relay"
)

// A relayVerb is the verb relay.
type relayVerb struct {
	serving
	call, once     bool
	frame, frameB  string
	patience       time.Duration
	connectTimeout time.Duration
	retryFor       time.Duration
	balance        string
	probeEvery     time.Duration
	routes         []string
	sniffWithin    time.Duration
	faults         []string
	seed           uint64
	tap            tapFlags
	noProgress     bool

	relay   *relay.Relay
	traffic traffic
	a, b    string                    // the addresses, as given
	targets []string                  // those of B, and of routes
	configs map[string]*parley.Config // how each is called
	single  oneCaller
}

func relayCommand(u *ui) *cobra.Command {
	v := &relayVerb{serving: serving{u: u}}
	cmd := &cobra.Command{
		Use:     "relay A B[,B2...]",
		GroupID: "serve",
		Short:   "join all who call A to new conversations with B; or two ends, once",
		Long: `Listens on A, and joins everybody who calls there to a new conversation with B,
until it is told to end. If A cannot be listened on (- is standard input and
output, file:, fd:, exec:, pty:, pipe:), or with --call, A is opened once and
joined to B, and parley leaves when both have ended.

Each direction ends on its own: who has said all it has to say (half-close) is
still answered, however long that takes. A reset is passed on as a reset. The
kernel moves the bytes where it can.

Any scheme goes with any other. Between datagrams each stays one; between
datagrams and a stream each message of the stream, which ends as --frame says,
is a datagram. With --frame whole messages are passed on between streams too,
and with --frame-b those of B end in another way (those of A then as line, if
--frame is not given).

Of several targets the first that can be reached is taken, or --balance says
which; one that cannot is left out, and told. --route chooses by the name
(SNI) or protocol (ALPN) that a TLS caller asks for, without ending its TLS. A
tls address at A ends TLS here, at B it begins there.

--fault has things go wrong, the same way each time for the same --seed; up: and
down: before it are for what callers and targets say:
` + faultTable() + `
--tap FILE writes what passes as a transcript, --show shows it.

Limits, access, operation and the sandbox are as in parley help serve. --idle,
which may be written --idle-timeout, is for both directions together.`,
		Example: `  parley relay 7070 host:80                        a port of this machine to another's
  parley relay :443 '127.0.0.1:8001,127.0.0.1:8002' --balance round-robin
  parley relay 'tls::8443?cert=c.pem&key=k.pem' 127.0.0.1:8080
  parley relay 7070 tls:example.org:443            plain here, TLS there
  parley relay /run/db.sock db.example.org:5432    a Unix socket to a port
  parley relay - exec:cat                          two plain ends, once
  parley relay 7070 'exec:sort -u'                 a command for each caller
  parley relay --frame line 7070 udp:host:514      lines to datagrams, and back
  parley relay :443 10.0.0.1:443 --route sni:api.example=10.0.0.2:443
  parley relay 7070 host:80 --fault 'latency=50ms±20ms,bandwidth=1MB/s'
  parley relay 7070 host:25 --show text --tap mail.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("two addresses are needed, and %d arguments were given; for example: parley relay 7070 host:80", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd, args[0], args[1]) },
	}
	v.addFlags(cmd)
	v.add(cmd)
	return cmd
}

func (v *relayVerb) addFlags(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.BoolVar(&v.call, "call", false, "call A too, and join both once")
	fl.BoolVarP(&v.once, "once", "1", false, "take one caller and leave with it")
	fl.StringVarP(&v.frame, "frame", "f", "", "pass on whole messages, which end so: line, crlf, 'blank line', 'end \"TEXT\"', ...")
	fl.StringVar(&v.frameB, "frame-b", "", "how the messages of B end, if not as --frame says")
	v.addMaxFrame(cmd)
	_ = cmd.RegisterFlagCompletionFunc("frame", completeFormats)
	_ = cmd.RegisterFlagCompletionFunc("frame-b", completeFormats)
	fl.DurationVar(&v.connectTimeout, "connect-timeout", 10*time.Second, "give up calling a target after so long; 0 for as long as the system likes")
	fl.DurationVar(&v.retryFor, "retry-for", 0, "how long a caller waits while no target can be reached; they are tried again")
	fl.StringVar(&v.balance, "balance", "first", "which of several targets: first, round-robin, least or hash (of the caller's host)")
	fl.DurationVar(&v.probeEvery, "probe-every", 0, "call the targets so often to see whether they are there")
	fl.StringArrayVar(&v.routes, "route", nil, "sni:NAME=ADDRESS or alpn:PROTOCOL=ADDRESS: another target for TLS callers that ask for it")
	fl.DurationVar(&v.sniffWithin, "sniff-within", relay.DefaultSniffWithin, "how long a caller may take to say what --route looks at")
	fl.StringArrayVar(&v.faults, "fault", nil, "what goes wrong: [up:|down:]KIND=VALUE,...")
	fl.Uint64Var(&v.seed, "seed", 0, "have the same faults as the run that printed this number")
	v.tap.add(fl)
	fl.BoolVar(&v.noProgress, "no-progress", false, "show no progress on a terminal")
	fl.DurationVar(&v.patience, "patience", 3*time.Second, "with two ends joined once: explain a wait of so long; 0 for never")
	_ = cmd.RegisterFlagCompletionFunc("balance", cobra.FixedCompletions([]string{"first", "round-robin", "least", "hash"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("show", cobra.FixedCompletions([]string{"text", "hex", "json"}, cobra.ShellCompDirectiveNoFileComp))
	fl.SetNormalizeFunc(asOneFlag)
}

// faultTable lists the kinds of faults for the help.
func faultTable() string {
	var b strings.Builder
	for _, k := range relay.FaultKinds() {
		fmt.Fprintf(&b, "  %-24s %s\n", k.Syntax, k.Summary)
	}
	return b.String()
}

func (v *relayVerb) run(cmd *cobra.Command, a, b string) (err error) {
	v.a, v.b = a, b
	if err := v.check(); err != nil {
		return err
	}
	if err := v.checkMode(cmd); err != nil {
		return err
	}
	if err := v.prepare(cmd); err != nil {
		return err
	}
	if err := v.tap.open(v.u, []string{a, b}, v.formatsOfTap()); err != nil {
		return err
	}
	v.relay.Options.Tap = v.tap.Tap
	stopProgress := v.showProgress()
	if v.listens() {
		if !cmd.Flags().Changed("max-conns") {
			v.fitFiles()
		}
		err = v.serveCallers(cmd.Context())
	} else {
		err = v.joinOnce(cmd.Context())
	}
	stopProgress()
	return cmp.Or(err, v.tap.close(v.u))
}
