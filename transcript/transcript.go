// Package transcript writes and reads transcripts: what was said, by whom, when, as JSON lines.
//
// Every line is one JSON object (RFC 8259) of version 1 and tells one thing: that a conversation opened, that a message
// was said or heard, that an end hung up. A [Writer] writes them, each whole and with one call of Write, so that many
// conversations can share a file:
//
//	w := transcript.NewWriter(os.Stdout)
//	w.Write(transcript.Frame{Time: time.Now(), Call: 1, N: 1, Role: "client", Bytes: 6, Data: []byte("QUIT"), End: "crlf"})
//
// A [Reader] reads them back, and goes on after lines that it cannot read:
//
//	for line, err := range transcript.NewReader(file).Lines() {
//		if err != nil {
//			log.Print(err)
//			continue
//		}
//		if f, ok := line.(transcript.Frame); ok {
//			fmt.Printf("%s: %s\n", f.Role, f.Data)
//		}
//	}
//
// The format is described for readers in other languages in docs/transcript.md.
package transcript

// version is the v of every line. It changes only if a reader of version 1 would misread a line; new kinds of line and
// new keys do not change it, as readers skip what they do not know.
const version = 1

// The kinds of line: the t of each. A Frame is said or heard.
const (
	kindHello      = "hello"
	kindOpened     = "opened"
	kindSaid       = "said"
	kindHeard      = "heard"
	kindHalfClosed = "half-closed"
	kindClosed     = "closed"
	kindLost       = "lost"
	kindVerdict    = "verdict"
	kindViolation  = "violation"
)
