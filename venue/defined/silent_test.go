package defined_test

import (
	"context"

	"github.com/venuekey/venuekey"
)

// silent is a user who answers nothing.
type silent struct{}

func (silent) Visit(context.Context, venuekey.Visit) error { return nil }

func (silent) Paste(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func (silent) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return map[string]venuekey.Secret{}, nil
}

func (silent) Tell(string) {}

// pasting is a user who pastes a code of the length that one has.
type pasting struct {
	silent
	pasted bool
}

func (p *pasting) Paste(ctx context.Context) (string, error) {
	if p.pasted {
		return p.silent.Paste(ctx)
	}
	p.pasted = true
	return "a-code-that-is-long-enough-to-be-one", nil
}
