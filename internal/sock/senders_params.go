package sock

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// What the params idle and senders are if they are not given.
const (
	defaultIdle    = time.Minute
	defaultSenders = 10_000
)

// senderParams are what an address says of datagram conversations.
type senderParams struct {
	idle      time.Duration // 0: no silence is an end
	most      int           // conversations at once
	emptyEnds bool
}

// senders reads the params idle, senders and eof.
func (p Params) senders() (sp senderParams, err error) {
	sp = senderParams{idle: defaultIdle, most: defaultSenders}
	if text, ok := p["idle"]; ok {
		if sp.idle, err = duration("idle", text); err != nil {
			return sp, err
		}
	}
	if text, ok := p["senders"]; ok {
		sp.most, err = strconv.Atoi(text)
		if err != nil || sp.most < 1 {
			return sp, Mistake("param senders=%s: not a number of 1 or more", text)
		}
	}
	sp.emptyEnds, err = p.emptyEnds()
	return sp, err
}

// duration reads a time such as 90s or 5m; a number without a unit is seconds.
func duration(param, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if n, isNumber := strconv.ParseUint(text, 10, 31); isNumber == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 {
		return 0, Mistake("param %s=%s: not a time of 0 or more, such as 90s or 5m", param, text)
	}
	return d, nil
}

// without returns p less some params.
func (p Params) without(names ...string) Params {
	rest := maps.Clone(p)
	maps.DeleteFunc(rest, func(name, _ string) bool { return slices.Contains(names, name) })
	return rest
}

// onlyForConversations refuses the params of ListenSenders where there are none.
func (p Params) onlyForConversations() error {
	for _, name := range []string{"idle", "senders"} {
		if _, ok := p[name]; ok {
			return Mistake("param %s is for a listener that has a conversation with each sender of datagrams", name)
		}
	}
	return nil
}
