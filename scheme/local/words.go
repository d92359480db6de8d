package local

import (
	"strings"

	"parley/internal/sock"
)

// splitWords splits a command line into words, as a shell does before it expands anything (POSIX.1-2024, Shell Command
// Language, section 2.2): blanks part words; a backslash takes the next character as it is, and is taken away with a newline;
// '...' takes all characters as they are, and "..." all but a backslash before $, `, ", \ or a newline. Nothing is expanded, and
// no character has another meaning.
func splitWords(line string) ([]string, error) {
	s := splitter{line: line}
	for {
		word, ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return s.words, nil
		}
		s.words = append(s.words, word)
	}
}

// A splitter is on its way through a line.
type splitter struct {
	line  string // all of it, for errors
	at    int    // how far it has got
	words []string
}

// blanks part words.
const blanks = " \t\r\n"

// skip goes to where the next word begins.
func (s *splitter) skip() {
	rest := s.line[s.at:]
	for {
		after := strings.TrimPrefix(strings.TrimLeft(rest, blanks), "\\\n")
		if len(after) == len(rest) {
			break
		}
		rest = after
	}
	s.at = len(s.line) - len(rest)
}

// next returns the next word; ok is false at the end of the line.
func (s *splitter) next() (word string, ok bool, err error) {
	if s.skip(); s.at == len(s.line) {
		return "", false, nil
	}
	var b strings.Builder
	for s.at < len(s.line) && strings.IndexByte(blanks, s.line[s.at]) < 0 {
		if err := s.part(&b); err != nil {
			return "", false, err
		}
	}
	return b.String(), true, nil
}

// part adds the next part of a word to b: a character, or what is in quotes.
func (s *splitter) part(b *strings.Builder) error {
	c := s.line[s.at]
	s.at++
	switch c {
	case '\'', '"':
		return s.quoted(b, c)
	case '\\':
		if s.at == len(s.line) {
			return sock.Mistake(`command %q ends with a backslash; write \\ for the character itself`, s.line)
		}
		s.escaped(b)
	default:
		b.WriteByte(c)
	}
	return nil
}

// escaped adds the character after a backslash.
func (s *splitter) escaped(b *strings.Builder) {
	if c := s.line[s.at]; c != '\n' {
		b.WriteByte(c)
	}
	s.at++
}

// quoted adds what is up to the closing quote.
func (s *splitter) quoted(b *strings.Builder, quote byte) error {
	for s.at < len(s.line) {
		c := s.line[s.at]
		s.at++
		switch {
		case c == quote:
			return nil
		case c == '\\' && quote == '"' && s.at < len(s.line) && strings.IndexByte("$`\"\\\n", s.line[s.at]) >= 0:
			s.escaped(b)
		default:
			b.WriteByte(c)
		}
	}
	return sock.Mistake("command %q has a quote %c that is not closed; write \\%c for the character itself", s.line, quote, quote)
}
