package idle

import "testing"

func TestOver(t *testing.T) {
	const limit = 100
	type look struct {
		now, bytes int64
		untaken    int
		over       bool
	}
	for _, tt := range []struct {
		name  string
		looks []look
	}{
		{"silent from the start", []look{{99, 0, 0, false}, {100, 0, 0, true}}},
		{"talks", []look{{90, 5, 0, false}, {180, 9, 0, false}, {279, 9, 0, false}, {280, 9, 0, true}}},
		{"said long ago and being taken", []look{{10, 50, 0, false}, {110, 50, 40, false}, {210, 50, 30, false}, {310, 50, 30, true}}},
		{"nobody takes it", []look{{10, 50, 0, false}, {110, 50, 40, false}, {209, 50, 40, false}, {210, 50, 40, true}}},
		{"all taken", []look{{10, 50, 0, false}, {110, 50, 0, true}}},
	} {
		var s Silence
		s.Begin(0)
		for i, l := range tt.looks {
			asked := false
			over := s.Over(l.now, limit, l.bytes, func() int { asked = true; return l.untaken })
			if over != l.over {
				t.Errorf("%s: look %d at %d: over is %v, want %v", tt.name, i, l.now, over, l.over)
			}
			if asked && !over && l.untaken == 0 {
				t.Errorf("%s: look %d asked the kernel for nothing", tt.name, i)
			}
		}
	}
}
