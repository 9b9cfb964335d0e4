package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/venuekey/venuekey"
)

// token.go owns the token that a connection presents, and what is done when the venue
// rejects it.

const (
	// TokenPoll is how often Fetch is to be called while a connection lives.
	TokenPoll = time.Second
	// firstAsked and lastAsked bound how often Rejected is called while no token is
	// good for anything: each call is a renewal.
	firstAsked = time.Minute
	lastAsked  = time.Hour
)

// Token is the token of the moment. One goroutine uses it.
type Token struct {
	// Get returns the token. It is cheap if nothing changed.
	Get func(ctx context.Context) (venuekey.Secret, error)
	// Rejected is called once with each token that the venue did not take, and returns a
	// newer one. If it is nil, Replaced waits until Get returns another.
	Rejected func(ctx context.Context, access venuekey.Secret) (venuekey.Secret, error)
	// Timeout is how long Get may take, and half of how long Rejected may.
	Timeout time.Duration
	// Log hears in Debug of times without a token.
	Log *slog.Logger
	// Current is what there was last, "" before.
	Current venuekey.Secret
	// Reported is the token that Rejected was called with last.
	Reported venuekey.Secret

	next  time.Time // when Rejected may be called again
	asked int       // how often it was since a token was good for anything
}

// Fetch asks for the token. After an error Current is what it was: what is signed on
// stays so, and the venue says when an old token is dead.
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

// Changed fetches the token and reports whether it is another one.
func (t *Token) Changed(ctx context.Context) bool {
	before := t.Current
	_ = t.Fetch(ctx)
	return !before.Equal(t.Current)
}

// Replaced reports whether there is another token than the current one, which the venue
// just rejected. Rejected is called once with each token, unless it fails.
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

// Proved notes that the venue took the token.
func (t *Token) Proved() { t.next, t.asked = time.Time{}, 0 }

func noToken(err error) error { return fmt.Errorf("no access token: %w", err) }
