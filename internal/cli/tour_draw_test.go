package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// said is an arrow as it should be.
func said(talk int, from, wire string) arrow {
	return arrow{talk: talk, from: from, wire: []byte(wire), text: []byte(wire), said: true, heard: true}
}

func ended(talk int, from string) arrow {
	return arrow{talk: talk, from: from, end: true, said: true, heard: true}
}

func drawn(u *ui, p *picture) string {
	return strings.Join((&touring{u: u}).draw(p), "\n") + "\n"
}

func TestTourDrawsOneConversation(t *testing.T) {
	lost := said(0, "client", "nobody hears this\n")
	lost.heard = false
	lostReply := said(0, "server", "nor this\n")
	lostReply.heard = false
	p := &picture{talks: []talk{{"", "127.0.0.1:7070"}}, arrows: []arrow{
		said(0, "client", "GET / HTTP/1.0\r\n\r\n"),
		said(0, "server", "no line end"),
		said(0, "server", ""),
		said(0, "client", "\x1b]0;title\a\xff\n"),
		said(0, "client", strings.Repeat("long ", 30)+"\n"),
		lost,
		lostReply,
		ended(0, "server"),
		ended(0, "client"),
	}}
	want := `
   client                                                    server
      |----- GET / HTTP/1.0\r\n ------------------------------>|
      |      \r\n                                              |
      |<---- no line end --------------------------------------|
      |<---- (empty) ------------------------------------------|
      |----- \x1b]0;title\x07\xff\n -------------------------->|
      |----- long long long long long long long long l...\n -->|
      |----- nobody hears this\n -----------------------------x|
      |x---- nor this\n ---------------------------------------|
      |<---- (end) --------------------------------------------|
      |----- (end) ------------------------------------------->|
`
	if got := "\n" + drawn(new(ui), p); got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
}

func TestTourDrawsSeveralCallersAndDoors(t *testing.T) {
	p := &picture{talks: []talk{{"anna", "127.0.0.1:7070"}, {"ben", "127.0.0.1:7071"}}, arrows: []arrow{
		said(0, "client", "from anna\n"),
		said(1, "client", "from\nben\n"),
		said(1, "server", "to ben\n"),
		said(0, "server", "to anna\n"),
	}}
	want := `
                                                               server
   anna |----- from anna\n ------------------------------------->| 7070
   ben  |----- from\n ------------------------------------------>| 7071
        |      ben\n                                             |
   ben  |<---- to ben\n -----------------------------------------| 7071
   anna |<---- to anna\n ----------------------------------------| 7070
`
	if got := "\n" + drawn(new(ui), p); got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
}

// Colours change nothing of what is drawn, and no line is too wide.
func TestTourDrawsTheSameInColour(t *testing.T) {
	p := &picture{talks: []talk{{"anna", "127.0.0.1:7070"}, {"ben", "127.0.0.1:7071"}}, arrows: []arrow{
		said(0, "client", strings.Repeat("ä", 100)+"\r\n"),
		said(1, "server", strings.Repeat("line\n", 100)),
		ended(1, "client"),
	}}
	plain, coloured := drawn(new(ui), p), drawn(&ui{colour: true}, p)
	if !strings.Contains(coloured, "\x1b[") {
		t.Fatal("there is no colour")
	}
	for _, code := range []string{"0", "2", "33", "36", "35"} {
		coloured = strings.ReplaceAll(coloured, "\x1b["+code+"m", "")
	}
	if coloured != plain {
		t.Errorf("without its colours it is\n%s\nwant\n%s", coloured, plain)
	}
	if strings.Contains(plain, "\x1b") {
		t.Errorf("there is colour in\n%s", plain)
	}
	for line := range strings.Lines(plain) {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(plain, "(and 93 more lines)") {
		t.Errorf("a message of 100 lines is drawn as\n%s", plain)
	}
}
