package socket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// authorise.go owns the token on a Client's connection: which one is presented, and what
// happens when the venue does not take it.

const (
	// firstDoubt and lastDoubt bound how long the Client waits before it presents a token
	// again that the venue did not take, while there is no other.
	firstDoubt = time.Minute
	lastDoubt  = 15 * time.Minute
)

// authorise presents the token. That there was a gap is told before anything that comes
// after it.
func (c *Client) authorise(ctx context.Context, conn *Conn) error {
	from := c.wasReady
	authorised := func(json.RawMessage) {
		if !from.IsZero() {
			c.hub.dispatch(conn, Event{Kind: EventGap, From: from, To: time.Now()}, []byte("null"))
		}
	}
	access, market := c.token.Current, c.marketToken(ctx)
	if market != "" {
		access = market
	}
	err := conn.authorize(ctx, access, authorised)
	switch {
	case err == nil:
		c.unproved = 0
		if market == "" {
			c.token.Proved()
		}
	case market != "" && (kindOf(err) == KindTokenDead || link.ClassOf(err) == venuekey.ClassDeclined):
		c.refused = &secrets{[]venuekey.Secret{market}}
	}
	return err
}

// marketToken is the market-data token to present, "" for none.
func (c *Client) marketToken(ctx context.Context) venuekey.Secret {
	market := c.extra(ctx, "market-data token", c.MarketToken)
	if c.refused != nil && market.Equal(c.refused.List[0]) {
		return ""
	}
	return market
}

// doubtToken decides what to do after a token was not taken: the token of a session that
// was closed elsewhere is answered with 408, 429 or 500 as well (Tradovate facts §2).
// It returns when another try makes sense.
func (c *Client) doubtToken(ctx context.Context, refused error) error {
	var known *Error
	if !errors.As(refused, &known) || known.Status == 0 {
		return refused
	}
	dead := known.Kind == KindTokenDead || known.Status == http.StatusRequestTimeout || known.Status == http.StatusInternalServerError
	if !dead && known.RetryAfter == 0 {
		return refused
	}
	wait := max(known.RetryAfter, c.doubt())
	c.setState(PhaseWaiting, refused, time.Now().Add(wait))
	for end := time.Now().Add(wait); time.Now().Before(end); {
		if dead {
			replaced, err := c.token.Replaced(ctx)
			if venuekey.NeedsSignIn(err) {
				return c.tokenError(err)
			}
			if replaced {
				return refused
			}
		} else if c.token.Changed(ctx) {
			return refused
		}
		if err := c.pause(ctx, link.TokenPoll); err != nil {
			return err
		}
	}
	return refused
}

// doubt is how long to wait with a token that is in doubt, longer each time.
func (c *Client) doubt() time.Duration {
	wait := min(lastDoubt, firstDoubt<<min(c.unproved, 10))
	c.unproved++
	return wait
}

// pause waits, less long if the token is said to have changed.
func (c *Client) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// tokenError is an error of a link.Token. Only a new sign-in helps if that is what it
// says; whatever else it is, it is tried again.
func (c *Client) tokenError(err error) *Error {
	_, address := c.Endpoint.hostPort()
	class := venuekey.ClassLater
	if venuekey.NeedsSignIn(err) {
		class = venuekey.ClassRefused
	}
	return &Error{Class: class, Address: address, Err: err}
}
