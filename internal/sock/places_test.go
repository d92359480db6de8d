package sock

import (
	"fmt"
	"testing"
)

func TestPlaces(t *testing.T) {
	tests := []struct{ network, target, want string }{
		{"tcp", "7070", "[127.0.0.1:7070 [::1]:7070]"},
		{"tcp4", "7070", "[127.0.0.1:7070]"},
		{"udp6", ":7070", "[[::1]:7070]"},
		{"udp", "192.0.2.1:daytime(13)", "[192.0.2.1:13]"},
		{"tcp", "[::ffff:192.0.2.1]:80", "[192.0.2.1:80]"},
		{"tcp", "[fe80::1%lo]:80", "[[fe80::1]:80]"},
	}
	for _, test := range tests {
		got, err := Places(t.Context(), test.network, test.target)
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("Places(%s, %s) = %v, %v, want %s", test.network, test.target, got, err, test.want)
		}
	}
	for _, target := range []string{"", "host", "192.0.2.1:no-such-service"} {
		if got, err := Places(t.Context(), "tcp", target); err == nil {
			t.Errorf("%q: %v", target, got)
		}
	}
}
