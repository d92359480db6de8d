package relay_test

import (
	"strings"
	"testing"

	"parley/relay"
)

func TestParseFaults(t *testing.T) {
	for _, c := range []struct{ spec, up, down string }{
		{"", "", ""},
		{" ; ;", "", ""},
		{"latency=50ms", "latency=50ms", "latency=50ms"},
		{"latency=50ms±20ms", "latency=50ms±20ms", "latency=50ms±20ms"},
		{"latency = 50ms+-20ms", "latency=50ms±20ms", "latency=50ms±20ms"},
		{"up:latency=1s,drop=1%", "latency=1s,drop=1%", ""},
		{"up:latency=1s,down:drop=1%", "latency=1s", "drop=1%"},
		{"up:latency=1s;drop=1%", "latency=1s,drop=1%", "drop=1%"},
		{"slice=5", "slice=5", "slice=5"},
		{"down:slice-delay=1ms,slice=1..9", "", "slice=1..9,slice-delay=1ms"},
		{"bandwidth=1MB/s", "bandwidth=1MB/s", "bandwidth=1MB/s"},
		{"bandwidth=1.5KB/s", "bandwidth=1500B/s", "bandwidth=1500B/s"},
		{"bandwidth=8Mbit/s", "bandwidth=1MB/s", "bandwidth=1MB/s"},
		{"bandwidth=10bit/s", "bandwidth=10bit/s", "bandwidth=10bit/s"},
		{"stall-after=0,stall-for=10s", "stall-after=0,stall-for=10s", "stall-after=0,stall-for=10s"},
		{"reset-after=2MiB", "reset-after=2MiB", "reset-after=2MiB"},
		{"close-after=1500", "close-after=1500", "close-after=1500"},
		{"half-close-lost,corrupt=0.001%", "half-close-lost,corrupt=0.001%", "half-close-lost,corrupt=0.001%"},
		{"refuse=10%,chance=25%", "refuse=10%,chance=25%", "refuse=10%,chance=25%"},
		{"latency=1s,after=10s,for=1m", "latency=1s,after=10s,for=1m0s", "latency=1s,after=10s,for=1m0s"},
	} {
		up, down, err := relay.ParseFaults(c.spec, 1)
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if up.String() != c.up || down.String() != c.down {
			t.Errorf("%s: up %q, down %q; want %q, %q", c.spec, up, down, c.up, c.down)
		}
		if (up == nil) != (c.up == "") || (down == nil) != (c.down == "") {
			t.Errorf("%s: a direction without faults is nil, and only such a one; up %v, down %v", c.spec, up == nil, down == nil)
		}
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for _, c := range []struct{ spec, words string }{
		{"latensy=50ms", `"latensy=50ms"|did you mean latency|latency=50ms±20ms`},
		{"packet_loss=1%", "did you mean drop|drop=1%"},
		{"timeout=5s", "did you mean stall-after"},
		{"reset=1MB", "did you mean reset-after"},
		{"half", "did you mean half-close-lost"},
		{"dorp=1%", "did you mean drop"},
		{"Band=1MB/s", "did you mean bandwidth"},
		{"pineapple=1", "the kinds are latency, bandwidth, "},
		{"sideways:latency=1s", `"sideways:latency=1s"|unknown direction "sideways:"|up: is`},
		{"latency=1s,", `fault ""|is empty`},
		{"up:", `"up:"|is empty`},
		{"latency", `"latency"|has no value|latency=50ms±20ms`},
		{"latency=", "has no value"},
		{"latency=50", `"latency=50"|want a time`},
		{"latency=-1s", "negative"},
		{"latency=99999h", "longer than"},
		{"latency=10ms±20ms", "before it was said"},
		{"latency=10ms±x", "after ±|want a time"},
		{"half-close-lost=yes", "takes no value"},
		{"bandwidth=1MB", `unknown unit "MB"|MB/s|Mbit/s`},
		{"bandwidth=0B/s", "stall-after=0"},
		{"bandwidth=fast", "want a number and a unit, such as 64kB/s"},
		{"stall-after=1Mb", `unknown unit "Mb"|MB`},
		{"stall-after=1.5", "whole number of bytes"},
		{"stall-after=99999999999GB", "too large"},
		{"slice=0", "a byte at least"},
		{"slice=9..1", "smaller size comes first"},
		{"slice=1..", "want a number"},
		{"drop=1", "want a share in per cent"},
		{"drop=101%", "from 0% to 100%"},
		{"drop=NaN%", "from 0% to 100%"},
		{"drop=1%,drop=2%", `"drop=2%"|asked for already: drop=1%`},
		{"up:drop=1%;drop=2%", "asked for already"},
		{"slice-delay=1ms", "add slice"},
		{"stall-for=1s", "add stall-after or stall-in"},
		{"after=1s,stall-after=1", "add latency, bandwidth"},
		{"chance=5%", "add another kind"},
		{"slow-close=1s,half-close-lost", "leave one out"},
		{"latency=1s,for=0s", "nothing would happen"},
	} {
		up, down, err := relay.ParseFaults(c.spec, 1)
		if err == nil || up != nil || down != nil {
			t.Errorf("%s: read as %v, %v, %v; want an error", c.spec, up, down, err)
		}
		says(t, err, strings.Split(c.words, "|")...)
	}
}

// The table is what help texts show, so each of its examples must work.
func TestFaultKindsWork(t *testing.T) {
	companions := map[string]string{"slice-delay": ",slice=5", "stall-for": ",stall-in=1s", "chance": ",drop=1%", "after": ",drop=1%", "for": ",drop=1%"}
	for _, k := range relay.FaultKinds() {
		up, _, err := relay.ParseFaults(k.Syntax+companions[k.Name], 1)
		if err != nil {
			t.Errorf("%s: %v", k.Syntax, err)
		}
		if !strings.Contains(up.String(), k.Syntax) {
			t.Errorf("%s is printed as %s", k.Syntax, up)
		}
		if k.Summary == "" || !strings.HasPrefix(k.Syntax, k.Name) {
			t.Errorf("%+v is no line of a table", k)
		}
	}
}

func TestFaultsSuitWhatIsPassed(t *testing.T) {
	for _, c := range []struct {
		spec   string
		frames bool
		words  string // of the error; empty: none
	}{
		{"drop=1%", true, ""},
		{"drop=1%", false, "drop=1%|is for frames|corrupt"},
		{"duplicate=1%", false, "duplicate=1%|is for frames"},
		{"reorder=1%", false, "reorder=1%|is for frames"},
		{"slice=1..9", false, ""},
		{"slice=1..9", true, "slice=1..9|is for bytes|drop"},
		{"latency=1s,bandwidth=1MB/s,corrupt=1%,stall-after=1,half-close-lost", true, ""},
		{"latency=1s,bandwidth=1MB/s,corrupt=1%,stall-after=1,half-close-lost", false, ""},
		{"", true, ""},
	} {
		up, _, err := relay.ParseFaults(c.spec, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err = up.Check(c.frames); c.words == "" {
			if err != nil {
				t.Errorf("%s, frames %v: %v", c.spec, c.frames, err)
			}
			continue
		}
		says(t, err, strings.Split(c.words, "|")...)
	}
}

// What is printed is read as the same, and nothing makes the parser fall over.
func FuzzParseFaults(f *testing.F) {
	for _, k := range relay.FaultKinds() {
		f.Add(k.Syntax)
		f.Add("up:" + k.Syntax + ",slice=1..9;down:latency=1h+-1s")
	}
	f.Fuzz(func(t *testing.T, spec string) {
		up, down, err := relay.ParseFaults(spec, 1)
		if err != nil {
			return
		}
		printed := "up:" + up.String() + ";down:" + down.String()
		if up == nil {
			printed = "down:" + down.String()
		}
		if down == nil {
			printed = "up:" + up.String()
		}
		if up == nil && down == nil {
			printed = ""
		}
		up2, down2, err := relay.ParseFaults(printed, 1)
		if err != nil || up2.String() != up.String() || down2.String() != down.String() {
			t.Errorf("%q is printed as %q, which is read as %q, %q, %v", spec, printed, up2, down2, err)
		}
	})
}
