package transcript

import (
	"encoding/json"
	"time"
)

// A Line is one line of a transcript: a [Hello], [Opened], [Frame], [HalfClosed], [Closed], [Lost], [Verdict] or
// [Violation], as a value and not a pointer.
//
// What they share: Time is written in UTC to the microsecond, anything finer is dropped; its year must be 0 to 9999
// (RFC 3339, section 1). Call is the number of the conversation, counted from 1, and 0 on a line that belongs to none.
// Role is who of the two ends it was, by the name the script or the program gives it, such as client. Keys whose value
// is zero or empty are left out, except where a field says otherwise. Strings are text: bytes in them that are not
// UTF-8 are written as U+FFFD. The field order is the order of the keys.
type Line interface{ isLine() }

// Hello is the first line of a transcript: who writes it. It comes again where a later run appends to the same file.
type Hello struct {
	Time    time.Time `json:"-"`
	Program string    `json:"program,omitempty"` // name and version, such as "parley 0.4"
	Verb    string    `json:"verb,omitempty"`    // what it was asked to do, such as "relay"
	Address []string  `json:"address,omitempty"` // as they were given
}

// Opened says that a conversation began.
type Opened struct {
	Time    time.Time         `json:"-"`
	Call    int64             `json:"call,omitempty"`
	Ends    []End             `json:"ends,omitempty"`
	Formats map[string]string `json:"frame,omitempty"`  // by role, how its messages end, such as "crlf"; keys are sorted
	Script  string            `json:"script,omitempty"` // the script it is held to
}

// An End is one of the ends of a conversation.
type End struct {
	Role string `json:"role,omitempty"`
	Addr string `json:"addr,omitempty"`
	PID  int    `json:"pid,omitempty"`  // process number, where it runs on this machine and is known
	Name string `json:"name,omitempty"` // of that program
}

// Frame is one message, said or heard.
type Frame struct {
	Heard   bool // whether the writer heard it; false is said, by the writer or, in a relay, by either end
	Time    time.Time
	Call    int64
	N       int64 // number of the message in its conversation, counted from 1 over both ends
	Role    string
	Bytes   int64  // size on the wire, end mark included; always written
	Clipped bool   // Data is only the first len(Data) bytes, the rest was not kept; written as kept
	Data    []byte // without the end mark; always written: as text if it is text, else as base64
	Part    bool   // unfinished; the whole message follows under the same N, unless the conversation ended before
	End     string // how its end was known, such as "crlf", "count" or "close"
	By      string // what gave the message, where it was not the end itself, such as "page"
	Line    int    // line of the script that it matches, counted from 1
}

// HalfClosed says that an end has said that it will say no more.
type HalfClosed struct {
	Time time.Time `json:"-"`
	Call int64     `json:"call,omitempty"`
	Role string    `json:"role,omitempty"`
}

// Closed says that an end let go of the conversation.
type Closed struct {
	Time    time.Time `json:"-"`
	Call    int64     `json:"call,omitempty"`
	Role    string    `json:"role,omitempty"`
	How     string    `json:"how,omitempty"`     // one of the How words; a reader must expect others
	Untaken int64     `json:"untaken,omitempty"` // bytes said to this end that its system never took; 0 is none, or not known
}

// How an end closed, in [Closed].
const (
	HowClean       = "clean"       // after a half-close or at a message's end: nothing is missing
	HowTimeout     = "timeout"     // a limit of time ended it
	HowReset       = "reset"       // broken off: some of what was said may be lost
	HowTruncated   = "truncated"   // in the middle of a message
	HowInterrupted = "interrupted" // by the person at the keyboard, or a signal
)

// Lost says that messages are missing from the transcript, though the conversation had them.
type Lost struct {
	Time  time.Time `json:"-"`
	Call  int64     `json:"call,omitempty"`
	From  int64     `json:"from"` // N of the first that is missing
	Count int64     `json:"count"`
	Bytes int64     `json:"bytes"` // their sizes on the wire, together
	Why   string    `json:"why,omitempty"`
}

// Verdict is what an examination found.
type Verdict struct {
	Time       time.Time
	Call       int64
	Code       string          // what was found, in fixed words, such as "BOTH LISTEN"
	Confidence string          // "certain" or "likely"
	Since      time.Time       // when it began; zero is not known, and left out
	Says       string          // the finding, as a sentence for people
	Facts      json.RawMessage // what it rests on: any JSON, compacted when read or written
}

// Violation says that an end said what the script does not allow.
type Violation struct {
	Time    time.Time `json:"-"`
	Call    int64     `json:"call,omitempty"`
	N       int64     `json:"n,omitempty"` // of the message
	Role    string    `json:"role,omitempty"`
	Allowed []Allowed `json:"allowed,omitempty"` // what it could have said instead
	Because Because   `json:"because,omitzero"`  // what led to the place in the script where it did not fit
}

// Allowed is one message that a script allows.
type Allowed struct {
	Line int    `json:"line,omitempty"` // of the script, counted from 1
	Text string `json:"text"`           // as the script has it
}

// Because is the earlier message that decided what was allowed.
type Because struct {
	N    int64 `json:"n,omitempty"`
	Line int   `json:"line,omitempty"` // of the script, counted from 1
}

func (Hello) isLine()      {}
func (Opened) isLine()     {}
func (Frame) isLine()      {}
func (HalfClosed) isLine() {}
func (Closed) isLine()     {}
func (Lost) isLine()       {}
func (Verdict) isLine()    {}
func (Violation) isLine()  {}
