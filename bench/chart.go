package main

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// The chart is as wide as a page of paper shows well; all in units of SVG.
const (
	chartWidth = 780
	barsAt     = 300 // left end of the scale; the names are before it
	barsEnd    = 535 // right end; the figures are behind it
	lineHeight = 17
	barHeight  = 10
)

const chartStyle = `text{font:11px sans-serif;fill:#222}.h{font-weight:bold;font-size:13px}.s{fill:#555}` +
	`.met{fill:#3b7dbb}.not{fill:#d9822b}.axis{stroke:#ccc}.one{stroke:#666}.limit{stroke:#111;stroke-width:2}`

// A scale places ratios: by their logarithms, so that a half is as far to the
// left of 1 as a double to the right.
type scale struct{ low, high float64 }

func (s scale) x(ratio float64) float64 {
	share := math.Log(ratio/s.low) / math.Log(s.high/s.low)
	return barsAt + min(1, max(0, share))*(barsEnd-barsAt)
}

// chart draws the rows that have a target as an SVG: a bar from 1, the peer,
// to the ratio, and a mark where the limit is.
func chart(r results) string {
	var out strings.Builder
	y := 24
	text(&out, 10, y, "h", "parley beside its peers")
	y += lineHeight
	text(&out, 10, y, "s", r.Machine)
	for _, panel := range []struct{ target, title, advice string }{
		{least, "More is better", "the tip of a bar should be at its mark or right of it"},
		{most, "Less is better", "the tip of a bar should be at its mark or left of it"},
	} {
		rows := r.drawn(panel.target)
		if len(rows) == 0 {
			continue
		}
		y += 2 * lineHeight
		text(&out, 10, y, "h", panel.title)
		y += lineHeight
		text(&out, 10, y, "s", "Bars show parley's figure over the peer's, or over the limit where no peer is named; "+panel.advice+".")
		y = drawPanel(&out, y+lineHeight, rows)
	}
	height := y + 3*lineHeight
	for _, line := range chartFoot(r) {
		text(&out, 10, height-lineHeight, "s", line)
		height += lineHeight
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img">`+
		"\n<title>parley beside its peers</title>\n<style>%s</style>\n"+
		`<rect width="100%%" height="100%%" fill="#fff"/>`+"\n%s</svg>\n", chartWidth, height, chartStyle, out.String())
}

// chartFoot says when and what was measured, in lines that fit.
func chartFoot(r results) []string {
	var lines []string
	for _, paragraph := range runsOf(r.Works) {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if len(line)+len(word) > 125 {
				lines, line = append(lines, line), "  "
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// A bar is a row as it is drawn.
type bar struct {
	row
	ratio, limit float64
}

// drawn returns the rows with that target as bars. Zeros have no place on the
// scale, and neither has a limit of 0.
func (r results) drawn(kind string) []bar {
	var bars []bar
	for _, work := range r.Works {
		for _, row := range work.Rows {
			b := bar{row: row, ratio: row.Measured.Median, limit: row.Limit}
			if row.Peer == "" {
				b.ratio, b.limit = b.ratio/row.Limit, 1
			}
			if row.Target == kind && row.Verdict != notMeasured && b.ratio > 0 && row.Limit > 0 {
				bars = append(bars, b)
			}
		}
	}
	return bars
}

// drawPanel draws the bars and their scale from y on, and returns where it ended.
func drawPanel(out *strings.Builder, y int, bars []bar) int {
	s := scale{0.5, 2}
	for _, b := range bars {
		s.low = min(s.low, b.ratio/1.2, b.limit/1.2)
		s.high = max(s.high, b.ratio*1.2, b.limit*1.2)
	}
	top, bottom := y+4, y+8+len(bars)*lineHeight
	for _, tick := range ticks(s) {
		class := "axis"
		if tick == 1 {
			class = "one"
		}
		line(out, s.x(tick), top, bottom, class)
		middle(out, s.x(tick), y, strconv.FormatFloat(tick, 'g', -1, 64))
	}
	for _, b := range bars {
		y += lineHeight
		b.draw(out, s, y)
	}
	return bottom
}

func (b bar) draw(out *strings.Builder, s scale, y int) {
	name := b.Work
	if b.Peer != "" {
		name += " / " + b.Peer
	}
	text(out, 10, y+3, "", name)
	class := "met"
	if b.Verdict == notMet {
		class = "not"
	}
	from, to := min(s.x(1), s.x(b.ratio)), max(s.x(1), s.x(b.ratio))
	fmt.Fprintf(out, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n",
		class, from, y-barHeight+4, max(1, to-from), barHeight)
	line(out, s.x(b.limit), y-barHeight+1, y+7, "limit")
	figure := fmt.Sprintf("%.2f", b.ratio)
	if b.Peer == "" {
		figure = number(b.Parley) + " " + b.Unit
	}
	text(out, barsEnd+12, y+3, "", fmt.Sprintf("%s (%s) %s", figure, b.limitText(), b.Verdict))
}

// ticks are the round numbers within the scale.
func ticks(s scale) []float64 {
	step := []float64{1, 2, 5}
	if s.high/s.low > 300 {
		step = step[:1] // there is no room for more
	}
	var all []float64
	for _, decade := range []float64{0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000} {
		for _, n := range step {
			if tick := n * decade; tick >= s.low && tick <= s.high {
				all = append(all, tick)
			}
		}
	}
	return all
}

func text(out *strings.Builder, x, y int, class, s string) {
	fmt.Fprintf(out, `<text x="%d" y="%d" class="%s">%s</text>`+"\n", x, y, class, html.EscapeString(s))
}

func middle(out *strings.Builder, x float64, y int, s string) {
	fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="middle" class="s">%s</text>`+"\n", x, y, html.EscapeString(s))
}

func line(out *strings.Builder, x float64, top, bottom int, class string) {
	fmt.Fprintf(out, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="%s"/>`+"\n", x, x, top, bottom, class)
}
