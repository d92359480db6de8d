//go:build unix

package main

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// TestForgery: whatever a caller says, it is one line, and its own.
func TestForgery(t *testing.T) {
	t.Parallel()
	v, address := listen(t, parley("listen", "0", "--tag", "--count", "2", "--frame", "nul"))
	honest, forger := dial(t, "tcp", address), dial(t, "tcp", address)
	write(t, honest, "hello\x00")
	v.out.await(t, "1\thello\n")
	write(t, forger, "x\n1\tI am number one\x00")
	write(t, forger, "\r1\tover it\x00")
	write(t, forger, "back\\slash \\n \x1b[2J \xff\xfe \u202e \u2028 é\x00")
	honest.Close()
	forger.Close()
	v.leaves(0, ``)
	v.says("1\thello\n" +
		"2\tx\\n1\\tI am number one\n" +
		"2\t\\r1\\tover it\n" +
		"2\tback\\\\slash \\\\n \\x1b[2J \\xff\\xfe \\xe2\\x80\\xae \\xe2\\x80\\xa8 é\n")
}

// TestSplitLine: a line that comes in two writes is one line.
func TestSplitLine(t *testing.T) {
	t.Parallel()
	v, address := listen(t, parley("listen", "0", "--tag", "--count", "2"))
	c, d := dial(t, "tcp", address), dial(t, "tcp", address)
	write(t, c, "first ")
	write(t, d, "between\n")
	v.out.await(t, "between\n")
	write(t, c, "half\n")
	c.Close()
	d.Close()
	v.leaves(0, ``)
	v.says("2\tbetween\n1\tfirst half\n")
}

// TestAnswers: lines on standard input answer one caller, or all; what cannot be said is told, and the rest goes on.
func TestAnswers(t *testing.T) {
	t.Parallel()
	cmd := parley("listen", "0", "--tag", "--count", "2")
	in := input(t, cmd)
	v, address := listen(t, cmd)
	one, two := dial(t, "tcp", address), dial(t, "tcp", address)
	write(t, one, "I am one\n")
	v.out.await(t, "1\tI am one\n")
	write(t, two, "I am two\n")
	v.out.await(t, "2\tI am two\n")

	for _, mistake := range []struct{ line, note string }{
		{"no tab here", `answer "no tab here" not said: "no tab here" is neither a caller's number nor \*; write ID, a tab and the text`},
		{"x\thello", `answer "x\\thello" not said: "x" is neither a caller's number nor \*`},
		{"0\thello", `"0" is neither a caller's number nor \*`},
		{"-1\thello", `"-1" is neither a caller's number nor \*`},
		{"3\thello", `answer not said: caller 3 is not there`},
		{`1` + "\t" + `hello\q`, `is no escape; there are \\\\ \\n \\r \\t and \\xHH`},
		{`1` + "\t" + `hello\`, `is no escape`},
		{`1` + "\t" + `hello\x4`, `is no escape`},
		{`1` + "\t" + `two\nlines`, `caller 1 \(127\.0\.0\.1:\d+\): answer not said: .*the text contains its own end`},
	} {
		write(t, in, mistake.line+"\n")
		v.err.await(t, mistake.note)
	}

	write(t, in, "2\tto two: \\x41\\ttab \\\\\n*\tto all\n1\tto one\n")
	for _, c := range []struct {
		of   io.Reader
		want string
	}{{one, "to all\nto one\n"}, {two, "to two: A\ttab \\\nto all\n"}} {
		got := make([]byte, len(c.want))
		if _, err := io.ReadFull(c.of, got); err != nil || string(got) != c.want {
			t.Errorf("heard %q (%v), want %q", got, err, c.want)
		}
	}

	// A number alone is the end for that caller, the end of standard input is it for all.
	write(t, in, "2\n")
	heardEnd(t, two)
	write(t, in, "1\tyou are still there\n")
	in.Close()
	if rest, err := io.ReadAll(one); err != nil || string(rest) != "you are still there\n" {
		t.Errorf("heard %q, %v", rest, err)
	}
	one.Close()
	two.Close()
	v.leaves(1, ``) // not every answer was said
}

func heardEnd(t *testing.T, c io.Reader) {
	t.Helper()
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		t.Errorf("heard %q, %v, want the end", rest, err)
	}
}

// TestLateAnswer: who has said its end gets the answers that it is owed, one to each message.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	cmd := parley("listen", "0", "--tag", "--count", "1")
	in := input(t, cmd)
	v, address := listen(t, cmd)
	p := start(t, stdin(peer(t, "nc", strings.Fields("-N "+strings.Replace(address, ":", " ", 1))...), "one\ntwo\n"))
	v.out.await(t, "1\tone\n1\ttwo\n")
	write(t, in, "1\tanswer to one\n")
	p.out.await(t, "answer to one\n")
	write(t, in, "1\tanswer to two\n")
	p.leaves(0, ``)
	p.says("answer to one\nanswer to two\n")
	v.leaves(0, ``)
}

// TestNoAnswers: a standard input that never gave an answer does not end the callers.
func TestNoAnswers(t *testing.T) {
	t.Parallel()
	v, address := listen(t, stdin(parley("listen", "0", "--tag", "--count", "1"), ""))
	c := dial(t, "tcp", address)
	for _, text := range []string{"one", "two"} {
		write(t, c, text+"\n")
		v.out.await(t, "1\t"+text+"\n")
	}
	c.Close()
	v.leaves(0, ``)
}

// TestShellServer: a program between the output of listen and its input is a server of many callers.
func TestShellServer(t *testing.T) {
	t.Parallel()
	cmd := parley("listen", "0", "--tag", "--count", "3")
	in := input(t, cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	v, address := listen(t, cmd)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			id, text, _ := strings.Cut(s.Text(), "\t")
			_, _ = io.WriteString(in, id+"\t"+strings.ToUpper(text)+"\n")
		}
	}()
	for _, word := range []string{"apple", "pear", "fig"} {
		p := start(t, parley("ask", address, word))
		p.leaves(0, ``)
		p.says(strings.ToUpper(word) + "\n")
	}
	<-done
	v.leaves(0, ``)
}
