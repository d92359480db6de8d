package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStamps(t *testing.T) {
	cest := time.FixedZone("", 2*60*60)
	tests := []struct {
		time time.Time
		want string
	}{
		{time.Date(2026, 3, 1, 12, 0, 0, 0, cest), "2026-03-01T10:00:00.000000Z"},
		{time.Date(2026, 3, 1, 12, 0, 0, 999_999_999, time.UTC), "2026-03-01T12:00:00.999999Z"},
		{time.Time{}, "0001-01-01T00:00:00.000000Z"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, cest), "9999-12-31T22:00:00.000000Z"},
	}
	for _, tt := range tests {
		if got := written(t, HalfClosed{Time: tt.time}); !strings.Contains(got, `"ts":"`+tt.want+`"`) {
			t.Errorf("%v: got %s, want %s", tt.time, got, tt.want)
		}
	}
}

// oneWrite keeps what each call of Write was given.
type oneWrite struct{ lines []string }

func (w *oneWrite) Write(p []byte) (int, error) {
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

func TestOneWriteALine(t *testing.T) {
	var out oneWrite
	w := NewWriter(&out)
	for _, l := range golden {
		if err := w.Write(l); err != nil {
			t.Fatal(err)
		}
	}
	if len(out.lines) != len(golden) {
		t.Fatalf("%d calls of Write for %d lines", len(out.lines), len(golden))
	}
	for _, line := range out.lines {
		if strings.Index(line, "\n") != len(line)-1 {
			t.Errorf("%q is not one line", line)
		}
	}
}

func TestWhatCannotBeWrittenLeavesNothing(t *testing.T) {
	late := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		line Line
		want string
	}{
		{nil, "not a line"},
		{&Closed{}, "as a value"},
		{Frame{Time: late}, "write a said line: time 10000-01-01: its year"},
		{Closed{Time: late}, "write a closed line: time 10000-01-01: its year"},
		{Verdict{Since: late}, "write a verdict line"},
		{Verdict{Facts: json.RawMessage("{")}, "write a verdict line"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		w := NewWriter(&out)
		err := w.Write(tt.line)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%#v: error %v, want %q", tt.line, err, tt.want)
		}
		if err := w.Write(HalfClosed{Call: 1}); err != nil || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%#v: the next line: error %v, written %q", tt.line, err, &out)
		}
	}
}

// brokenWriter takes half of the first line and then all it gets.
type brokenWriter struct {
	calls int
	err   error
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	w.calls++
	return len(p) / 2, w.err
}

func TestNothingIsWrittenAfterACutLine(t *testing.T) {
	full := errors.New("disk full")
	for _, tt := range []struct{ give, want error }{{full, full}, {nil, io.ErrShortWrite}} {
		broken := &brokenWriter{err: tt.give}
		w := NewWriter(broken)
		for range 2 {
			if err := w.Write(Closed{}); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		}
		if broken.calls != 1 {
			t.Errorf("%d calls of Write after an error in the first", broken.calls)
		}
	}
}

func TestLinesNeverMix(t *testing.T) {
	const writers, each = 8, 200
	out, in := io.Pipe() // no lock of its own and no buffer: mixed writes would show
	w := NewWriter(in)
	var wg sync.WaitGroup
	for call := range int64(writers) {
		wg.Go(func() { writeCall(t, w, call+1, each) })
	}
	go func() { wg.Wait(); in.Close() }()

	next := map[int64]int64{}
	for l, err := range NewReader(out).Lines() {
		if err != nil {
			t.Error(err)
			continue
		}
		f, ok := l.(Frame)
		if !ok {
			continue
		}
		next[f.Call]++
		if want := fmt.Sprintf("%d of call %d", f.N, f.Call); f.N != next[f.Call] || string(f.Data) != want {
			t.Errorf("call %d: message %d (want %d) is %q", f.Call, f.N, next[f.Call], f.Data)
		}
	}
	for call := range int64(writers) {
		if next[call+1] != each {
			t.Errorf("call %d: %d messages, want %d", call+1, next[call+1], each)
		}
	}
}

func writeCall(t *testing.T, w *Writer, call, count int64) {
	for n := range count {
		f := Frame{Call: call, N: n + 1, Data: fmt.Appendf(nil, "%d of call %d", n+1, call)}
		if err := w.Write(f); err != nil {
			t.Error(err)
		}
		if err := w.Write(HalfClosed{Call: call}); err != nil {
			t.Error(err)
		}
	}
}

func TestHugeLineIsNotKept(t *testing.T) {
	w := NewWriter(io.Discard)
	if err := w.Write(Frame{Data: make([]byte, 2*keepBuffer)}); err != nil {
		t.Fatal(err)
	}
	if cap(w.buf) > keepBuffer {
		t.Errorf("the writer holds %d bytes, want at most %d", cap(w.buf), keepBuffer)
	}
}

func hundredBytes() Frame {
	return Frame{
		Heard: true, Time: at("10:12:07.204001"), Call: 17, N: 3, Role: "client", Bytes: 101,
		Data: bytes.Repeat([]byte("0123456789"), 10), End: "lf",
	}
}

func TestFrameCostsNoAllocation(t *testing.T) {
	w := NewWriter(io.Discard)
	text, binary := hundredBytes(), hundredBytes()
	binary.Data[99] = 0
	for _, f := range []Frame{text, binary} {
		allocs := testing.AllocsPerRun(100, func() {
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations for %q, want 0", allocs, f.Data)
		}
	}
}

func BenchmarkWriteText(b *testing.B) {
	benchmarkWrite(b, hundredBytes())
}

func BenchmarkWriteBase64(b *testing.B) {
	f := hundredBytes()
	f.Data[99] = 0
	benchmarkWrite(b, f)
}

func benchmarkWrite(b *testing.B, f Frame) {
	w := NewWriter(io.Discard)
	b.ReportAllocs()
	b.SetBytes(int64(len(f.Data)))
	for b.Loop() {
		if err := w.Write(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	line := written(b, hundredBytes())
	text := strings.Repeat(line, 1000)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for _, err := range NewReader(strings.NewReader(text)).Lines() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
