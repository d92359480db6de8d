package service

import (
	"context"
	"encoding/binary"
	"time"

	"parley"
)

// Time says the seconds since midnight on January 1, 1900 UTC as 4 bytes, the most significant first, and ends; a datagram is
// answered by one (RFC 868). The 32 bits are full on February 7, 2036 at 06:28:16 UTC, and begin again at 0. Leap seconds
// are not counted, as in Unix time.
func Time(ctx context.Context, c *parley.Conn) error {
	return tell(ctx, c, time1900)
}

// unixEpoch1900 is January 1, 1970 in seconds since 1900 (RFC 868).
const unixEpoch1900 = 2208988800

func time1900(t time.Time) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(t.Unix()+unixEpoch1900))
}
