package service

import (
	"context"
	"fmt"
	"time"

	"parley"
)

// Daytime says the date and the time of this machine in words, such as "Tuesday, February 22, 1982 17:37:43-PST" and CRLF,
// and ends; a datagram is answered by one (RFC 867, Daytime Syntax). A time zone without a name is said by its offset
// from UTC: "17:37:43+0530" would be India.
func Daytime(ctx context.Context, c *parley.Conn) error {
	return tell(ctx, c, daytime)
}

// NISTDaytime is [Daytime] in the format of NIST's servers, which programs read more easily: an empty line, and then
//
//	JJJJJ YR-MO-DA HH:MM:SS TT L H msADV UTC(parley) *
//
// JJJJJ is the Modified Julian Date, YR-MO-DA HH:MM:SS the date and time in UTC. TT says whether the United States have
// daylight saving time, by their law of 2007: 00 no, 50 yes; in the month of a change 51 and more, or 01 and more, count the
// days until it begins or ends: at 51, or 01, it does so today. L is 1 if a second is inserted, 2 if one is left out, at
// the end of the month; the kernel learns of that on the last day. H is the health of the clock: 0 it is right to a second, 1 it
// may be wrong by up to five, 4 nobody knows how wrong it is. msADV is by how many milliseconds the line is sent early to
// make up for the way; it is always 000.0. The asterisk marks the moment the time is meant for.
//
// The label says UTC(parley) where that of NIST says UTC(NIST), as the time is this machine's and not NIST's. H comes from the
// Linux kernel, which knows whether something keeps its clock; on other systems it is 4.
func NISTDaytime(ctx context.Context, c *parley.Conn) error {
	return tell(ctx, c, func(t time.Time) []byte { return nistDaytime(t, kernelClock()) })
}

// tell says what say makes of the time, once on a stream and for each datagram.
func tell(ctx context.Context, c *parley.Conn, say func(time.Time) []byte) error {
	if c.KeepsEdges() {
		return answerEach(ctx, c, func() []byte { return say(time.Now()) })
	}
	return sayLast(c, say(time.Now()))
}

func daytime(t time.Time) []byte {
	zone, offset := t.Zone()
	if zone == "" || zone[0] == '+' || zone[0] == '-' || zone == "Local" && offset != 0 {
		return t.AppendFormat(nil, "Monday, January 2, 2006 15:04:05-0700\r\n")
	}
	return t.AppendFormat(nil, "Monday, January 2, 2006 15:04:05-MST\r\n")
}

// A clockState is what a kernel knows of its clock.
type clockState struct {
	health int // as NISTDaytime has it
	leap   int // likewise
}

// unknownClock is the state of a clock of which nobody knows whether it is right.
var unknownClock = clockState{health: 4}

// unixDayMJD is the Modified Julian Date of January 1, 1970.
const unixDayMJD = 40587

func nistDaytime(t time.Time, clock clockState) []byte {
	t = t.UTC()
	mjd := (unixDayMJD + t.Unix()/(24*60*60)) % 100000
	return fmt.Appendf(nil, "\n%05d %s %02d %d %d 000.0 UTC(parley) * \n",
		mjd, t.Format("06-01-02 15:04:05"), usSavingTime(t), clock.leap, clock.health)
}

// usSavingTime is the code TT: daylight saving time begins on the second Sunday of March and ends on the first of November
// (Energy Policy Act of 2005, section 110).
func usSavingTime(t time.Time) int {
	const standard, saving = 0, 50
	day := t.Day()
	switch month := t.Month(); {
	case month == time.March && day <= sunday(t, 2):
		return saving + 1 + sunday(t, 2) - day
	case month == time.November && day <= sunday(t, 1):
		return standard + 1 + sunday(t, 1) - day
	case month >= time.March && month < time.November:
		return saving
	}
	return standard
}

// sunday returns the day of the nth Sunday in the month of t.
func sunday(t time.Time, nth int) int {
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).Weekday()
	return 1 + (7-int(first))%7 + 7*(nth-1)
}
