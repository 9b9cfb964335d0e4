package venuekey

import "context"

// sending.go owns the last look before a renewal leaves the machine.

type sendingKey struct{}

// withSending gives a context whose BeforeSending asks the check.
func withSending(ctx context.Context, check func() error) context.Context {
	return context.WithValue(ctx, sendingKey{}, check)
}

// BeforeSending is for a Venue: it is to be called at the moment at which the
// first byte of a renewal would leave, after connecting and the TLS handshake.
// An error, of class NotSent, means that nothing may be sent any more: the
// machine stood still for so long that somebody else may have renewed the token
// by now. Outside a renewal it is nil.
func BeforeSending(ctx context.Context) error {
	if check, ok := ctx.Value(sendingKey{}).(func() error); ok {
		return check()
	}
	return nil
}
