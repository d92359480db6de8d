package relay

import "context"

// waitLocal waits for the ends that can fail after they have ended, as a command does. It needs the lock.
func (j *joint) waitLocal() {
	for i, c := range j.ends {
		command, ok := c.NetConn().(interface{ Wait(context.Context) error })
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
