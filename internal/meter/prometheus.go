package meter

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers GET and HEAD with what WriteTo writes.
func (m *Meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "ask with GET", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = m.WriteTo(w)
}

// WriteTo writes all counts in the text format 0.0.4 of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/),
// in one write. Times are in seconds.
func (m *Meter) WriteTo(w io.Writer) (int64, error) {
	var p page
	all := m.accounts()
	for _, f := range families {
		p.family(f, all)
	}
	p.replies(all)
	p.head("parley_start_time_seconds", "gauge", "When the program began, in seconds since 1970.")
	p.sample("parley_start_time_seconds", seconds(time.Duration(m.started.UnixNano())))
	return p.text.WriteTo(w)
}

// A family is a metric with all its labels.
type family struct {
	name, kind, help string
	samples          func(p *page, name string, a account)
}

var families = []family{
	{"parley_conversations_open", "gauge", "Conversations that are open.",
		func(p *page, name string, a account) { p.count(name, a.open, "service", a.service) }},
	{"parley_conversations_total", "counter", "Conversations begun.",
		func(p *page, name string, a account) { p.count(name, a.total, "service", a.service) }},
	{"parley_refused_total", "counter", "Callers refused, by reason.",
		func(p *page, name string, a account) { p.tally(name, "reason", a.refused, a.service) }},
	{"parley_frames_total", "counter", "Frames heard and said; services that move bytes as they come have none.",
		func(p *page, name string, a account) { p.directions(name, a.framesHeard, a.framesSaid, a.service) }},
	{"parley_bytes_total", "counter", "Bytes heard and said.",
		func(p *page, name string, a account) { p.directions(name, a.bytesHeard, a.bytesSaid, a.service) }},
	{"parley_errors_total", "counter", "What went wrong in conversations, by kind: most of it ended one.",
		func(p *page, name string, a account) { p.tally(name, "kind", a.errors, a.service) }},
	{"parley_accept_failures_total", "counter", "Failures to accept a caller, for want of descriptors or memory.",
		func(p *page, name string, a account) { p.count(name, a.acceptFailures, "service", a.service) }},
	{"parley_dropped_datagrams_total", "counter", "Datagrams thrown away because they came too fast, or from too many senders.",
		func(p *page, name string, a account) { p.count(name, a.lostPackets, "service", a.service) }},
}

// A page is the text that Prometheus reads.
type page struct{ text bytes.Buffer }

// family writes the samples of all accounts, with a head if there are any.
func (p *page) family(f family, all []account) {
	before := p.text.Len()
	p.head(f.name, f.kind, f.help)
	headed := p.text.Len()
	for _, a := range all {
		f.samples(p, f.name, a)
	}
	if p.text.Len() == headed {
		p.text.Truncate(before)
	}
}

// replies writes the histogram of reply times, whose buckets each count what is in the smaller ones too.
func (p *page) replies(all []account) {
	const name = "parley_reply_seconds"
	if len(all) > 0 {
		p.head(name, "histogram", "From a frame heard to the next one said in the same conversation.")
	}
	for _, a := range all {
		var n int64
		for i, bound := range bounds {
			n += a.replies.buckets[i]
			p.count(name+"_bucket", n, "service", a.service, "le", seconds(bound))
		}
		p.count(name+"_bucket", a.replies.count, "service", a.service, "le", "+Inf")
		p.sample(name+"_sum", seconds(a.replies.sum), "service", a.service)
		p.count(name+"_count", a.replies.count, "service", a.service)
	}
}

func (p *page) tally(name, label string, t tally, service string) {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		p.count(name, t[key], "service", service, label, key)
	}
}

func (p *page) directions(name string, heard, said int64, service string) {
	p.count(name, heard, "service", service, "direction", "heard")
	p.count(name, said, "service", service, "direction", "said")
}

func (p *page) head(name, kind, help string) {
	p.text.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

func (p *page) count(name string, n int64, labels ...string) {
	p.sample(name, strconv.FormatInt(n, 10), labels...)
}

// sample writes one line. labels are names and values in turn.
func (p *page) sample(name, value string, labels ...string) {
	p.text.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		p.text.WriteByte("{,"[min(i, 1)])
		p.text.WriteString(labels[i] + `="` + labelValue(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		p.text.WriteByte('}')
	}
	p.text.WriteString(" " + value + "\n")
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labelValue writes s as the format wants it; what is no UTF-8 is lost.
func labelValue(s string) string {
	return labelEscapes.Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'g', -1, 64)
}
