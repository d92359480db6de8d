package service

import (
	"encoding/binary"
	"testing"
	"time"
)

func TestDaytimeWords(t *testing.T) {
	moment := time.Date(1982, 2, 22, 17, 37, 43, 0, time.UTC)
	for _, tt := range []struct {
		zone *time.Location
		want string
	}{
		{time.UTC, "Monday, February 22, 1982 17:37:43-UTC\r\n"},
		{time.FixedZone("PST", -8*3600), "Monday, February 22, 1982 09:37:43-PST\r\n"},
		{time.FixedZone("", 5*3600+1800), "Monday, February 22, 1982 23:07:43+0530\r\n"},
		{time.FixedZone("-03", -3*3600), "Monday, February 22, 1982 14:37:43-0300\r\n"},
	} {
		if got := string(daytime(moment.In(tt.zone))); got != tt.want {
			t.Errorf("in zone %v: %q, want %q", tt.zone, got, tt.want)
		}
	}
}

func TestNISTDaytimeLine(t *testing.T) {
	for _, tt := range []struct {
		at    time.Time
		clock clockState
		want  string
	}{
		// The example in the documentation of NIST, with our label and no advance.
		{time.Date(1993, 1, 23, 22, 1, 22, 0, time.UTC), clockState{}, "\n49010 93-01-23 22:01:22 00 0 0 000.0 UTC(parley) * \n"},
		{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), unknownClock, "\n40587 70-01-01 00:00:00 00 0 4 000.0 UTC(parley) * \n"},
		{time.Date(2016, 12, 31, 23, 59, 59, 0, time.UTC), clockState{leap: 1}, "\n57753 16-12-31 23:59:59 00 1 0 000.0 UTC(parley) * \n"},
		{time.Date(2026, 7, 4, 23, 30, 0, 0, time.FixedZone("PST", -8*3600)), clockState{1, 2}, "\n61226 26-07-05 07:30:00 50 2 1 000.0 UTC(parley) * \n"},
	} {
		if got := string(nistDaytime(tt.at, tt.clock)); got != tt.want {
			t.Errorf("at %v: %q, want %q", tt.at, got, tt.want)
		}
	}
}

func TestUSSavingTime(t *testing.T) {
	for date, want := range map[string]int{
		"2026-01-31": 0, "2026-02-28": 0, "2026-03-01": 58, "2026-03-07": 52, "2026-03-08": 51, "2026-03-09": 50,
		"2026-07-04": 50, "2026-10-31": 50, "2026-11-01": 1, "2026-11-02": 0, "2026-12-31": 0,
		"2027-03-01": 64, "2027-03-14": 51, "2027-11-01": 7, "2027-11-07": 1, "2027-11-08": 0,
		"2020-03-08": 51, "2020-11-01": 1, // March 1 and November 1 were Sundays
	} {
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		if got := usSavingTime(day); got != want {
			t.Errorf("%s: %02d, want %02d", date, got, want)
		}
	}
}

// The values are those that RFC 868 gives, and the wrap.
func TestTime1900(t *testing.T) {
	for _, tt := range []struct {
		at   time.Time
		want uint32
	}{
		{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), 2208988800},
		{time.Date(1976, 1, 1, 0, 0, 0, 0, time.UTC), 2398291200},
		{time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), 2524521600},
		{time.Date(1983, 5, 1, 0, 0, 0, 0, time.UTC), 2629584000},
		{time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), 1<<32 - 1},
		{time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC), 0},
	} {
		if got := binary.BigEndian.Uint32(time1900(tt.at)); got != tt.want {
			t.Errorf("at %v: %d, want %d", tt.at, got, tt.want)
		}
	}
}
