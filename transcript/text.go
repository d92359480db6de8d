package transcript

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

// appendData appends the text key or the b64 key for the bytes of a message: the one place where that is decided.
func appendData(dst, data []byte) []byte {
	if isText(data) {
		dst = append(dst, `,"text":`...)
		return appendQuoted(dst, data)
	}
	dst = append(dst, `,"b64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, data)
	return append(dst, '"')
}

// isText reports whether data is valid UTF-8 without control characters other than tab, CR and LF.
func isText(data []byte) bool {
	for i := 0; i < len(data); {
		c := data[i]
		if plain[c] || c == '"' || c == '\\' || c == '\t' || c == '\r' || c == '\n' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			return false
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || isControl(r) {
			return false
		}
		i += size
	}
	return true
}

// isControl reports whether r is a control character: C0, DEL or C1 (Unicode, category Cc).
func isControl(r rune) bool {
	return r < 0x20 || 0x7f <= r && r <= 0x9f
}

// mustEscape reports whether r is written as \u although JSON does not ask for it (RFC 8259, section 7). A control
// character would reach the terminal of whoever prints the file; U+2028 and U+2029 end a line for JavaScript and others.
func mustEscape(r rune) bool {
	return isControl(r) || r == '\u2028' || r == '\u2029'
}

// plain marks the ASCII characters that stand for themselves in a JSON string.
var plain = func() (table [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// appendQuoted appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted[T []byte | string](dst []byte, s T) []byte {
	dst = append(dst, '"')
	copied := 0 // s[:copied] is in dst
	for i := 0; i < len(s); {
		if plain[s[i]] {
			i++
			continue
		}
		// The conversion is of at most four bytes and stays on the stack.
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		if broken := r == utf8.RuneError && size == 1; broken || r < utf8.RuneSelf || mustEscape(r) {
			dst = append(dst, s[copied:i]...)
			dst = appendEscape(dst, r)
			copied = i + size
		}
		i += size
	}
	dst = append(dst, s[copied:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\t':
		return append(dst, `\t`...)
	case '\r':
		return append(dst, `\r`...)
	case '\n':
		return append(dst, `\n`...)
	}
	return appendUnicode(dst, r)
}

// appendUnicode appends r, which is below U+10000, as \u and four hexadecimal digits.
func appendUnicode(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendJSON appends JSON that encoding/json made, which leaves DEL, C1 and broken UTF-8 as they are. They stand only
// inside strings, so each can be replaced where it stands.
func appendJSON(dst, doc []byte) []byte {
	for _, r := range string(doc) {
		if mustEscape(r) {
			dst = appendUnicode(dst, r)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// compactFacts returns doc as a line holds it, so that what is read is what is written again.
func compactFacts(doc json.RawMessage) (json.RawMessage, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	var small bytes.Buffer
	if err := json.Compact(&small, doc); err != nil {
		return nil, err
	}
	return appendJSON(nil, small.Bytes()), nil
}
