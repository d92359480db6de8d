package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"parley"
)

// MaxQuote is how long a quote may be as it is said, in bytes, its line ends included: RFC 865 allows 512 characters.
const MaxQuote = 512

// QOTD returns a handler that says one of quotes, chosen at random, and ends; a datagram is answered by one (RFC 865). Lines
// are said with CRLF, the last one too. What exceeds [MaxQuote] is cut off. No quotes mean a few that are built in.
func QOTD(quotes []string) parley.Handler {
	if len(quotes) == 0 {
		quotes = builtInQuotes
	}
	said := make([][]byte, len(quotes))
	for i, q := range quotes {
		said[i] = cutQuote(netLines(q))
	}
	choose := func() []byte { return said[rand.IntN(len(said))] }
	return func(ctx context.Context, c *parley.Conn) error {
		if c.KeepsEdges() {
			return answerEach(ctx, c, choose)
		}
		return sayLast(c, choose())
	}
}

// builtInQuotes are our own words, but for the two whose source they name.
var builtInQuotes = []string{
	"Be conservative in what you do,\nbe liberal in what you accept from others.\n\t-- Jon Postel, RFC 793",
	"It has to work.\n\t-- RFC 1925, the first networking truth",
	"Two who both listen are as silent as two who have hung up.",
	"Say when you have finished. Nobody can hear a silence end.",
	"A reply proves that you were heard. A full buffer proves nothing.",
}

// netLines returns q with CRLF line ends.
func netLines(q string) []byte {
	q = strings.TrimRight(strings.ReplaceAll(q, "\r\n", "\n"), "\n")
	return []byte(strings.ReplaceAll(q, "\n", "\r\n") + "\r\n")
}

// cutQuote cuts a quote that is too long off before a character, and ends its line again.
func cutQuote(q []byte) []byte {
	if len(q) <= MaxQuote {
		return q
	}
	end := MaxQuote - len("\r\n")
	for end > 0 && !utf8.RuneStart(q[end]) {
		end--
	}
	return append([]byte(strings.TrimRight(string(q[:end]), "\r\n")), "\r\n"...)
}

// A QuoteError says which quote [ReadQuotes] did not take.
type QuoteError struct {
	Line int // where the quote begins, from 1
	Size int // bytes as it would be said, CRLF line ends included
}

func (e *QuoteError) Error() string {
	return fmt.Sprintf("line %d: a quote of %d bytes, more than the %d that RFC 865 allows; shorten it", e.Line, e.Size, MaxQuote)
}

// ErrNoQuotes is what [ReadQuotes] returns if nothing is quoted.
var ErrNoQuotes = errors.New("no quotes in it; write some, with a line % between each two")

// ReadQuotes reads quotes as the files of the fortune program have them: texts of one or more lines, with a line that is
// just % between each two. Empty ones are left out; their lines end with LF, but for the last, which has no end. The error is a
// *[QuoteError] for a quote longer than [MaxQuote], [ErrNoQuotes], or that of r.
func ReadQuotes(r io.Reader) ([]string, error) {
	var quotes []string
	in := quoteReader{lines: bufio.NewReader(r), next: 1}
	for {
		q, err := in.quote()
		if err != nil && err != io.EOF {
			return nil, err
		}
		if q != "" {
			quotes = append(quotes, q)
		}
		if err == io.EOF {
			break
		}
	}
	if len(quotes) == 0 {
		return nil, ErrNoQuotes
	}
	return quotes, nil
}

// A quoteReader reads quotes and counts lines.
type quoteReader struct {
	lines *bufio.Reader
	next  int // line
}

// quote returns the next quote, with io.EOF if it is the last.
func (r *quoteReader) quote() (string, error) {
	first := r.next
	var lines []string
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("line %d: %w", r.next, err)
		}
		r.next++
		line = strings.TrimRight(line, "\r\n")
		if line != "%" {
			lines = append(lines, line)
		}
		if line == "%" || err == io.EOF {
			q, tooLong := asQuote(lines, first)
			if tooLong != nil {
				return "", tooLong
			}
			return q, err
		}
	}
}

// asQuote joins lines without those that are empty at either end. first is the number of the first.
func asQuote(lines []string, first int) (string, error) {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
		first++
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	q := strings.Join(lines, "\n")
	if size := len(netLines(q)); size > MaxQuote {
		return "", &QuoteError{Line: first, Size: size}
	}
	return q, nil
}
