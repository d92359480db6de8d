package main

import (
	"strings"
	"testing"

	"parley/internal/cli"
)

func TestText(t *testing.T) {
	tests := []struct{ name, help, want string }{
		{"backslashes stay", `\n \\`, `\en \e\e` + "\n"},
		{"a dot is no request", ".so", `\&.so` + "\n"},
		{"options can be copied", "--frame 'x'", `\-\-frame \(aqx\(aq` + "\n"},
		{"paragraphs", "one\n\ntwo", "one\n.PP\ntwo\n"},
		{"two columns", "  7070    a port", ".TP\n\\fB7070\\fR\na port\n"},
		{"three columns", "  tcp   HOST:PORT   TCP over IPv4", ".TP\n\\fBtcp HOST:PORT\\fR\nTCP over IPv4\n"},
		{"a line that goes on", "  nul   a byte\n                          more", ".TP\n\\fBnul\\fR\na byte\n.br\nmore\n"},
		{"a heading in a list", "\n  tcp, tcp4\n    reuse   bind", ".PP\n\\fItcp, tcp4\\fR\n.TP\n\\fBreuse\\fR\nbind\n"},
	}
	for _, test := range tests {
		var r roff
		r.text(test.help)
		if got := r.String(); got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
}

// Every page of a verb tells the exit codes, and names its options.
func TestManual(t *testing.T) {
	pages, err := manual(cli.NewCommand())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, p := range pages {
		texts[p.file()] = p.text
		for _, part := range []string{".SH EXIT STATUS\n.TP\n\\fB0\\fR\n", ".SH ENVIRONMENT\n", ".SH SEE ALSO\n"} {
			if p.section == 1 && !strings.Contains(p.text, part) {
				t.Errorf("%s lacks %q", p.file(), part)
			}
		}
	}
	if !strings.Contains(texts["parley-listen.1"], `\fB\-\-ready\-file\fR`) {
		t.Error("parley-listen.1 does not name --ready-file")
	}
	if !strings.Contains(texts["parley-formats.7"], "\\fBcrlf\\fR\n") {
		t.Error("parley-formats.7 does not list crlf")
	}
}
