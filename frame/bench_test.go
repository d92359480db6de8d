package frame

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkIndexByte is the floor: what a line of 100 bytes costs to search.
func BenchmarkIndexByte(b *testing.B) {
	data := append(bytes.Repeat([]byte("x"), 99), '\n')
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		bytes.IndexByte(data, '\n')
	}
}

func BenchmarkScan(b *testing.B) {
	for _, s := range []string{"line", "lf", "crlf", "nul", `until "--"`, "u16", "netstring", "blank line", "crlf blank line", `crlf end "." stuffed`} {
		b.Run(s, func(b *testing.B) {
			f := MustParse(s)
			wire, err := f.Append(nil, bytes.Repeat([]byte("x"), 99))
			if err != nil {
				b.Fatal(err)
			}
			data := bytes.Clone(wire)
			_, rewrites := f.(linesFormat)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				if rewrites {
					copy(data, wire)
				}
				f.Scan(data, 0, false)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	text := bytes.Repeat([]byte("x"), 99)
	for _, s := range []string{"line", "crlf", "u16", "netstring", "crlf blank line"} {
		b.Run(s, func(b *testing.B) {
			f, dst := MustParse(s), make([]byte, 0, 200)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = f.Append(dst[:0], text)
			}
		})
	}
}

// BenchmarkLines hears a request of many lines, for the price of one line.
func BenchmarkLines(b *testing.B) {
	for _, s := range []string{"lf blank line", "crlf blank line", `crlf end "." stuffed`} {
		b.Run(s, func(b *testing.B) {
			f := MustParse(s)
			wire, _ := f.Append(nil, bytes.Repeat([]byte("Header: some value of usual length\n"), 1000))
			data := bytes.Clone(wire)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				copy(data, wire)
				f.Scan(data, 0, false)
			}
		})
	}
}

// BenchmarkPieces hears 64 KiB that come byte by byte: seen must make it
// linear for every format.
func BenchmarkPieces(b *testing.B) {
	for _, s := range []string{"line", "crlf", `until "--"`, "blank line", `end "END"`, "u32"} {
		b.Run(s, func(b *testing.B) {
			f := MustParse(s)
			wire, _ := f.Append(nil, bytes.Repeat([]byte("x"), 64<<10))
			b.SetBytes(int64(len(wire)))
			for b.Loop() {
				for i := range wire {
					f.Scan(wire[:i+1], i, false)
				}
			}
		})
	}
}

// BenchmarkWhole cuts 64 KiB of frames of 100 bytes, the last one unfinished.
func BenchmarkWhole(b *testing.B) {
	for _, s := range []string{"line", "crlf", "blank line", "u16"} {
		for _, limit := range []int{0, 4096, 110} {
			b.Run(fmt.Sprint(s, "/limit=", limit), func(b *testing.B) {
				f := MustParse(s)
				wire, _ := f.Append(nil, bytes.Repeat([]byte("x"), 98))
				data := bytes.Repeat(wire, 655)
				data = append(data, wire[:50]...)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					Whole(f, data, 0, limit)
				}
			})
		}
	}
}
