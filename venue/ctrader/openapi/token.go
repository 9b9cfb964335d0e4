package openapi

import (
	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// token.go owns what becomes of a Client's Token and Refused: what the link asks, and
// the errors that come of it.

// watchToken is the token of one Run.
func (c *Client) watchToken(options Options) *link.Token {
	return &link.Token{Get: c.Token, Rejected: c.Refused, Timeout: options.Timeout, Log: options.Log}
}

// tokenError is an error of a link.Token. Only a new sign-in helps if that is what it
// says; whatever else it is, it is tried again.
func (c *Client) tokenError(err error) *Error {
	_, address := c.endpoint().hostPort()
	class := venuekey.ClassLater
	if venuekey.NeedsSignIn(err) {
		class = venuekey.ClassRefused
	}
	return &Error{Class: class, Address: address, Err: err}
}
