package relay

import "context"

// A waiter is an end that can fail after it has ended: a command. Wait waits until it has gone by itself.
type waiter interface{ Wait(context.Context) error }

// waitLocal waits for the ends that can fail after they have ended, as a command does. It needs the lock.
func (j *joint) waitLocal() {
	for i, c := range j.ends {
		command, ok := c.NetConn().(waiter)
		if !ok {
			continue
		}
		err := command.Wait(j.ctx)
		switch {
		case err == nil:
		case j.ctx.Err() != nil:
			j.cause = context.Cause(j.ctx)
			j.breakOff()
			return
		case j.cause == nil:
			j.cause, j.causeAt = j.named(i, "receive", err), i
		}
	}
}

// waitFailed waits for a command that takes no more. If it has failed, that is why. It needs the lock.
func (j *joint) waitFailed() {
	err := j.ends[j.causeAt].NetConn().(waiter).Wait(j.ctx)
	if err != nil && j.ctx.Err() == nil {
		j.cause = j.named(j.causeAt, "receive", err)
	}
}
