package cli

import (
	"slices"
	"testing"

	_ "parley/scheme/local"
)

func TestSplitTargets(t *testing.T) {
	for b, want := range map[string][]string{
		"host:80":                              {"host:80"},
		"a:80,b:80":                            {"a:80", "b:80"},
		"7001,7002":                            {"7001", "7002"},
		"a:80,":                                {"a:80", ""},
		"/run/a,./b,@c":                        {"/run/a", "./b", "@c"},
		"tls:a:443,tls:b:443":                  {"tls:a:443", "tls:b:443"},
		"tls:a:443?alpn=h2,http/1.1":           {"tls:a:443?alpn=h2,http/1.1"},
		"tls:a:443?alpn=h2,http/1.1,tls:b:443": {"tls:a:443?alpn=h2,http/1.1", "tls:b:443"},
		"tls:a:443?pin=sha256:AA,sha256:BB,tcp:b:1": {"tls:a:443?pin=sha256:AA,sha256:BB", "tcp:b:1"},
		"./sort,uniq.sock":                          {"./sort,uniq.sock"},
		"exec:sed s/a,b/c:d,e/":                     {"exec:sed s/a,b/c:d,e/"},
		"fd:3,4":                                    {"fd:3,4"},
		"a:80,exec:cut -d, -f1,2:x":                 {"a:80", "exec:cut -d, -f1,2:x"},
	} {
		if got := splitTargets(b); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", b, got, want)
		}
	}
}
