// Package link is what connections to venues have in common, whatever their wire: a
// loop that keeps one alive, the token that it presents, waiting for what its state is
// to become, and a pace.
//
// It knows no messages and no venue. What it decides is what must not be decided anew
// for each wire:
//
//   - A connection that ends is replaced after a pause that doubles from half a second
//     to a minute, so that an outage of the venue meets no storm. It is never the same
//     for two programs, and never shorter than the venue asked for. A connection that
//     lived for half a minute proves that all is well. Only an error that a person has
//     to mend ends the loop.
//   - A token is asked for once a second, since another program may have renewed it. If
//     the venue rejects the current one and there is no other, the function that renews
//     is called once with each token; and while no token is good for anything, at most
//     once a minute, then less often, down to once an hour. A token that changed ends no
//     connection: what is signed on stays so, or is signed on anew on the connection
//     that there is, as the venue wants it.
//   - A request counts for a limit of the venue from when it is known to have arrived,
//     since that is what the venue counts.
package link

import (
	"context"
	"time"
)

// Pause sleeps, unless the context ends first.
func Pause(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
