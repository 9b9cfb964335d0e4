package openapi

import (
	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// token.go owns how a Client's Token and Rejected become a link.Token, and how errors
// from them are classified.

// watchToken returns the token of one Run.
func (c *Client) watchToken(options Options) *link.Token {
	return &link.Token{Get: c.Token, Rejected: c.Rejected, Timeout: options.Timeout, Log: options.Log}
}

// tokenError turns an error from a link.Token into an *Error. If it calls for a new
// sign-in the class is venuekey.ClassRefused; anything else can be tried again.
func (c *Client) tokenError(err error) *Error {
	_, address := c.endpoint().hostPort()
	class := venuekey.ClassLater
	if venuekey.NeedsSignIn(err) {
		class = venuekey.ClassRefused
	}
	return &Error{Class: class, Address: address, Err: err}
}
