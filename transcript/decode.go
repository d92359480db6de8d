package transcript

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// head is what every line begins with. V is raw so that any version can be named in the error.
type head struct {
	V  json.RawMessage `json:"v"`
	T  string          `json:"t"`
	TS string          `json:"ts"`
}

// decodeLine returns neither a Line nor an error for a kind that it does not know.
func decodeLine(text []byte) (Line, error) {
	// encoding/json would read U+FFFD in place of broken bytes, and say nothing.
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8, which JSON must be")
	}
	var h head
	err := json.Unmarshal(text, &h)
	if h.V != nil && !isVersion1(h.V) { // said first: in another version, other errors mean little
		return nil, fmt.Errorf("version %.40q: %w", h.V, ErrVersion)
	}
	if err != nil {
		return nil, explain(err)
	}
	if h.V == nil || h.T == "" {
		return nil, errors.New(`no key "v" or no key "t": not a line of a transcript`)
	}
	var ts stamp
	if err := ts.UnmarshalText([]byte(h.TS)); err != nil {
		return nil, fmt.Errorf(`key "ts": %w`, err)
	}
	return decodeKind(text, h.T, time.Time(ts))
}

func isVersion1(v json.RawMessage) bool {
	var n *float64 // a pointer, so that null is not taken for a number
	return json.Unmarshal(v, &n) == nil && n != nil && *n == version
}

func decodeKind(text []byte, kind string, ts time.Time) (Line, error) {
	switch kind {
	case kindSaid, kindHeard:
		return decodeFrame(text, kind, ts)
	case kindHello:
		return decodeInto(text, Hello{Time: ts})
	case kindOpened:
		return decodeInto(text, Opened{Time: ts})
	case kindHalfClosed:
		return decodeInto(text, HalfClosed{Time: ts})
	case kindClosed:
		return decodeInto(text, Closed{Time: ts})
	case kindLost:
		return decodeInto(text, Lost{Time: ts})
	case kindVerdict:
		return decodeVerdict(text, ts)
	case kindViolation:
		return decodeInto(text, Violation{Time: ts})
	}
	return nil, nil
}

// decodeInto adds the keys of text to l, which has its Time.
func decodeInto[L Line](text []byte, l L) (Line, error) {
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, explain(err)
	}
	return l, nil
}

// wireFrame is a Frame as a line has it. Pointers tell a key that is absent from one that is empty or 0.
type wireFrame struct {
	Call  int64   `json:"call"`
	N     int64   `json:"n"`
	Role  string  `json:"role"`
	Bytes *int64  `json:"bytes"`
	Kept  *int64  `json:"kept"`
	Text  *string `json:"text"`
	B64   *string `json:"b64"`
	Part  bool    `json:"part"`
	End   string  `json:"end"`
	By    string  `json:"by"`
	Line  int     `json:"line"`
}

func decodeFrame(text []byte, kind string, ts time.Time) (Line, error) {
	var w wireFrame
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, explain(err)
	}
	if w.Bytes == nil {
		return nil, errors.New(`no key "bytes"`)
	}
	data, err := w.data()
	if err != nil {
		return nil, err
	}
	if w.Kept != nil && *w.Kept != int64(len(data)) {
		return nil, fmt.Errorf(`key "kept" says %d, but %d bytes are there`, *w.Kept, len(data))
	}
	return Frame{
		Heard: kind == kindHeard, Time: ts, Call: w.Call, N: w.N, Role: w.Role,
		Bytes: *w.Bytes, Clipped: w.Kept != nil, Data: data,
		Part: w.Part, End: w.End, By: w.By, Line: w.Line,
	}, nil
}

// data returns the bytes of the message, nil if there are none.
func (w *wireFrame) data() ([]byte, error) {
	if (w.Text == nil) == (w.B64 == nil) {
		return nil, errors.New(`one of the keys "text" and "b64" must be there, and not both`)
	}
	var data []byte
	if w.Text != nil {
		data = []byte(*w.Text)
	} else {
		var err error
		if data, err = base64.StdEncoding.DecodeString(*w.B64); err != nil {
			return nil, fmt.Errorf(`key "b64" is not base64: %w`, err)
		}
	}
	if len(data) == 0 {
		return nil, nil
	}
	return data, nil
}

func decodeVerdict(text []byte, ts time.Time) (Line, error) {
	var w wireVerdict
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, explain(err)
	}
	facts, err := compactFacts(w.Facts)
	if err != nil {
		return nil, err
	}
	return Verdict{
		Time: ts, Call: w.Call, Code: w.Code, Confidence: w.Confidence,
		Since: time.Time(w.Since), Says: w.Says, Facts: facts,
	}, nil
}

// explain says in the words of the format what encoding/json says in words of Go.
func explain(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return fmt.Errorf("a JSON %s, and not an object", wrong.Value)
		}
		return fmt.Errorf("key %q cannot hold a JSON %s", wrong.Field, wrong.Value)
	}
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON: %w (at byte %d)", bad, bad.Offset)
	}
	return err
}
