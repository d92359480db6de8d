package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// A serveVerb is the verb serve.
type serveVerb struct {
	serving
	pty     bool
	command []string
	atEnd   []func() error
}

func serveCommand(u *ui) *cobra.Command {
	v := &serveVerb{serving: serving{u: u}}
	cmd := &cobra.Command{
		Use:     "serve SERVICE[=ADDRESS]... [-- COMMAND [ARGS...]]",
		GroupID: "serve",
		Short:   "be a server of well-known services, files, chat, or a command",
		Long: `Serves one service or many, to any number of callers at once, until it is told
to end. The services, with the addresses that are meant if none is given:

` + serviceTable() + `
Those of the RFCs are on tcp and udp, the others on tcp, unless ADDRESS has a
scheme: echo=tcp:7007, chat=tls::7070, exec=/run/app.sock. On udp each sender
has a conversation of its own, which ends when it was silent for a minute, or
for --idle. Addresses without a host are of this machine only; ports under 1024
need root, or: sysctl net.ipv4.ip_unprivileged_port_start.

exec starts COMMAND for each caller, with the conversation as its standard input
and output, and the variables that programs for tcpserver and inetd know (PROTO,
TCPREMOTEIP, ...) and PARLEY_REMOTE_ADDR and others.

--allow and --deny say who may call; of several rules that fit a caller the most
specific decides. --rules FILE holds such rules, and is read again when it
changes. SIGHUP reads rules and certificates again, SIGUSR1 prints who is there,
SIGTERM and Ctrl-C end gracefully: no new callers, and those that are there may
finish, within --grace. Under systemd the address systemd:NAME is a socket of
the unit, and readiness is told.

On Linux parley gives up all rights to files and the network that it does not
need for this, unless a command is run, which may need any.`,
		Example: `  parley serve echo=7007                          tcp and udp, this machine only
  parley serve echo daytime time                  on their own ports, as root
  parley serve files=:8080 ./public               files over HTTP, every interface
  parley serve chat=7070                          then, some times: parley call 7070
  parley serve exec=7070 -- sh -c 'read x; echo "you said $x"'
  parley serve chat=tls::7070 --max-per-host 5 --rate 2 --allow 10.0.0.0/8
  parley serve echo=7007 --metrics 9090 --log json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	cmd.ValidArgsFunction = completeServices
	v.addFraming(cmd)
	v.add(cmd)
	cmd.Flags().BoolVar(&v.pty, "pty", false, "exec: give COMMAND a terminal")
	return cmd
}

func (v *serveVerb) run(cmd *cobra.Command, args []string) error {
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		args, v.command = args[:n], args[n:]
	}
	if len(args) == 0 {
		return usagef("no service given; there are %s", serviceNames())
	}
	if err := v.check(); err != nil {
		return err
	}
	posts, err := v.posts(cmd, args)
	if err == nil {
		err = v.serving.run(cmd.Context(), posts)
	}
	for _, end := range v.atEnd {
		err = errors.Join(err, end())
	}
	return err
}

// posts makes the services that the command line asks for.
func (v *serveVerb) posts(cmd *cobra.Command, words []string) ([]*post, error) {
	hear, say, err := v.formats(cmd)
	if err != nil {
		return nil, err
	}
	wanted, err := parseServices(words)
	if err != nil {
		return nil, err
	}
	var posts []*post
	execs := false
	for _, w := range wanted {
		h, err := w.kind.make(v, w)
		if err != nil {
			return nil, err
		}
		execs = execs || w.kind.name == "exec"
		for _, p := range w.posts(h) {
			p.say, p.hear = v.formatFor(say), v.formatFor(hear)
			posts = append(posts, p)
		}
	}
	if len(v.command) > 0 && !execs {
		return nil, usagef("a command is given, and no exec=ADDRESS to run it for")
	}
	if v.pty && !execs {
		return nil, usagef("--pty is for exec")
	}
	return posts, nil
}

// counts reports whether parley must see the bytes of a conversation itself: to count them, or to know an idle one.
func (s *serving) counts() bool {
	return s.idle > 0 || s.firstFrame > 0 || s.metricsAt != "" || s.stats
}
