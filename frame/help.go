package frame

// A Help says how one form of the grammar is written and what it does.
type Help struct {
	Syntax  string // as Parse reads it; TEXT, N and [eol] are to be filled in
	Summary string // what ends the frame, in one line
	Wire    string // an example of the bytes on the wire, as a Go string without its quotes
}

// Formats returns the grammar, for help texts: one entry for each form,
// the commonest first. The slice belongs to the caller.
func Formats() []Help {
	return []Help{
		{`line`, `a line: says LF, hears LF or CRLF (the default)`, `hello\n`},
		{`lf`, `a line that ends in LF; a CR is part of it`, `hello\n`},
		{`crlf`, `a line that ends in CRLF; a CR or LF alone is part of it`, `hello\r\n`},
		{`[eol] blank line`, `lines, then an empty one; eol is line (if left out), lf or crlf`, `GET / HTTP/1.0\r\n\r\n`},
		{`[eol] 2 blank lines`, `lines, then two empty ones in a row`, `one\n\ntwo\n\n\n`},
		{`[eol] end "TEXT"`, `lines, then the line TEXT`, `name\nEND REQUEST\n`},
		{`[eol] end "." stuffed`, `lines, then "."; dots that begin a line are doubled (RFC 5321)`, `hi\r\n..\r\n.\r\n`},
		{`nul`, `a zero byte`, `hello\x00`},
		{`until "TEXT"`, `the bytes TEXT`, `hello--`},
		{`until close`, `the close or half-close of the stream; the last frame in its direction`, `hello`},
		{`N bytes`, `exactly N bytes`, `hello`},
		{`N bytes then crlf`, `exactly N bytes and an end: line, lf, crlf or "TEXT"`, `hello\r\n`},
		{`u8`, `the length in 1 byte, then as many bytes`, `\x05hello`},
		{`u16 [little]`, `the length in 2 bytes, big-endian unless little`, `\x00\x05hello`},
		{`u32 [little]`, `the length in 4 bytes`, `\x00\x00\x00\x05hello`},
		{`u64 [little]`, `the length in 8 bytes`, `\x00\x00\x00\x00\x00\x00\x00\x05hello`},
		{`decimal`, `the length in digits, a blank, the bytes (octet counting, RFC 6587)`, `5 hello`},
		{`netstring`, `the length in digits, a colon, the bytes, a comma`, `5:hello,`},
		{`packet`, `one datagram`, `hello`},
		{`any`, `whatever one read returns: where it ends is chance`, `hello`},
	}
}
