package venuekey

import "context"

// sending.go owns the questions that a Venue asks the Keeper in the middle of a renewal.

type sendingKey struct{}

// sending is what a renewal's context holds for the Venue.
type sending struct {
	check  func() error
	policy Policy
}

func withSending(ctx context.Context, s sending) context.Context {
	return context.WithValue(ctx, sendingKey{}, s)
}

// BeforeSending is for implementations of Venue.Refresh. Call it immediately before the
// first byte of the request leaves, after connecting and the TLS handshake. An error, of
// ClassNotSent, means that nothing may be sent any more: the machine was suspended for so
// long that another program may have renewed the token by now, or connecting took so long
// that the venue no longer forgives a second presentation. Outside a renewal it returns
// nil. oauth.Send calls it.
func BeforeSending(ctx context.Context) error {
	if s, ok := ctx.Value(sendingKey{}).(sending); ok {
		return s.check()
	}
	return nil
}

// MayPresentTwice is for implementations of Venue.Refresh that know several ways to one
// endpoint: it reports whether the policy allows trying the next way when the server does
// not seem to have read the first request. Outside a renewal it returns true.
func MayPresentTwice(ctx context.Context) bool {
	s, ok := ctx.Value(sendingKey{}).(sending)
	return !ok || s.policy.reuseIsHarmless()
}
