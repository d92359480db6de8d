package cli

import (
	"context"
	"regexp"
	"testing"

	"parley"
	"parley/frame"
)

func TestTourEndsReply(t *testing.T) {
	tests := []struct{ role, frame, request, want string }{
		{"page", "crlf blank line", "GET /index HTTP/1.0\nHost: here", "^HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nThis is /index.\n$"},
		{"page", "crlf blank line", "HELLO", "^HTTP/1.0 400 Bad Request\r\n\r\n$"},
		{"request", `end "END REQUEST"`, "a\nb", "^I heard 2 lines.\nThe last is \"b\".\n$"},
		{"request", `end "END REQUEST"`, "", "^I heard 1 line.\nThe last is \"\".\n$"},
		{"daytime", "line", "I need not say anything", `^[A-Z][a-z]+day, [A-Z][a-z]+ \d+, \d{4} \d\d:\d\d:\d\d-UTC` + "\r\n$"},
	}
	for _, tt := range tests {
		reply := askRole(t, tt.role, tt.frame, tt.request)
		if !regexp.MustCompile(tt.want).MatchString(reply) {
			t.Errorf("%s: %q: got %q, want %q", tt.role, tt.request, reply, tt.want)
		}
	}
}

// askRole asks a role of tour-end that holds one conversation.
func askRole(t *testing.T, name, format, request string) string {
	t.Helper()
	ctx := t.Context()
	asking := parley.Config{Frame: frame.MustParse(format), HearFrame: frame.UntilClose()}
	answering := parley.Config{Frame: asking.HearFrame, HearFrame: asking.Frame}
	ln, err := answering.Listen(ctx, "0")
	if err != nil {
		t.Fatal(err)
	}
	e := &tourEnd{u: new(ui), count: 1}
	done := make(chan error, 1)
	go func() { done <- e.takeCallers(context.WithoutCancel(ctx), ln, handlers[name]) }()
	c, err := asking.Dial(ctx, ln.Address())
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.Ask(ctx, []byte(request))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return string(reply)
}

var handlers = map[string]parley.Handler{"daytime": daytime, "page": page, "request": request}
