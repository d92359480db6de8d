package cli

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/term"
)

// progressFacts is what a relay has done by now.
type progressFacts struct {
	up, down int64 // bytes
	open     int   // conversations
	total    int64 // how much up will be in the end; 0: not known
}

// A progressLine is a line on the terminal that says how far a relay is. There is none where standard error is no terminal.
type progressLine struct {
	u     *ui
	facts func() progressFacts
	quit  chan struct{} // nil: not started
	done  chan struct{}
	past  []progressPoint // the oldest first
}

// progressPoint is how much had passed at a time, both ways.
type progressPoint struct {
	at    time.Time
	bytes int64
}

const (
	progressEvery  = 250 * time.Millisecond
	progressPoints = 13 // the rate is that of the last 3 seconds
	progressBar    = 20 // columns
)

// newProgress returns a line that asks facts four times a second, once it is started.
func newProgress(u *ui, facts func() progressFacts) *progressLine {
	return &progressLine{u: u, facts: facts}
}

func (p *progressLine) start() {
	if !p.u.errTerm {
		return
	}
	p.quit, p.done = make(chan struct{}), make(chan struct{})
	go p.run()
}

// stop takes the line away.
func (p *progressLine) stop() {
	if p.quit == nil {
		return
	}
	close(p.quit)
	<-p.done
	p.u.setStatus("")
	p.quit = nil
}

func (p *progressLine) run() {
	defer close(p.done)
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	p.line(time.Now()) // where the rate is counted from
	for {
		select {
		case <-p.quit:
			return
		case now := <-tick.C:
			p.u.setStatus(fitted(p.line(now), p.width()))
		}
	}
}

// width is how many columns can be used. In the last one some terminals begin a new line.
func (p *progressLine) width() int {
	columns, _, err := term.GetSize(int(p.u.err.Fd()))
	if err != nil || columns <= 1 {
		columns = 80
	}
	return columns - 1
}

func fitted(line string, columns int) string { return line[:min(len(line), columns)] }

// line is what there is to say at a time.
func (p *progressLine) line(now time.Time) string {
	f := p.facts()
	rate := p.rate(now, f.up+f.down)
	parts := []string{
		"up " + bytesText(f.up), "down " + bytesText(f.down), bytesText(int64(rate)) + "/s", plural(f.open, "conversation"),
	}
	if f.total <= 0 {
		return strings.Join(parts, ", ")
	}
	share := min(float64(f.up)/float64(f.total), 1)
	full := int(share * progressBar)
	bar := strings.Repeat("#", full) + strings.Repeat("-", progressBar-full)
	return fmt.Sprintf("[%s] %d%%%s, %s", bar, int(share*100), timeLeft(f, rate), strings.Join(parts, ", "))
}

// rate is how many bytes a second there were lately.
func (p *progressLine) rate(now time.Time, bytes int64) float64 {
	p.past = append(p.past, progressPoint{now, bytes})
	p.past = p.past[max(0, len(p.past)-progressPoints):]
	since := p.past[0]
	if seconds := now.Sub(since.at).Seconds(); seconds > 0 {
		return max(0, float64(bytes-since.bytes)/seconds) // a conversation that ends may be counted more exactly
	}
	return 0
}

// timeLeft is nothing where it cannot be told, and at the end.
func timeLeft(f progressFacts, rate float64) string {
	const longest = 100 * time.Hour // more is no forecast
	left := float64(f.total - f.up)
	if rate <= 0 || left <= 0 || left/rate > longest.Seconds() {
		return ""
	}
	return ", " + (time.Duration(left/rate*float64(time.Second)) + time.Second - 1).Truncate(time.Second).String() + " left"
}

// bytesText is a number of bytes in the units of --fault and of disks: powers of a thousand.
func bytesText(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	units := "kMGTPE"
	size := float64(n) / 1000
	for size >= 999.95 && len(units) > 1 { // would be shown as 1000.0
		size /= 1000
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %cB", size, units[0])
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
