package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"parley"
	"parley/internal/child"
	"parley/internal/sock"
)

// A job is what an exec address asks for.
type job struct {
	words  []string
	dir    string
	env    []string
	by     means
	size   size
	stderr string // inherit, null or merge
}

// means are what leads to a process.
type means int

const (
	byPipes means = iota
	bySocket
	byTerminal
)

func parseJob(a parley.Addr) (*job, error) {
	j := &job{dir: a.Params["dir"]}
	var err error
	if j.words, err = wordsOf(a); err != nil {
		return nil, err
	}
	if j.env, err = parseEnv(a.Params["env"]); err != nil {
		return nil, err
	}
	if j.by, err = meansOf(a); err != nil {
		return nil, err
	}
	if j.size, err = parseSize(a.Params, j.by == byTerminal); err != nil {
		return nil, err
	}
	j.stderr, err = stderrOf(a, j.by)
	return j, err
}

// wordsOf returns the command and its arguments.
func wordsOf(a parley.Addr) ([]string, error) {
	shell, err := flagOf(a, "shell", false)
	if err != nil {
		return nil, err
	}
	if strings.ContainsRune(a.Target, 0) {
		return nil, sock.Mistake("command %q has a zero byte, which no argument can hold", a.Target)
	}
	if shell && strings.Trim(a.Target, blanks) != "" {
		return []string{"sh", "-c", a.Target}, nil
	}
	words, err := splitWords(a.Target)
	if err == nil && (len(words) == 0 || words[0] == "") {
		err = sock.Mistake("no command is named; write for example exec:cat or exec:'sort -r'")
	}
	return words, err
}

func meansOf(a parley.Addr) (means, error) {
	socket, err := flagOf(a, "socket", false)
	if err != nil {
		return byPipes, err
	}
	terminal, err := flagOf(a, "pty", false)
	switch {
	case err != nil:
		return byPipes, err
	case socket && terminal:
		return byPipes, sock.Mistake("params socket and pty: a command can have one of them")
	case socket:
		return bySocket, nil
	case terminal:
		return byTerminal, nil
	}
	return byPipes, nil
}

// stderrOf says where the standard error goes. On a terminal it is that, unless something else is said.
func stderrOf(a parley.Addr, by means) (string, error) {
	where, ok := a.Params["stderr"]
	switch {
	case !ok && by == byTerminal:
		return "merge", nil
	case !ok:
		return "inherit", nil
	case !slices.Contains([]string{"inherit", "null", "merge"}, where):
		return "", sock.Mistake("param stderr=%s: write inherit, null or merge", where)
	}
	return where, nil
}

// parseEnv reads NAME=VALUE,NAME=VALUE. A backslash takes a comma, or itself, into the value.
func parseEnv(text string) (env []string, err error) {
	if text == "" {
		return nil, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ',':
			env = append(env, b.String())
			b.Reset()
			continue
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`\,`, text[i+1]) >= 0:
			i++
		}
		b.WriteByte(text[i])
	}
	env = append(env, b.String())
	for _, v := range env {
		if strings.ContainsRune(v, 0) {
			return nil, sock.Mistake("param env=%q has a zero byte, which no variable can hold", text)
		}
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			return nil, sock.Mistake(`param env=%s: %q is not NAME=VALUE; a comma in a value is written \,`, text, v)
		}
	}
	return env, nil
}

// managerVariables are those by which a service manager talks to this program (sd_notify(3), sd_listen_fds(3),
// sd_watchdog_enabled(3)). A process that had them could say that the service is ready, or is ending.
var managerVariables = []string{
	"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
}

// environment returns inherited without managerVariables, and with own. Of each name the last value counts.
func environment(inherited, own []string) (env []string) {
	for i, v := range slices.Concat(inherited, own) {
		name, _, _ := strings.Cut(v, "=")
		if i < len(inherited) && slices.Contains(managerVariables, name) {
			continue
		}
		if at := slices.IndexFunc(env, func(w string) bool { return strings.HasPrefix(w, name+"=") }); at >= 0 {
			env[at] = v
			continue
		}
		env = append(env, v)
	}
	return env
}

// launch finds the program.
func (j *job) launch() (*child.Launch, error) {
	if err := checkDir(j.dir); err != nil {
		return nil, fmt.Errorf("command %s cannot run in %s: %w", j.words[0], j.dir, err)
	}
	program, err := lookUp(j.words[0], j.dir)
	if err != nil {
		return nil, fmt.Errorf("command %s cannot be run: %w", j.words[0], err)
	}
	return &child.Launch{Program: program, Args: j.words, Dir: j.dir, Env: environment(os.Environ(), j.env)}, nil
}

func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return errors.Unwrap(err) // which does not name it again
	}
	if !info.IsDir() {
		return errors.New("it is no directory")
	}
	return nil
}

// lookUp finds a program: in PATH, or where its name says, from dir on.
func lookUp(name, dir string) (string, error) {
	if filepath.Base(name) != name {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		var err error
		if name, err = filepath.Abs(name); err != nil {
			return "", err
		}
	}
	path, err := exec.LookPath(name)
	var unfound *exec.Error
	if errors.As(err, &unfound) {
		err = fmt.Errorf("%w; install it, or give its path", unfound.Err)
	}
	return path, err
}
