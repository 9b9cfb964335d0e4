package venuekey

import "context"

// sending.go owns what a Venue has to ask the Keeper in the middle of a renewal.

type sendingKey struct{}

// sending is what a renewal's context says to the Venue.
type sending struct {
	check  func() error
	policy Policy
}

func withSending(ctx context.Context, s sending) context.Context {
	return context.WithValue(ctx, sendingKey{}, s)
}

// BeforeSending is for a Venue: it is to be called at the moment at which the
// first byte of a renewal would leave, after connecting and the TLS handshake.
// An error, of ClassNotSent, means that nothing may be sent any more: the
// machine stood still for so long that somebody else may have renewed the token
// by now, or connecting took so long that the venue no longer forgives a second
// presentation. Outside a renewal it is nil.
func BeforeSending(ctx context.Context) error {
	if s, ok := ctx.Value(sendingKey{}).(sending); ok {
		return s.check()
	}
	return nil
}

// MayPresentTwice is for a Venue that knows several ways to one endpoint: whether
// the policy that the renewal goes by lets it try the next one, where nobody seems
// to have read the request that went the first. Outside a renewal it is true.
func MayPresentTwice(ctx context.Context) bool {
	s, ok := ctx.Value(sendingKey{}).(sending)
	return !ok || s.policy.reuseIsHarmless()
}
