package venuekey

import "context"

// WithSending gives a context as a renewal has one: BeforeSending asks the check.
func WithSending(ctx context.Context, check func() error) context.Context {
	return withSending(ctx, sending{check: check})
}
