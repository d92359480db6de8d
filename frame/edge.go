package frame

import (
	"fmt"
	"io"
)

// The formats whose frames end where what carries them ends: the datagram,
// the stream, the read. They add nothing to the text.

// packetFormat is `packet`: one datagram.
type packetFormat struct{}

func (packetFormat) String() string { return "packet" }
func (packetFormat) End() string    { return "the end of the datagram" }

func (packetFormat) Append(dst, text []byte) ([]byte, error) { return append(dst, text...), nil }

func (f packetFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, _ := f.find(data, seen, atEOF)
	return s.text(data)
}

func (packetFormat) find(data []byte, _ int, _ bool) (span, error) {
	return allOf(data), nil
}

// closeFormat is `until close`: everything up to the end of the stream.
type closeFormat struct{}

func (closeFormat) String() string { return "until close" }
func (closeFormat) End() string    { return "the close" }

func (closeFormat) Append(dst, text []byte) ([]byte, error) { return append(dst, text...), nil }

func (f closeFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, _ := f.find(data, seen, atEOF)
	return s.text(data)
}

func (closeFormat) find(data []byte, _ int, atEOF bool) (span, error) {
	if !atEOF {
		return span{}, nil
	}
	return allOf(data), nil
}

// anyFormat is `any`: whatever one read returned.
type anyFormat struct{}

func (anyFormat) String() string { return "any" }
func (anyFormat) End() string    { return "any byte" }

func (anyFormat) Append(dst, text []byte) ([]byte, error) { return append(dst, text...), nil }

func (f anyFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, _ := f.find(data, seen, atEOF)
	return s.text(data)
}

func (anyFormat) find(data []byte, _ int, _ bool) (span, error) {
	if len(data) == 0 {
		return span{}, nil
	}
	return allOf(data), nil
}

func allOf(data []byte) span {
	return span{to: len(data), size: len(data), whole: true}
}

// ScanDatagram looks for one frame at the start of data, which is a datagram or the rest of one. The datagram's edge ends
// a line, or what ends in a NUL, as well as their own end does. Any other frame without its end has been cut short, which
// is an error that wraps [io.ErrUnexpectedEOF]. For the rest it is as [Format.Scan].
func ScanDatagram(f Format, data []byte) (text []byte, size int, err error) {
	text, size, err = f.Scan(data, 0, true)
	if text != nil || err != nil {
		return text, size, err
	}
	switch f {
	case Line(), LF(), CRLF(), NUL():
		return append([]byte{}, data...), len(data), nil
	}
	return nil, 0, fmt.Errorf("frame %s: a datagram of %d bytes without %s: %w", f, len(data), f.End(), io.ErrUnexpectedEOF)
}
