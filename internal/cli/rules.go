package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"parley/guard"
)

// A ruleBook holds the rules of --allow, --deny and --rules, and reads the file again when it changes. What cannot be read
// or understood changes nothing.
type ruleBook struct {
	s     *serving
	flags *guard.Rules
	watch *fsnotify.Watcher // nil without a file
	done  sync.WaitGroup
	stop  context.CancelFunc

	reading sync.Mutex // held from reading the file until its rules decide

	mu   sync.Mutex
	text []byte // of the file, as it was last read
	gone bool   // it cannot be read, and that has been told
	now  *guard.Rules
}

// maxRulesFile is the longest file of rules, in bytes.
const maxRulesFile = 4 << 20

// writtenAfter is how long nothing happens to a file that has been written.
const writtenAfter = 50 * time.Millisecond

// lookupEvery is how often host names in rules are looked up again, and lookupPatience how long that may take.
const lookupEvery, lookupPatience = time.Minute, 5 * time.Second

// readRules reads the rules for the first time, when a mistake is still a reason not to begin.
func (s *serving) readRules(ctx context.Context) (*ruleBook, error) {
	own, err := guard.NewRules(s.allow, s.deny)
	if err != nil {
		return nil, usageError{err}
	}
	b := &ruleBook{s: s, flags: own, now: own}
	if s.rulesFile != "" {
		if b.text, err = readLimited(s.rulesFile, maxRulesFile); err != nil {
			return nil, &localError{"--rules", err}
		}
		ofFile, err := guard.ReadRules(s.rulesFile, bytes.NewReader(b.text))
		if err != nil {
			return nil, usageError{err}
		}
		b.now = own.Join(ofFile)
		if b.watch, err = fsnotify.NewWatcher(); err == nil {
			err = b.watch.Add(filepath.Dir(s.rulesFile)) // the file itself may be replaced by another of its name
		}
		if err != nil {
			return nil, &localError{"watching --rules " + s.rulesFile, err}
		}
	}
	b.lookUp(ctx, b.now)
	ctx, b.stop = context.WithCancel(context.WithoutCancel(ctx))
	if b.watch != nil {
		b.done.Go(func() { b.follow(ctx) })
	}
	b.done.Go(func() { b.refresh(ctx) })
	return b, nil
}

func (b *ruleBook) close() {
	if b == nil {
		return
	}
	b.stop()
	if b.watch != nil {
		b.watch.Close()
	}
	b.done.Wait()
}

func (b *ruleBook) current() *guard.Rules {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// follow reads the file again when something has happened in its directory, and nothing more for a moment: a file that is
// being written is not all there.
func (b *ruleBook) follow(ctx context.Context) {
	var settled <-chan time.Time
	for {
		select {
		case _, ok := <-b.watch.Events:
			if !ok {
				return
			}
			settled = time.After(writtenAfter)
		case <-settled:
			b.reread(ctx, false)
		case err, ok := <-b.watch.Errors:
			if !ok {
				return
			}
			b.s.journal.Warn("watching the rules", "file", b.s.rulesFile, "err", err)
		case <-ctx.Done():
			return
		}
	}
}

// reread takes up the rules of the file if it has changed, and says so; when asked, it says so in any case.
func (b *ruleBook) reread(ctx context.Context, asked bool) {
	if b == nil || b.watch == nil {
		return
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	text, err := readLimited(b.s.rulesFile, maxRulesFile)
	b.mu.Lock()
	unchanged := err == nil && bytes.Equal(text, b.text) && !b.gone || err != nil && b.gone
	b.gone = err != nil
	if err == nil {
		b.text = text
	}
	b.mu.Unlock()
	if unchanged && !asked {
		return
	}
	var ofFile *guard.Rules
	if err == nil {
		ofFile, err = guard.ReadRules(b.s.rulesFile, bytes.NewReader(text))
	}
	rules := b.flags.Join(ofFile)
	if err == nil {
		err = b.mayBecome(ofFile, rules)
	}
	if err != nil {
		b.s.journal.Warn("the rules stay as they were", "err", err)
		return
	}
	rules.TakeAddresses(b.current())
	b.lookUp(ctx, rules)
	b.mu.Lock()
	b.now = rules
	b.mu.Unlock()
	b.s.guard.SetRules(rules)
	b.s.journal.Warn("the rules have been read again", "file", b.s.rulesFile)
}

// mayBecome refuses what would let everybody in by mistake: a file without rules, as while it is being written, and rules that
// name nobody who may use what can be used against others.
func (b *ruleBook) mayBecome(ofFile, all *guard.Rules) error {
	if ofFile.Len() == 0 {
		return fmt.Errorf("there are none in %s; \"allow all\" lets everybody in", b.s.rulesFile)
	}
	for _, p := range b.s.posts {
		if p.ln != nil && p.isOpen() && !all.HasAllow() {
			return fmt.Errorf("%s names nobody who may use %s at %s, which can be used against others", b.s.rulesFile, p.service, p.address)
		}
	}
	return nil
}

// refresh looks up host names again.
func (b *ruleBook) refresh(ctx context.Context) {
	tick := time.NewTicker(lookupEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.lookUp(ctx, b.current())
		case <-ctx.Done():
			return
		}
	}
}

func (b *ruleBook) lookUp(ctx context.Context, r *guard.Rules) {
	if len(r.Hosts()) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupPatience)
	defer cancel()
	if err := r.Resolve(ctx, nil); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		b.s.journal.Warn("host names in the rules", "err", err)
	}
}

// readLimited reads a file that may not be longer than limit.
func readLimited(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &fs.PathError{Op: "read", Path: name, Err: errTooLarge}
	}
	return text, err
}

var errTooLarge = errors.New("the file is too large")
