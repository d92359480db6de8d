package relay

import (
	"context"
	"errors"
	"io"
	"os"

	"parley"
)

// carryFrames passes on whole frames, until from has ended. An end of ctx closes the ends, so that calls need not know it.
func (d *direction) carryFrames() error {
	_, to := d.pair()
	for {
		text, err := d.receive(context.Background())
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		d.j.tapped.piece(d.from, text, true)
		if err := to.Send(context.Background(), text); err != nil {
			d.untaken += int64(len(text))
			return err
		}
		d.sum.Frames++
		d.sum.Bytes += int64(len(text))
	}
}

// receive returns the next frame; io.EOF is the end, also that of a long silence.
func (d *direction) receive(ctx context.Context) ([]byte, error) {
	from, _ := d.pair()
	text, err := from.Receive(ctx)
	if err != nil {
		return text, d.noMoreFrames(err)
	}
	d.heardNow()
	return text, nil
}

// noMoreFrames is what an error of Receive means.
func (d *direction) noMoreFrames(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) && d.silence.Load() != 0 || errors.Is(err, parley.ErrServerEnding) {
		return io.EOF
	}
	return err
}
