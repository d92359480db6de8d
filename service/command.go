package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"parley"
	"parley/frame"
)

// A Command is a program that talks to callers. Its three handlers differ in how often it is started: [Command.Answer] for
// each request, [Command.Keep] once for each conversation, [Command.Exec] for each caller, whose conversation it then holds
// itself. A Command with Args is ready to use, by any number of conversations at once. It must not be changed or copied
// after its first use.
//
// # Processes
//
// Each process leads a group of its own (on Windows it does not), so that an interrupt of the server is not the command's.
// When its time is over, when the handler's context ends and when the conversation is closed, the group gets SIGTERM, and
// SIGKILL 2 seconds later; what is left of it is killed as soon as the process itself has ended. A process that ends by
// itself may leave others behind: they are not waited for longer than 2 seconds, even if they hold its output. A handler
// returns when its process has been reaped.
//
// # Environment
//
// A process has the environment of this program, with Env and then with the variables below. Of these only those have a
// value that the conversation gives one: an inherited variable of such a name is taken away. So are those by which a service
// manager talks to this program alone: NOTIFY_SOCKET, LISTEN_FDS and the like.
//
//	PROTO                     TCP, also under TLS; UDP; IPC for Unix sockets
//	TCPLOCALIP, TCPREMOTEIP   addresses, as ucspi-tcp's tcpserver sets them; not in brackets
//	TCPLOCALPORT, TCPREMOTEPORT
//	UDPLOCALIP, UDPLOCALPORT, UDPREMOTEIP, UDPREMOTEPORT
//	IPCLOCALPATH              the listening Unix socket, as s6-ipcserver names these
//	IPCREMOTEPATH             the caller's, if it has a name
//	IPCREMOTEEUID, IPCREMOTEEGID   the caller's user and group (Linux)
//	PARLEY_SCHEME             tcp, tls, udp, unix or another network
//	PARLEY_LOCAL_ADDR, PARLEY_REMOTE_ADDR   as Go writes them: 127.0.0.1:7070, [::1]:7070, /path
//	PARLEY_LOCAL_HOST, PARLEY_REMOTE_HOST   the IP address or the path of it
//	PARLEY_LOCAL_PORT, PARLEY_REMOTE_PORT   the port of it
//	PARLEY_TLS_SERVER_NAME    the name that the caller asked for (RFC 6066, section 3)
//	PARLEY_TLS_PEER           the subject of the caller's certificate, if it was verified against an authority (RFC 4514)
//
// Paths, names and subjects come from the caller and can hold any character but NUL. A program that uses them in a shell
// must quote them.
//
// # Failures
//
// A command fails if it cannot be started, ends with a status other than 0 or by a signal, gives no reply in time, says
// too much, or something that the format of its replies cannot hold. Failures are told to Failed, and the caller gets
// OnError instead of a reply, or the conversation is closed and the failure, a *CommandError, is the handler's error. A
// conversation of datagrams goes on without a reply to this one, and the first failure is its error in the end. What
// the command had written by then is no reply and is not said, except by Exec, where all is said as it comes. Not to read
// its input is no failure.
type Command struct {
	Args []string // the program and its arguments. A name without a slash is looked for in PATH; a relative path begins at Dir
	Env  []string // NAME=value, beyond the environment of this program
	Dir  string   // where it runs; empty means where this program does

	Frame      frame.Format  // Keep: how requests end on its standard input; nil means frame.Line()
	ReplyFrame frame.Format  // Keep: how replies end on its standard output; nil means as Frame
	Timeout    time.Duration // Answer, Keep: for one reply; 0 or less means no limit
	MaxReply   int           // Answer, Keep: bytes of one reply; 0 means parley.DefaultMaxFrame, negative no limit
	OnError    []byte        // Answer, Keep: what the caller gets instead of a reply, empty text included; nil closes the conversation, but one of datagrams

	// Stderr is told of each line the command writes on its standard error, without its end; a line of more than 4,096 bytes
	// comes in pieces. line is only valid during the call, which must not wait for the conversation. nil: the command has the
	// standard error of this program.
	Stderr func(c *parley.Conn, line []byte)

	// Failed is told of each failure, a *CommandError, also of those that are the handler's error as well. nil: only those are
	// known.
	Failed func(c *parley.Conn, err error)

	Pty   bool // Exec: on a pseudo-terminal of 80 columns and 24 lines
	Carry bool // Exec: bytes are carried through pipes, so that conversation, limits and observers see them, even where the socket could be handed over

	found atomic.Pointer[found]
}

// found is what is looked for once: a new process then costs no search.
type found struct {
	program string   // its absolute path
	env     []string // without the variables of a conversation
}

// A CommandError says how a command failed.
type CommandError struct {
	Command string    // Args[0]
	Status  int       // its exit status; -1 if it has none, since it was not started or was ended by a signal
	Signal  os.Signal // what ended it; nil if nothing did
	Err     error     // what was wrong besides, such as frame.ErrTooLong or os.ErrDeadlineExceeded; nil if the status or signal says it
}

func (e *CommandError) Error() string {
	var parts []string
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	switch {
	case e.Signal != nil:
		parts = append(parts, "ended by signal "+e.Signal.String())
	case e.Status > 0 || e.Status == 0 && e.Err == nil:
		parts = append(parts, fmt.Sprintf("exit status %d", e.Status))
	}
	return "command " + e.Command + ": " + strings.Join(parts, "; ")
}

func (e *CommandError) Unwrap() error { return e.Err }

// fault is a failure of cmd that has no exit status.
func (cmd *Command) fault(err error) *CommandError {
	name := ""
	if len(cmd.Args) > 0 {
		name = cmd.Args[0]
	}
	return &CommandError{Command: name, Status: -1, Err: err}
}

// Check reports whether the command can be run: its program is there and may be executed, Dir is a directory, and
// with Pty the system has pseudo-terminals (if not, the error wraps errors.ErrUnsupported). It is for saying so before the
// first caller comes. The error is a *CommandError.
func (cmd *Command) Check() error {
	if _, err := cmd.find(); err != nil {
		return err
	}
	if cmd.Pty {
		if err := tryTerminal(); err != nil {
			return cmd.fault(err)
		}
	}
	return nil
}

// find looks for the program. What it has found it keeps; what it has not may still come.
func (cmd *Command) find() (*found, error) {
	if f := cmd.found.Load(); f != nil {
		return f, nil
	}
	program, err := cmd.lookUp()
	if err != nil {
		return nil, cmd.fault(err)
	}
	f := &found{program, baseEnvironment(os.Environ(), cmd.Env)}
	cmd.found.Store(f)
	return f, nil
}

func (cmd *Command) lookUp() (string, error) {
	if len(cmd.Args) == 0 || cmd.Args[0] == "" {
		return "", errors.New("no program is named")
	}
	if cmd.Dir != "" {
		if info, err := os.Stat(cmd.Dir); err != nil {
			return "", fmt.Errorf("cannot run in %s: %w", cmd.Dir, errors.Unwrap(err))
		} else if !info.IsDir() {
			return "", fmt.Errorf("cannot run in %s: it is no directory", cmd.Dir)
		}
	}
	name := cmd.Args[0]
	if filepath.Base(name) != name { // or else PATH is searched
		if !filepath.IsAbs(name) {
			name = filepath.Join(cmd.Dir, name)
		}
		var err error
		if name, err = filepath.Abs(name); err != nil {
			return "", err
		}
	}
	path, err := exec.LookPath(name)
	var unfound *exec.Error
	if errors.As(err, &unfound) {
		return "", fmt.Errorf("cannot be run: %w; install it, or give its path", unfound.Err)
	}
	return path, err
}

// maxReply is the limit in bytes, or 0 for none.
func (cmd *Command) maxReply() int {
	return max(cmp.Or(cmd.MaxReply, parley.DefaultMaxFrame), 0)
}

// failed tells of err, and says what the caller gets for it. It returns the error that ends the conversation, if it does.
// An error that is not the command's fault, such as the end of the server, ends it always.
func (cmd *Command) failed(ctx context.Context, c *parley.Conn, err error) error {
	if !cmd.tell(c, err) || cmd.OnError == nil {
		return err
	}
	return c.Send(ctx, cmd.OnError)
}

// tell reports whether err is a failure of the command, and tells Failed of it.
func (cmd *Command) tell(c *parley.Conn, err error) bool {
	var failure *CommandError
	if !errors.As(err, &failure) {
		return false
	}
	if cmd.Failed != nil {
		cmd.Failed(c, err)
	}
	return true
}
