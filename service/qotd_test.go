package service_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"parley"
	"parley/service"
)

func TestReadQuotes(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"one", "Hello there!\n", []string{"Hello there!"}},
		{"no last newline", "Hello there!", []string{"Hello there!"}},
		{"two", "one\n%\ntwo\n", []string{"one", "two"}},
		{"a mark at either end", "%\none\n%\ntwo\n%\n", []string{"one", "two"}},
		{"several lines", "one\n\n  more\n%\ntwo\n", []string{"one\n\n  more", "two"}},
		{"empty ones", "one\n%\n%\n \n\n%\ntwo\n%", []string{"one", "two"}},
		{"CRLF", "one\r\nmore\r\n%\r\ntwo\r\n", []string{"one\nmore", "two"}},
		{"a percent sign in a line", "100 %\n% sure\n%%\n", []string{"100 %\n% sure\n%%"}},
		{"as long as can be", strings.Repeat("x", 510) + "\n", []string{strings.Repeat("x", 510)}},
	} {
		got, err := service.ReadQuotes(strings.NewReader(tt.file))
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestReadQuotesErrors(t *testing.T) {
	for name, file := range map[string]string{"nothing": "", "only marks": "%\n\n%\n \n", "an empty line": "\n"} {
		if _, err := service.ReadQuotes(strings.NewReader(file)); !errors.Is(err, service.ErrNoQuotes) {
			t.Errorf("%s: %v, want ErrNoQuotes", name, err)
		}
	}
	for _, tt := range []struct {
		name, file string
		want       service.QuoteError
	}{
		{"one line", "short\n%\n\n" + strings.Repeat("x", 511) + "\n", service.QuoteError{Line: 4, Size: 513}},
		{"many lines", strings.Repeat("\n", 9) + strings.Repeat("abc\n", 200), service.QuoteError{Line: 10, Size: 1000}},
	} {
		var tooLong *service.QuoteError
		if _, err := service.ReadQuotes(strings.NewReader(tt.file)); !errors.As(err, &tooLong) || *tooLong != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, &tt.want)
		}
	}
	broken := errors.New("broken")
	if _, err := service.ReadQuotes(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader that breaks: %v", err)
	}
}

func FuzzReadQuotes(f *testing.F) {
	f.Add("one\n%\ntwo\r\n%\n")
	f.Add("%%\n% \n\r%\n\x00")
	f.Fuzz(func(t *testing.T, file string) {
		quotes, err := service.ReadQuotes(strings.NewReader(file))
		if err != nil {
			if len(quotes) > 0 {
				t.Errorf("%d quotes with the error %v", len(quotes), err)
			}
			return
		}
		for _, q := range quotes {
			if q == "" || len(q) > service.MaxQuote || strings.HasSuffix(q, "\n") {
				t.Errorf("a quote is %q", q)
			}
		}
		again, err := service.ReadQuotes(strings.NewReader(strings.Join(quotes, "\n%\n") + "\n"))
		if err != nil || !slices.Equal(again, quotes) {
			t.Errorf("written and read again, %q is %q, %v", quotes, again, err)
		}
	})
}

func TestQOTD(t *testing.T) {
	for _, tt := range []struct {
		name, quote, want string
	}{
		{"a line", "Hello there!", "Hello there!\r\n"},
		{"lines", "one\ntwo\r\nthree\n", "one\r\ntwo\r\nthree\r\n"},
		{"too long", strings.Repeat("x", 600), strings.Repeat("x", 510) + "\r\n"},
		{"too long, in the middle of a character", strings.Repeat("x", 509) + "é", strings.Repeat("x", 509) + "\r\n"},
	} {
		c := served(t, service.QOTD([]string{tt.quote}))()
		got, err := io.ReadAll(c)
		if string(got) != tt.want || err != nil {
			t.Errorf("%s: said %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

// Every built-in quote fits.
func TestQOTDBuiltIn(t *testing.T) {
	s := &sender{port: 40000, said: slices.Repeat([][]byte{{}}, 300)}
	if err := service.QOTD(nil)(t.Context(), parley.NewConn(s, nil)); err != nil {
		t.Fatal(err)
	}
	different := map[string]bool{}
	for _, q := range s.answered {
		different[string(q)] = true
		if len(q) > service.MaxQuote || strings.Contains(strings.ReplaceAll(string(q), "\r\n", ""), "\n") {
			t.Errorf("a quote is said as %q", q)
		}
	}
	if len(different) < 3 {
		t.Errorf("300 times it said %d different quotes", len(different))
	}
}
