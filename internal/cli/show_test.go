package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/transcript"
)

// passed is what happens in a conversation.
var passed = []transcript.Line{
	transcript.Hello{Program: "parley"},
	transcript.Opened{Call: 17, Ends: []transcript.End{{Role: "client", Addr: "10.0.0.7:51234"}, {Role: "server", Addr: "mail:25"}}},
	transcript.Frame{Call: 17, N: 1, Role: "client", Bytes: 8, Data: []byte("EHLO x"), End: "crlf"},
	transcript.Frame{Call: 17, N: 2, Role: "server", Bytes: 900, Clipped: true, Data: []byte("250-\r\n\t\x1b[2Jé\xff250 HELP"), By: "read"},
	transcript.Frame{Call: 17, N: 3, Role: "client", Part: true},
	transcript.Lost{Call: 17, From: 4, Count: 212, Bytes: 91220, Why: "queue full"},
	transcript.HalfClosed{Call: 17, Role: "client"},
	transcript.Closed{Call: 17, Role: "server", How: transcript.HowReset, Untaken: 214},
	transcript.Closed{Call: 17, Role: "client", How: transcript.HowClean},
}

const passedText = `
17 opened: client 10.0.0.7:51234, server mail:25
17 client> EHLO x
17 server> 250-\r\n\t\x1b[2Jé\xff250 HELP… (900 bytes)
17 client>  (unfinished)
17 not shown: 212 messages, 91220 bytes (queue full)
17 client has said its end
17 server is closed: reset, 214 bytes said to it were not taken
17 client is closed
`

const passedHex = `
17 opened: client 10.0.0.7:51234, server mail:25
00000000  45 48 4c 4f 20 78                                 |EHLO x|            17 client
00000000  32 35 30 2d 0d 0a 09 1b  5b 32 4a c3 a9 ff 32 35  |250-....[2J...25|  17 server
00000010  30 20 48 45 4c 50                                 |0 HELP|            17 server… (900 bytes)
00000000                                                    ||                  17 client (unfinished)
17 not shown: 212 messages, 91220 bytes (queue full)
17 client has said its end
17 server is closed: reset, 214 bytes said to it were not taken
17 client is closed
`

// wholeLines refuses what does not end with a line end, which could be mixed with a note.
type wholeLines struct{ bytes.Buffer }

func (w *wholeLines) Write(p []byte) (int, error) {
	if len(p) > 0 && p[len(p)-1] != '\n' {
		return 0, errors.New("half a line")
	}
	return w.Buffer.Write(p)
}

func TestShow(t *testing.T) {
	for kind, want := range map[string]string{"text": passedText, "hex": passedHex} {
		var out wholeLines
		show, err := newShower(kind, &out)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range passed {
			show(l)
		}
		if got := "\n" + out.String(); got != want {
			t.Errorf("--show %s shows%swant%s", kind, got, want)
		}
	}
}

func TestShowJSON(t *testing.T) {
	var out, want bytes.Buffer
	show, err := newShower("json", &out)
	if err != nil {
		t.Fatal(err)
	}
	w := transcript.NewWriter(&want)
	for _, l := range passed {
		show(l)
		if err := w.Write(l); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), want.Bytes()) || out.Len() == 0 {
		t.Errorf("--show json shows\n%swant the transcript\n%s", out.Bytes(), want.Bytes())
	}
}

func TestShowUnknown(t *testing.T) {
	if _, err := newShower("xml", nil); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "text, hex and json") {
		t.Errorf("--show xml: %v", err)
	}
}

func TestShowsNobodyElsesRole(t *testing.T) {
	var out bytes.Buffer
	show, _ := newShower("text", &out)
	show(transcript.Frame{Time: time.Now(), Call: 1, Role: "\x1b[31m", Data: []byte("x")})
	show(transcript.Opened{Call: 1, Ends: []transcript.End{{Addr: "unix:\n\x07"}}})
	if want := "1 \\x1b[31m> x\n1 opened: unix:\\x0a\\x07\n"; out.String() != want {
		t.Errorf("shows %q, want %q", out.String(), want)
	}
}
