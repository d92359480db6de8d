package local

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"parley"
)

func TestParseEnv(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"A=1", []string{"A=1"}},
		{"A=", []string{"A="}},
		{"A=1,B=2,C=", []string{"A=1", "B=2", "C="}},
		{`LIST=a\,b,C=\\,D=\n`, []string{"LIST=a,b", `C=\`, `D=\n`}},
		{"A=b=c", []string{"A=b=c"}},
		{`A=\`, []string{`A=\`}},
	} {
		got, err := parseEnv(test.text)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, %v, want %q", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"A", "=1", "A=1,", ",A=1", "A=1,,B=2", `A\,B`, "A=\x00"} {
		env, err := parseEnv(text)
		var mistake *parley.AddressError
		if !errors.As(err, &mistake) {
			t.Errorf("%q: %q, %v, want an *AddressError", text, env, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	inherited := []string{"A=1", "LISTEN_FDS=2", "B=2", "A=3", "AB=4", "odd"}
	got := environment(inherited, []string{"B=5", "C=6", "WATCHDOG_PID=7", "C=8"})
	want := []string{"A=3", "B=5", "AB=4", "odd", "C=8", "WATCHDOG_PID=7"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What parseEnv returns can be written and parsed again.
func FuzzParseEnv(f *testing.F) {
	for _, text := range []string{"A=1", `A=1,B=x\,y\\`, "A", ",", `\`, `\,=,=`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		env, err := parseEnv(text)
		if err != nil {
			return
		}
		var written []string
		for _, v := range env {
			if name, _, ok := strings.Cut(v, "="); !ok || name == "" || strings.ContainsRune(v, 0) {
				t.Errorf("%q: %q is no variable", text, v)
			}
			written = append(written, strings.NewReplacer(`\`, `\\`, ",", `\,`).Replace(v))
		}
		again, err := parseEnv(strings.Join(written, ","))
		if err != nil || !slices.Equal(again, env) {
			t.Errorf("%q: %q; written again it is %q, %v", text, env, again, err)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"80x24", "0x1", "x", "80x", "80X24", "65536x1", "1x1x1", "+1x1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSize(map[string]string{"size": text}, true)
		if err == nil && (s.columns == 0 || s.lines == 0 || strings.Trim(text, "0123456789x") != "" || strings.Count(text, "x") != 1) {
			t.Errorf("%q is the size %+v", text, s)
		}
	})
}
