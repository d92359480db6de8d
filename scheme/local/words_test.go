package local

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"parley"
)

func TestSplitWords(t *testing.T) {
	for _, test := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{" \t ", nil},
		{"cat", []string{"cat"}},
		{" sort  -r\t-n\n", []string{"sort", "-r", "-n"}},
		{`grep 'a b'`, []string{"grep", "a b"}},
		{`grep "a b"`, []string{"grep", "a b"}},
		{`grep a\ b`, []string{"grep", "a b"}},
		{`a"b"'c'd`, []string{"abcd"}},
		{`"" ''`, []string{"", ""}},
		{`'it'\''s'`, []string{"it's"}},
		{`"a\"b\\c"`, []string{`a"b\c`}},
		{`"a\nb"`, []string{`a\nb`}}, // as in a shell, no other backslash is special in quotes
		{"\"\\$HOME \\`ls\\`\" `", []string{"$HOME `ls`", "`"}},
		{"a\\\nb \"c\\\nd\" 'e\\\nf' \"g\nh\"", []string{"ab", "cd", "e\\\nf", "g\nh"}},
		{"sort \\\n  -r \\\n", []string{"sort", "-r"}},
		{`'a\'`, []string{`a\`}},
		{`\\ \" \'`, []string{`\`, `"`, `'`}},
		{`echo $HOME *.go ~ ; # | > &`, []string{"echo", "$HOME", "*.go", "~", ";", "#", "|", ">", "&"}},
		{"über 'ö ä'", []string{"über", "ö ä"}},
	} {
		got, err := splitWords(test.line)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, %v, want %q", test.line, got, err, test.want)
		}
	}
}

func TestSplitWordsMistakes(t *testing.T) {
	for line, want := range map[string]string{
		`echo 'a`:  `a quote ' that is not closed; write \' for`,
		`echo "a'`: `a quote " that is not closed; write \" for`,
		`"a\"`:     `is not closed`,
		`echo a\`:  `ends with a backslash; write \\`,
	} {
		words, err := splitWords(line)
		var mistake *parley.AddressError
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v, want an *AddressError with %q", line, words, err, want)
		}
	}
}

// What has been split can be quoted and split again to the same words.
func FuzzSplitWords(f *testing.F) {
	for _, line := range []string{"", "sort -r", `a 'b c' "d\"e" f\ g ''`, `'`, `\`, "\"\\\xff", "a\x00b"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line)
		if err != nil {
			if words != nil {
				t.Errorf("%q: both words %q and the error %v", line, words, err)
			}
			return
		}
		if total := len(strings.Join(words, "")); total > len(line) {
			t.Errorf("%q: %d bytes came out, more than went in", line, total)
		}
		for name, quote := range quotings {
			quoted := make([]string, len(words))
			for i, w := range words {
				quoted[i] = quote(w)
			}
			again, err := splitWords(strings.Join(quoted, " "))
			if err != nil || !slices.Equal(again, words) {
				t.Errorf("%q: words %q; quoted by %s they are %q, %v", line, words, name, again, err)
			}
		}
	})
}

// quotings are the ways to write any word.
var quotings = map[string]func(word string) string{
	"single quotes": func(w string) string { return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'" },
	"double quotes": func(w string) string { return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(w) + `"` },
	"backslashes": func(w string) string {
		if w == "" {
			return "''"
		}
		var b strings.Builder
		for _, c := range []byte(w) {
			if c == '\n' { // which a backslash would take away
				b.WriteString("'\n'")
				continue
			}
			b.Write([]byte{'\\', c})
		}
		return b.String()
	},
}
