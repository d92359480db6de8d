package relay

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A unit is a name that may follow a number, and what it counts.
type unit struct {
	name  string
	count int64
}

// byteUnits count bytes, rateUnits bits. The first name that fits is printed. The empty name is a plain number.
var byteUnits = []unit{
	{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}, {"B", 1}, {"KB", 1e3},
}

var rateUnits = []unit{
	{"GB/s", 8e9}, {"MB/s", 8e6}, {"kB/s", 8e3}, {"GiB/s", 8 << 30}, {"MiB/s", 8 << 20}, {"KiB/s", 8 << 10}, {"B/s", 8}, {"KB/s", 8e3},
	{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1},
}

// largestNumber is the largest number that is read, so that all of it can be counted in a float64.
const largestNumber = 1 << 53

// readSize reads a number with a unit, such as 1.5MB.
func readSize(text string, units []unit) (int64, error) {
	digits := text[:len(text)-len(strings.TrimLeft(text, "0123456789."))]
	name := text[len(digits):]
	number, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return 0, fmt.Errorf("want a number and a unit, such as 64kB%s", perSecond(units))
	}
	for _, u := range units {
		if u.name != name {
			continue
		}
		switch n := number * float64(u.count); {
		case n > largestNumber:
			return 0, errors.New("is too large")
		case n != math.Trunc(n):
			return 0, errors.New("is not a whole number of " + smallest(units))
		default:
			return int64(n), nil
		}
	}
	return 0, fmt.Errorf("unknown unit %q; the units are %s", name, unitNames(units))
}

func perSecond(units []unit) string {
	if units[0].name == "GB" {
		return ""
	}
	return "/s"
}

func smallest(units []unit) string {
	if units[0].name == "GB" {
		return "bytes"
	}
	return "bits a second"
}

func unitNames(units []unit) string {
	var names []string
	for _, u := range units {
		if u.name != "" && !strings.HasPrefix(u.name, "KB") { // which works, as so many write it
			names = append(names, u.name)
		}
	}
	return strings.Join(names, ", ")
}

// textUnits prints n in the first unit in which it is a whole number.
func textUnits(n int64, units []unit) string {
	for _, u := range units {
		if n%u.count == 0 && n != 0 {
			return strconv.FormatInt(n/u.count, 10) + u.name
		}
	}
	return "0"
}

func textSize(n int64) string { return textUnits(n, byteUnits) }

func readRate(f *Faults, text string) (err error) {
	f.bandwidth, err = readSize(text, rateUnits)
	if err == nil && f.bandwidth == 0 {
		return errors.New("nothing would ever arrive; for that there is stall-after=0")
	}
	return err
}

func textRate(f *Faults) string { return textUnits(f.bandwidth, rateUnits) }

// longest is the largest time that is read. Several of them can be added.
const longest = 10_000 * time.Hour

func readDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, errors.New("want a time, such as 50ms, 2s or 1m")
	case d < 0:
		return 0, errors.New("a time cannot be negative")
	case d > longest:
		return 0, fmt.Errorf("is longer than %v", longest)
	}
	return d, nil
}

func readLatency(f *Faults, text string) (err error) {
	mean, jitter, random := strings.Cut(strings.Replace(text, "+-", "±", 1), "±")
	if f.latency, err = readDuration(mean); err != nil {
		return err
	}
	if !random {
		return nil
	}
	if f.jitter, err = readDuration(jitter); err != nil {
		return fmt.Errorf("after ±: %w", err)
	}
	if f.jitter > f.latency {
		return fmt.Errorf("%v less than %v would be before it was said; make the latency at least as large as what follows ±", f.jitter, f.latency)
	}
	return nil
}

func textLatency(f *Faults) string {
	if f.jitter == 0 {
		return f.latency.String()
	}
	return f.latency.String() + "±" + f.jitter.String()
}

func readSlice(f *Faults, text string) (err error) {
	from, to, isRange := strings.Cut(text, "..")
	if f.sliceMin, err = readSize(from, byteUnits); err != nil {
		return err
	}
	f.sliceMax = f.sliceMin
	if isRange {
		if f.sliceMax, err = readSize(to, byteUnits); err != nil {
			return err
		}
	}
	switch {
	case f.sliceMin < 1:
		return errors.New("a slice has a byte at least")
	case f.sliceMax < f.sliceMin:
		return errors.New("the smaller size comes first")
	}
	return nil
}

func textSlice(f *Faults) string {
	if f.sliceMin == f.sliceMax {
		return textSize(f.sliceMin)
	}
	return textSize(f.sliceMin) + ".." + textSize(f.sliceMax)
}

func readPercent(text string) (float64, error) {
	digits, ok := strings.CutSuffix(text, "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	switch {
	case !ok || err != nil:
		return 0, errors.New("want a share in per cent, such as 1% or 0.01%")
	case !(p >= 0 && p <= 100): // which NaN is not
		return 0, errors.New("a share is from 0% to 100%")
	}
	return max(p, 0), nil // no -0, which would print so
}

func textPercent(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + "%" }
