package transcript_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"parley/transcript"
)

func Example() {
	const file = `{"v":1,"t":"said","ts":"2026-03-01T10:12:07.200450Z","call":1,"n":1,"role":"client","bytes":6,"text":"NOOP","end":"crlf"}
{"v":1,"t":"heard","ts":"2026-03-01T10:12:07.204000Z","call":1,"n":2,"role":"server","bytes":8,"text":"250 OK","end":"crlf"}
{"v":1,"t":"closed","ts":"2026-03-01T10:1`

	for line, err := range transcript.NewReader(strings.NewReader(file)).Lines() {
		if err != nil {
			fmt.Println(err)
			continue
		}
		if f, ok := line.(transcript.Frame); ok {
			fmt.Printf("%s: %s\n", f.Role, f.Data)
		}
	}
	// Output:
	// client: NOOP
	// server: 250 OK
	// transcript: line 3: cut off after 41 bytes: its writer was stopped, or is still writing
}

func ExampleWriter() {
	w := transcript.NewWriter(os.Stdout)
	now := time.Date(2026, 3, 1, 10, 12, 7, 200_450_000, time.UTC)
	lines := []transcript.Line{
		transcript.Opened{Time: now, Call: 1, Ends: []transcript.End{{Role: "client", Addr: "10.0.0.7:51234"}}},
		transcript.Frame{Time: now, Call: 1, N: 1, Role: "client", Bytes: 6, Data: []byte("QUIT"), End: "crlf"},
		transcript.Closed{Time: now, Call: 1, Role: "client", How: transcript.HowClean},
	}
	for _, l := range lines {
		if err := w.Write(l); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// {"v":1,"t":"opened","ts":"2026-03-01T10:12:07.200450Z","call":1,"ends":[{"role":"client","addr":"10.0.0.7:51234"}]}
	// {"v":1,"t":"said","ts":"2026-03-01T10:12:07.200450Z","call":1,"n":1,"role":"client","bytes":6,"text":"QUIT","end":"crlf"}
	// {"v":1,"t":"closed","ts":"2026-03-01T10:12:07.200450Z","call":1,"role":"client","how":"clean"}
}

// A reader that cannot do with less than the whole file stops at the first error that is not a cut end.
func ExampleCutError() {
	whole := true
	for _, err := range transcript.NewReader(strings.NewReader(`{"v":1,"t":"cl`)).Lines() {
		if _, cut := errors.AsType[*transcript.CutError](err); cut {
			whole = false
		} else if err != nil {
			fmt.Println(err)
			break
		}
	}
	fmt.Println("whole:", whole)
	// Output: whole: false
}
