// Package cli is the program parley: one file for each verb, and what they share. cobra lives here and nowhere else.
package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set when a release is built: -ldflags "-X parley/internal/cli.version=1.2.3".
var version string

// Main runs the program with the arguments of the process and returns its exit code.
func Main() int {
	ctx, stop := signalled()
	defer stop()
	// A standard output that nobody reads is an error like any other (exit code 1), and no death by signal that leaves
	// Unix sockets behind.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	u := newUI(os.Stdin, os.Stdout, os.Stderr)
	root := Command(u)
	root.SetContext(ctx)
	cmd, err := root.ExecuteC()
	if err != nil {
		u.fail(cmd, err)
	}
	return exitCode(err)
}

// signalled returns a context that ends with the first signal that asks the program to; a second ends it at once.
func signalled() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		cause := errInterrupted
		if <-signals == syscall.SIGTERM {
			cause = errTerminated
		}
		cancel(cause)
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { signal.Stop(signals) }
}

// Command returns the command tree, for Main and for the man pages.
func Command(u *ui) *cobra.Command {
	root := &cobra.Command{
		Use:           "parley",
		Short:         "make two programs talk over sockets, and know whose turn it is",
		Long:          longRoot,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetOut(u.out)
	root.SetErr(u.err)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddGroup(
		&cobra.Group{ID: "talk", Title: "Talk:"},
		&cobra.Group{ID: "serve", Title: "Serve:"},
		&cobra.Group{ID: "learn", Title: "Learn:"},
	)
	root.AddCommand(callCommand(u), listenCommand(u), askCommand(u))
	root.AddCommand(serveCommand(u), answerCommand(u), relayCommand(u))
	root.AddCommand(tourCommand(u), tourEndCommand(u))
	for _, t := range allTopics {
		root.AddCommand(t.command())
	}
	root.SetHelpCommandGroupID("learn")
	root.SetCompletionCommandGroupID("learn")
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	refuseUnknown(root)
	describe(root, "completion", "completion for bash, zsh, fish and PowerShell")
	describe(root, "help", "help about a verb: parley help call")
	helpOfVerbs := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd == root {
			fmt.Fprint(root.OutOrStdout(), rootHelp(root))
			return
		}
		helpOfVerbs(cmd, args)
	})
	return root
}

// refuseUnknown makes mistakes of what cobra answers with a page of help and exit code 0.
func refuseUnknown(root *cobra.Command) {
	help, _, _ := root.Find([]string{"help"})
	help.Args = func(_ *cobra.Command, args []string) error {
		if cmd, _, err := root.Find(args); len(args) > 0 && (err != nil || cmd == root) {
			return unknownVerb(root, args[0])
		}
		return nil
	}
	completion, _, _ := root.Find([]string{"completion"})
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("there is no completion for %q; there is for bash, fish, powershell and zsh", args[0])
		}
		return cmd.Help()
	}
}

// describe gives a command that cobra has made a summary in our words.
func describe(root *cobra.Command, name, short string) {
	for _, cmd := range root.Commands() {
		if cmd.Name() == name {
			cmd.Short = short
		}
	}
}

// rootHelp is what a newcomer reads; it must fit on one screen.
func rootHelp(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(longRoot + "\n")
	for _, group := range root.Groups() {
		b.WriteString("\n" + group.Title + "\n")
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.ID && !cmd.Hidden {
				fmt.Fprintf(&b, "  %-11s %s\n", cmd.Name(), cmd.Short)
			}
		}
	}
	return b.String()
}

// NewCommand returns the command tree with all its texts, for the man pages.
func NewCommand() *cobra.Command {
	root := Command(newUI(os.Stdin, os.Stdout, os.Stderr))
	for _, t := range allTopics {
		cmd, _, _ := root.Find([]string{t.name})
		cmd.Long = t.text()
	}
	return root
}

func unknownVerb(cmd *cobra.Command, verb string) error {
	hint := "; parley help lists the verbs"
	if like := cmd.SuggestionsFor(verb); len(like) > 0 {
		hint = "; did you mean " + strings.Join(like, " or ") + "?"
	}
	return usagef("there is no verb %q%s", verb, hint)
}

func versionText() string {
	if version != "" {
		return "parley " + version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "parley (unknown version)"
	}
	text := "parley " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			text += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return text
}

const longRoot = `parley makes two programs talk over sockets, and makes sure that both know
whose turn it is.

  In one terminal:    parley listen
  In another:         parley call 7070

When my input ends I say so, and go on hearing until the other end has ended
too. A wait of over three seconds is explained. Exit code 0 means that all that
was said was taken, and all that was due was heard.
`
