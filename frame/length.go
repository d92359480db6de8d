package frame

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// prefixFormat is `u8`, `u16`, `u32` and `u64`: the length as an unsigned
// binary number, which does not count itself, then the text.
type prefixFormat struct {
	width  int  // of the number, in bytes: 1, 2, 4 or 8
	little bool // the least significant byte first; never with width 1
}

func (f prefixFormat) String() string {
	s := fmt.Sprintf("u%d", f.width*8)
	if f.little {
		s += " little"
	}
	return s
}

func (f prefixFormat) End() string {
	return "all the bytes that its " + f.String() + " length announces"
}

// most returns the longest length that the number can say.
func (f prefixFormat) most() uint64 { return math.MaxUint64 >> (64 - 8*f.width) }

func (f prefixFormat) Append(dst, text []byte) ([]byte, error) {
	if uint64(len(text)) > f.most() {
		why := fmt.Sprintf("%d bytes, a %s length can say at most %d; use a wider one", len(text), f, f.most())
		return dst, &TextError{Format: f.String(), At: int(f.most()), Why: why, Err: ErrWrongSize}
	}
	var number [8]byte
	if f.little {
		binary.LittleEndian.PutUint64(number[:], uint64(len(text)))
		dst = append(dst, number[:f.width]...)
	} else {
		binary.BigEndian.PutUint64(number[:], uint64(len(text)))
		dst = append(dst, number[8-f.width:]...)
	}
	return append(dst, text...), nil
}

func (f prefixFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, err := f.find(data, seen, atEOF)
	if err != nil {
		return nil, 0, err
	}
	return s.text(data)
}

func (f prefixFormat) find(data []byte, _ int, _ bool) (span, error) {
	if len(data) < f.width {
		return span{}, nil
	}
	length := f.length(data)
	if length > uint64(math.MaxInt-f.width) {
		return span{}, malformed(f, data, 0, mostLength(f.width))
	}
	size := f.width + int(length)
	return span{from: f.width, to: size, size: size, whole: len(data) >= size}, nil
}

// length returns the number at the start of data.
func (f prefixFormat) length(data []byte) (n uint64) {
	for i := range f.width {
		if f.little {
			n |= uint64(data[i]) << (8 * i)
		} else {
			n = n<<8 | uint64(data[i])
		}
	}
	return n
}

// mostLength says in an error how long a text can be where extra more bytes
// are needed to carry it.
func mostLength(extra int) string {
	return fmt.Sprintf("a length of at most %d", math.MaxInt-extra)
}

// maxDigits is how many digits a length may have: as many as the largest
// int64. It bounds what is heard before a number is refused.
const maxDigits = 19

// digitsFormat is `decimal` and `netstring`: the length in decimal digits, a
// byte that ends them, the text, and for netstring a byte that ends it.
type digitsFormat struct {
	name  string
	after byte   // after the digits
	final string // after the text
}

// Made once, so that they are equal to themselves and found by Parse.
var (
	// decimal is octet counting, RFC 6587, section 3.4.1. There a length is
	// not 0; here it may be, so that every text can be said.
	decimal = digitsFormat{"decimal", ' ', ""}
	// netstring is https://cr.yp.to/proto/netstrings.txt.
	netstring = digitsFormat{"netstring", ':', ","}
)

func (f digitsFormat) String() string { return f.name }

func (f digitsFormat) End() string {
	if f.final != "" {
		return "all the bytes that its decimal length announces and then " + strconv.Quote(f.final)
	}
	return "all the bytes that its decimal length announces"
}

func (f digitsFormat) Append(dst, text []byte) ([]byte, error) {
	dst = strconv.AppendInt(dst, int64(len(text)), 10)
	dst = append(dst, f.after)
	dst = append(dst, text...)
	return append(dst, f.final...), nil
}

func (f digitsFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, err := f.find(data, seen, atEOF)
	if err != nil {
		return nil, 0, err
	}
	return s.text(data)
}

func (f digitsFormat) find(data []byte, _ int, _ bool) (span, error) {
	length, digits, err := f.length(data)
	if err != nil || digits == len(data) {
		return span{}, err
	}
	if data[digits] != f.after {
		return span{}, malformed(f, data, digits, "a digit or "+strconv.QuoteRune(rune(f.after)))
	}
	from := digits + 1
	if length > uint64(math.MaxInt-from-len(f.final)) {
		return span{}, malformed(f, data, 0, mostLength(from+len(f.final)))
	}
	to := from + int(length)
	size := to + len(f.final)
	if f.final != "" && to < len(data) && data[to] != f.final[0] {
		return span{}, malformed(f, data, to, strconv.Quote(f.final))
	}
	return span{from: from, to: to, size: size, whole: len(data) >= size}, nil
}

// length reads the digits at the start of data and returns how many there
// are; if that is all of data, more may follow.
func (f digitsFormat) length(data []byte) (n uint64, digits int, err error) {
	for digits < len(data) && isDigit(data[digits]) {
		switch {
		case digits == 1 && data[0] == '0':
			return 0, 0, malformed(f, data, 0, "a length without leading zeros")
		case digits == maxDigits:
			return 0, 0, malformed(f, data, 0, fmt.Sprintf("a length of at most %d digits", maxDigits))
		}
		n = n*10 + uint64(data[digits]-'0') // at most 19 digits: fits
		digits++
	}
	if digits == 0 && len(data) > 0 {
		return 0, 0, malformed(f, data, 0, "a digit")
	}
	return n, digits, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
