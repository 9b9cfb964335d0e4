package openapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
)

// token.go owns the token that Run presents, and what it does when that is dead.

// tokens is what Run knows of the token.
type tokens struct {
	// Current is what Token returned last.
	Current venuekey.Secret
	// Refused is the last one that the service did not take, if Client.Refused
	// was told of it.
	Refused venuekey.Secret
	// next is when Client.Refused may be asked again, and asked how often it was
	// since a token was good for anything.
	next  time.Time
	asked int
}

// fetchToken asks Token. Whoever has an old token need not mind an error: what
// is authorised stays so, and the service says when the old one is dead.
func (c *Client) fetchToken(ctx context.Context, options Options) error {
	ctx, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	token, err := c.Token(ctx)
	if err != nil || token == "" {
		failure := c.tokenError(err)
		options.Log.Debug("no token", "error", failure)
		return failure
	}
	c.tokens.Current = token
	return nil
}

func (c *Client) tokenError(err error) *Error {
	_, address := c.endpoint().hostPort()
	class := venuekey.ClassLater
	if venuekey.NeedsSignIn(err) {
		class = venuekey.ClassRefused
	}
	if err == nil {
		err = errors.New("it is empty")
	}
	return &Error{Class: class, Address: address, Err: fmt.Errorf("no access token: %w", err)}
}

const (
	// firstAsked and lastAsked bound how often Client.Refused is asked for newer
	// tokens while none of them is good for anything: each is a renewal.
	firstAsked = time.Minute
	lastAsked  = time.Hour
)

// renewed reports whether there is another token than the one that the service
// just refused. Client.Refused hears of each token once, unless it fails.
func (c *Client) renewed(ctx context.Context, conn *Conn) (bool, error) {
	refused := c.tokens.Current
	if err := c.fetchToken(ctx, conn.opts); final(err) {
		return false, err
	}
	if !refused.Equal(c.tokens.Current) {
		return true, nil
	}
	if c.Refused == nil || refused.Equal(c.tokens.Refused) || time.Now().Before(c.tokens.next) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*conn.opts.Timeout)
	defer cancel()
	newer, err := c.Refused(ctx, refused)
	if err != nil {
		return false, c.tokenError(err)
	}
	c.tokens.Refused = refused
	c.tokens.next = time.Now().Add(min(lastAsked, firstAsked<<min(c.tokens.asked, 10)))
	c.tokens.asked++
	if newer != "" {
		c.tokens.Current = newer
	}
	return !refused.Equal(c.tokens.Current), nil
}
