package transcript

import (
	"errors"
	"fmt"
	"time"
)

// stampLayout is RFC 3339 (section 5.6) in UTC with exactly six decimals: stamps sort as text.
const stampLayout = "2006-01-02T15:04:05.000000Z"

var errYear = errors.New("its year is not in 0 to 9999")

// A stamp is a time as a line holds it.
type stamp time.Time

func appendStamp(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, stampLayout)
}

// checkYear refuses what RFC 3339 cannot write.
func checkYear(t time.Time) error {
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return fmt.Errorf("time %s: %w", t.UTC().Format(time.DateOnly), errYear)
	}
	return nil
}

// IsZero makes the omitzero of encoding/json leave out a time that is not known.
func (s stamp) IsZero() bool { return time.Time(s).IsZero() }

func (s stamp) MarshalText() ([]byte, error) {
	if err := checkYear(time.Time(s)); err != nil {
		return nil, err
	}
	return appendStamp(nil, time.Time(s)), nil
}

func (s *stamp) UnmarshalText(text []byte) error {
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return fmt.Errorf("%.40q is not an RFC 3339 time", text)
	}
	t = t.UTC().Truncate(time.Microsecond)
	*s = stamp(t)
	return checkYear(t)
}
