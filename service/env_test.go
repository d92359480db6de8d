package service

import (
	"slices"
	"testing"
)

// Variables of another conversation, and older values of one name, are not passed on.
func TestBaseEnvironment(t *testing.T) {
	for _, v := range conversationVariables {
		if env := baseEnvironment([]string{"A=1", v + "=inherited"}, []string{v + "=own"}); !slices.Equal(env, []string{"A=1"}) {
			t.Errorf("%s: %q", v, env)
		}
	}
	for _, v := range []string{"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		if env := baseEnvironment([]string{v + "=inherited", "A=1"}, nil); !slices.Equal(env, []string{"A=1"}) {
			t.Errorf("%s: %q", v, env)
		}
		if env := baseEnvironment([]string{v + "=inherited"}, []string{v + "=own"}); !slices.Equal(env, []string{v + "=own"}) {
			t.Errorf("%s: %q", v, env)
		}
	}
	got := baseEnvironment([]string{"A=1", "B=2", "TCPREMOTEIPX=kept", "B=3"}, []string{"A=own", "C=a=b"})
	if want := []string{"A=own", "B=3", "TCPREMOTEIPX=kept", "C=a=b"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestVariablesWithoutNUL(t *testing.T) {
	var v variables
	v.set("NAME", "a\x00b\nc")
	if want := []string{"NAME=ab\nc"}; !slices.Equal(v, want) {
		t.Errorf("%q, want %q", v, want)
	}
}
