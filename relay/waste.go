package relay

import "errors"

// deafAfter is how many bytes an end may say in vain while it does not take the last words of the other: an end that says
// all it has before it listens must be able to, and one that never listens would keep a processor busy for ever.
const deafAfter = 1 << 30

// errDeaf ends a discard that nobody has anything of.
var errDeaf = errors.New("it goes on speaking, and does not hear")

// waste is a writer that takes what nobody takes any more.
type waste struct {
	d      *direction
	bytes  int64 // since the last look
	before lastWords
}

// lastWords are how far what the failed end still says has come. Some ways count what is heard, some what is said.
type lastWords struct {
	heard, said, taken int64
	stuck              bool // they wait for the end that speaks on
}

func (d *direction) newWaste() *waste { return &waste{d: d, before: d.lastWords()} }

// Write returns errDeaf when two looks, deafAfter bytes apart, have found the last words stuck at the same place.
func (w *waste) Write(p []byte) (int, error) {
	if w.bytes += int64(len(p)); w.bytes < deafAfter {
		return len(p), nil
	}
	words := w.d.lastWords()
	if words.stuck && words == w.before {
		w.d.j.noteDeaf()
		return len(p), errDeaf
	}
	w.bytes, w.before = 0, words
	return len(p), nil
}

// lastWords returns how far they have come on their way from to back to from.
func (d *direction) lastWords() lastWords {
	from, to := d.pair()
	speaker, hearer := to.State(), from.State()
	stuck := d.j.hasToldAll(d.to) || !hearer.Saying.IsZero() || speaker.Unread > 0
	return lastWords{speaker.Heard, hearer.Said, hearer.Taken, stuck}
}
