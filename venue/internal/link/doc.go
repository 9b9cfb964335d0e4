// Package link holds what all connections to venues have in common, whatever their
// protocol: a client's one run (Once), the loop that keeps a connection up (Loop), the
// token that it presents (Token), waiting for a state (Gate), listeners (List), ending the
// streams (Ends), rate limiting (Pace), and which errors are final (ClassOf, Final).
//
// It knows no messages and no venue. It makes the decisions that must be the same for
// every protocol:
//
//   - Reconnecting backs off. A connection that ends is replaced after a delay that
//     doubles from half a second to a minute, with jitter, so that programs do not
//     return all at once after an outage. The delay is never shorter than the venue asked
//     for. A connection that lasted half a minute resets it. Only an error that a person
//     must fix ends the loop.
//   - Tokens are polled. The current token is asked for once a second, since another
//     program may have renewed it. If the venue rejects it and there is no other, the
//     function that renews is called once for each token; while the venue accepts none,
//     at most once a minute, then less and less often, down to once an hour. A new token
//     ends no connection: depending on the venue, the session continues, or is
//     authorised again on the existing connection.
//   - A request counts towards a venue's rate limit from the time at which it is known
//     to have arrived, since arrivals are what the venue counts.
package link

import (
	"context"
	"time"
)

// Pause sleeps for d, or until the context ends, and then returns the context's error.
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
