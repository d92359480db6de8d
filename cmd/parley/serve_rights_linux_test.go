package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// statusOf returns a line of /proc/PID/status.
func statusOf(t *testing.T, p *program, key string) string {
	t.Helper()
	text := contents(t, fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	m := regexp.MustCompile(`(?m)^` + key + `:\s*(.*)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %s", key, text)
	}
	return m[1]
}

// hasLandlock reports whether this kernel has it: landlock_create_ruleset answers with its version.
func hasLandlock() bool {
	const createRuleset, askVersion = 444, 1
	_, _, errno := syscall.Syscall(createRuleset, 0, 0, askVersion)
	return errno == 0
}

// TestSandbox: a server cannot open what its command line does not name, not even as root: here by way of a link that comes
// in the place of the rules.
func TestSandbox(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flag, told string }{
		{"--stats", `the rules stay as they were: open .*rules: permission denied`},
		{"--no-sandbox", `the rules have been read again`},
	} {
		t.Run(tt.flag, func(t *testing.T) {
			t.Parallel()
			if !hasLandlock() {
				t.Skip("this kernel has no Landlock")
			}
			rules, elsewhere := file(t, "rules", "allow all\n"), file(t, "rules", "deny 127.0.0.2\n")
			v, address := serving1(t, "serve", "echo=tcp:127.0.0.1:0", "--rules", rules, tt.flag)
			link(t, elsewhere, rules+".new")
			if err := os.Rename(rules+".new", rules); err != nil {
				t.Fatal(err)
			}
			v.err.await(t, tt.told)
			if want := map[bool]string{true: "1", false: "0"}[tt.flag != "--no-sandbox"]; statusOf(t, v, "NoNewPrivs") != want {
				t.Errorf("NoNewPrivs is %s, want %s", statusOf(t, v, "NoNewPrivs"), want)
			}
			if got := exchange(t, address, "hello"); got != "hello" {
				t.Errorf("heard %q", got)
			}
		})
	}
}

// TestSandboxLetsWork: what a server with everything still needs after it has given up its rights.
func TestSandboxLetsWork(t *testing.T) {
	t.Parallel()
	cert := certify(t, "localhost", nil)
	name, rules, dir := file(t, "server.pem", contents(t, cert.file)), file(t, "rules", "allow all\n"), socketDir(t)
	v, at := serving(t, "serve", "echo=tls:127.0.0.1:0?cert="+name, "files=127.0.0.1:0", public(t), "chat="+dir+"/s", "daytime=127.0.0.1:0",
		"--rules", rules, "--allow", "localhost", "--log", "json", "--metrics", "127.0.0.1:0")
	p := start(t, peer(t, "curl", "-sS", "http://"+at[1]+"/sub/file.txt"))
	p.leaves(0, ``)
	p.says("a file\n")
	if got := exchange(t, at[3], ""); got == "" {
		t.Error("no date")
	}
	v.signal(syscall.SIGHUP)
	v.err.await(t, `"certificates have been read again"`)
	if text := v.err.text(); strings.Contains(text, "stays as it was") || strings.Contains(text, "stay as they were") {
		t.Errorf("the sandbox is too tight: %s", text)
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
	if _, err := os.Stat(dir + "/s"); err == nil {
		t.Error("the socket is left")
	}
}

// TestNoSandboxForCommands: a command may need any right.
func TestNoSandboxForCommands(t *testing.T) {
	t.Parallel()
	elsewhere := file(t, "somewhere", "read it\n")
	_, address := serving1(t, "serve", "exec=127.0.0.1:0", "--", "cat", elsewhere)
	if got := exchange(t, address, ""); got != "read it\n" {
		t.Errorf("heard %q", got)
	}
}

// TestBecomeUser: root opens the port, and then is nobody.
func TestBecomeUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		start(t, parley("serve", "echo=0", "--user", "root")).leaves(1, `--user`)
		t.Skip("only root can become somebody else")
	}
	v, address := serving1(t, "serve", "echo=tcp:127.0.0.1:0", "--user", "nobody")
	if got := statusOf(t, v, "Uid"); got != "65534\t65534\t65534\t65534" {
		t.Errorf("user %q", got)
	}
	if got := statusOf(t, v, "Groups"); strings.TrimSpace(got) != "" && !strings.Contains(got, "65534") {
		t.Errorf("groups %q", got)
	}
	if got := exchange(t, address, "hello"); got != "hello" {
		t.Errorf("heard %q", got)
	}
	_, address = serving1(t, "serve", "exec=127.0.0.1:0", "--user", "nobody", "--", "id", "-u")
	if got := exchange(t, address, ""); got != "65534\n" {
		t.Errorf("the command is of user %q", got)
	}
	start(t, parley("serve", "echo=0", "--user", "no-such-user")).leaves(2, `--user: .*no-such-user`)
}

// TestPortNeedsRight: a port under 1024, by one who may not.
func TestPortNeedsRight(t *testing.T) {
	t.Parallel()
	if strings.TrimSpace(contents(t, "/proc/sys/net/ipv4/ip_unprivileged_port_start")) != "1024" {
		t.Skip("here anybody may")
	}
	args := []string{"parley", "serve", "daytime"}
	if os.Geteuid() == 0 {
		args = append([]string{"setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-all"}, args...)
	}
	start(t, peer(t, args[0], args[1:]...)).leaves(4, `:13.*permission denied; ports under 1024 need root, or: sysctl net\.ipv4\.ip_unprivileged_port_start`)
}

// TestPortTaken: somebody else is there already; nothing is served.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	_, address := serving1(t, "serve", "echo=tcp:127.0.0.1:0")
	port := portOf(t, address)
	for _, args := range []string{"serve echo=tcp:" + port, "answer " + port + " --say yes", "serve discard=tcp:0 echo=tcp:" + port, "serve echo=0 --metrics " + port} {
		start(t, parley(strings.Fields(args)...)).leaves(4, `address already in use.*; choose another address; port 0 is a free one`)
	}
}

// TestNoDescriptors: those that are there are served while there are no descriptors for more, and the others after them.
func TestNoDescriptors(t *testing.T) {
	t.Parallel()
	name := t.TempDir() + "/ready"
	v := start(t, exec.Command("sh", "-c", `ulimit -n 40; exec parley serve echo=tcp:127.0.0.1:0 --ready-file "$0" --no-sandbox`, name))
	address := readyFile(t, v, name)[0]
	first := talk(t, address)
	first.say("first\n")
	first.hears("first\n")
	var others []net.Conn
	for range 60 {
		others = append(others, dial(t, "tcp", address))
	}
	v.err.await(t, `cannot accept callers, will try again .*too many open files`)
	first.say("still here\n")
	first.hears("still here\n")
	late := talk(t, address)
	late.say("late\n")
	for _, c := range others {
		c.Close()
	}
	late.hears("late\n")
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// TestNoDescriptorsForCommands: a command that cannot be started is a failure like any other.
func TestNoDescriptorsForCommands(t *testing.T) {
	t.Parallel()
	name := t.TempDir() + "/ready"
	v := start(t, exec.Command("sh", "-c", `ulimit -n 30; exec parley answer 127.0.0.1:0 --keep --ready-file "$0" -- cat`, name))
	address := readyFile(t, v, name)[0]
	first := talk(t, address)
	first.say("hello\n")
	first.hears("hello\n")
	var others []*talker
	for range 20 {
		c := talk(t, address)
		c.say("hello\n")
		others = append(others, c)
	}
	v.err.await(t, `failed .*too many open files`)
	first.say("still here\n")
	first.hears("still here\n")
	for _, c := range others {
		c.Close()
	}
	if !poll(func() bool { return isServed(t, address) }) {
		t.Error("nobody is served any more")
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
	if strings.Contains(v.err.text(), "panic") {
		t.Errorf("panicked: %s", v.err.text())
	}
}

func isServed(t *testing.T, address string) bool {
	c := talk(t, address)
	defer c.Close()
	if _, err := c.Write([]byte("hello\n")); err != nil {
		return false
	}
	got, err := c.buf.ReadString('\n')
	return err == nil && got == "hello\n"
}

// TestActivation: systemd opens the sockets, and parley takes them by their names.
func TestActivation(t *testing.T) {
	t.Parallel()
	one, two := freePort(t), freePort(t)
	parley, err := exec.LookPath("parley")
	if err != nil {
		t.Fatal(err)
	}
	v := start(t, peer(t, "systemd-socket-activate", "-l", "127.0.0.1:"+one, "-l", "127.0.0.1:"+two, "--fdname=first:second",
		parley, "serve", "echo=systemd:second", "chat=systemd:first"))
	v.err.await(t, `Listening on .*\n.*Listening on `)
	if got := exchange(t, "127.0.0.1:"+two, "hello"); got != "hello" {
		t.Errorf("heard %q", got)
	}
	talk(t, "127.0.0.1:"+one).until("you are [1 guest1]")
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
	start(t, exec.Command("parley", "serve", "echo=systemd:none")).leaves(2, `systemd`)
}
