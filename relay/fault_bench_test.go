package relay_test

import (
	"io"
	"testing"

	"parley/relay"
)

// BenchmarkFaults carries 64 KiB writes through TCP with faults that take no time by themselves, to tell what they cost.
func BenchmarkFaults(b *testing.B) {
	for _, spec := range []string{"", "latency=1ms", "bandwidth=100GB/s", "slice=1000..2000", "corrupt=0.001%"} {
		b.Run("up:"+spec, func(b *testing.B) {
			up, _ := faults(b, spec, 1)
			tcp := streams()[0]
			j := join(b, tcp, tcp, &relay.Options{AtoB: up})
			go func() {
				_, _ = io.Copy(io.Discard, j.server)
				_ = j.server.CloseWrite()
			}()
			text := make([]byte, 64<<10)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := j.client.Write(text); err != nil {
					b.Fatal(err)
				}
			}
			closeWrite(b, j.client)
			hearsEnd(b, j.client)
		})
	}
}
