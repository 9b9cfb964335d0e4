package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/venuekey/venuekey"
)

// token.go owns the token that a connection presents, and what happens when the venue
// rejects it.

const (
	// TokenPoll is how often to call Fetch or Changed while a connection is up.
	TokenPoll = time.Second
	// firstAsked and lastAsked bound the interval between calls of Rejected while the
	// venue accepts no token: each call may be a renewal.
	firstAsked = time.Minute
	lastAsked  = time.Hour
)

// Token tracks the current access token. It is not safe for concurrent use.
type Token struct {
	// Get returns the current token. It must be cheap if nothing has changed.
	Get func(ctx context.Context) (venuekey.Secret, error)
	// Rejected is called once for each token that the venue rejects, and returns a newer
	// one. If it is nil, Replaced relies on Get to return another token at some time.
	Rejected func(ctx context.Context, access venuekey.Secret) (venuekey.Secret, error)
	// Timeout limits each call of Get. A call of Rejected may take twice as long.
	Timeout time.Duration
	// Log receives a debug message when there is no token. It is required.
	Log *slog.Logger
	// Current is the last token that Get or Rejected returned, or "" before the first.
	Current venuekey.Secret
	// Reported is the token that Rejected was last called with.
	Reported venuekey.Secret

	next  time.Time // when Rejected may be called again
	asked int       // how many times it was called since the venue last accepted a token
}

// Fetch calls Get. If that fails, Current keeps its value: the session continues, and the
// venue will say if the old token is dead.
func (t *Token) Fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	token, err := t.Get(ctx)
	if err == nil && token == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		err = noToken(err)
		t.Log.Debug("no token", "error", err)
		return err
	}
	t.Current = token
	return nil
}

// Changed fetches the token and reports whether it differs from the previous one.
func (t *Token) Changed(ctx context.Context) bool {
	before := t.Current
	_ = t.Fetch(ctx)
	return !before.Equal(t.Current)
}

// Replaced looks for a replacement for the current token, which the venue has just
// rejected, and reports whether Current is now a different one. It fetches first, and
// calls Rejected if that brings nothing new: once for each token, not counting calls that
// fail, and not more often than the back-off allows.
func (t *Token) Replaced(ctx context.Context) (bool, error) {
	rejected := t.Current
	if err := t.Fetch(ctx); venuekey.NeedsSignIn(err) {
		return false, err
	}
	if !rejected.Equal(t.Current) {
		return true, nil
	}
	if t.Rejected == nil || rejected.Equal(t.Reported) || time.Now().Before(t.next) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*t.Timeout)
	defer cancel()
	newer, err := t.Rejected(ctx, rejected)
	if err != nil {
		return false, noToken(err)
	}
	t.Reported = rejected
	t.next = time.Now().Add(min(lastAsked, firstAsked<<min(t.asked, 10)))
	t.asked++
	if newer != "" {
		t.Current = newer
	}
	return !rejected.Equal(t.Current), nil
}

// Proved records that the venue accepted the token, which resets the back-off.
func (t *Token) Proved() { t.next, t.asked = time.Time{}, 0 }

func noToken(err error) error { return fmt.Errorf("no access token: %w", err) }
