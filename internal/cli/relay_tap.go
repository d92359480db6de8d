package cli

import (
	"errors"
	"os"

	"github.com/spf13/pflag"

	"parley/frame"
	"parley/relay"
)

// tapFlags are --tap and --show, and what they have made.
type tapFlags struct {
	*relay.Tap // nil: none
	path, show string
	keep       int
	file       *os.File
}

// defaultTapKeep is enough for what people say, in bytes, and little of a bulk transfer.
const defaultTapKeep = 4096

func (t *tapFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&t.path, "tap", "", "write what passes to this file, as a transcript")
	fl.IntVar(&t.keep, "tap-keep", defaultTapKeep, "bytes of each message that the tap keeps; 0 for all")
	fl.StringVar(&t.show, "show", "", "show what passes on standard error, as text, hex or json")
}

// open opens the file and begins; a file that is there is added to.
func (t *tapFlags) open(u *ui, addresses []string, formats [2]frame.Format) (err error) {
	if t.path == "" && t.show == "" {
		if t.keep != defaultTapKeep {
			return usagef("--tap-keep is for --tap and --show")
		}
		return nil
	}
	if t.keep < 0 {
		return usagef("--tap-keep: it must be 0 or more")
	}
	opts := relay.TapOptions{Program: versionText(), Verb: "relay", Address: addresses, Keep: t.keep, Frame: formats}
	if t.keep == 0 {
		opts.Keep = -1
	}
	if t.show != "" {
		if opts.Show, err = newShower(t.show, u); err != nil {
			return err
		}
	}
	if t.path == "" {
		t.Tap = relay.NewTap(nil, opts)
		return nil
	}
	if t.file, err = openTranscript(t.path); err != nil {
		return &localError{"--tap", err}
	}
	opts.Failed = func(err error) { u.note("--tap %s: %v; conversations go on without", t.path, err) }
	t.Tap = relay.NewTap(t.file, opts)
	return nil
}

// openTranscript opens a transcript to be added to. A last line that was cut is ended, or it would spoil the next one.
func openTranscript(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return f, err
	}
	last := make([]byte, 1)
	if _, err = f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
		_, err = f.WriteString("\n")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// close tells what the transcript is worth.
func (t *tapFlags) close(u *ui) error {
	if t.Tap == nil {
		return nil
	}
	err := t.Tap.Close()
	switch messages, bytes := t.Lost(); {
	case messages > 0:
		u.note("the tap could not follow: %d messages (%d bytes) are missing, where lost lines say so", messages, bytes)
	case t.file != nil && err == nil:
		u.note("the tap is complete: nothing was dropped")
	}
	if t.file == nil {
		return nil
	}
	if err = errors.Join(err, t.file.Close()); err != nil {
		return &localError{"--tap " + t.path, err}
	}
	return nil
}
