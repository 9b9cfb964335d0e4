package oauth

import (
	"context"
	"errors"
	"net/url"

	"github.com/venuekey/venuekey"
)

// Revoke ends a token (RFC 7009). A venue whose address is not there answers
// with an error that errors.Is(err, errors.ErrUnsupported) tells.
func (c Config) Revoke(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	if c.RevokeURL == "" {
		return unsupported()
	}
	target, err := Endpoint("revoke", c.RevokeURL)
	if err != nil {
		return err
	}
	// The refresh token takes the access token with it (RFC 7009 §2.1).
	secret, hint := token.Refresh, "refresh_token"
	if secret == "" {
		secret, hint = token.Access, "access_token"
	}
	form := url.Values{"token": {string(secret)}, "token_type_hint": {hint}}
	request, err := c.post(ctx, app, target, form)
	if err != nil {
		return err
	}
	answer, err := Send(c.Transport, request)
	switch {
	case err != nil:
		return err
	case c.unread(answer):
		return unsupported()
	case answer.Status < 300:
		// Also for a token that the venue does not know (RFC 7009 §2.2).
		return nil
	}
	if fault := c.fault("", answer, c.find(answer.Body), []venuekey.Secret{secret, app.ClientSecret}); fault != nil {
		return fault.Error
	}
	return answer.NotJSON(target)
}

func unsupported() *venuekey.Error {
	return &venuekey.Error{Class: venuekey.Failed, Reason: "the venue has no way to revoke a token", Err: errors.ErrUnsupported}
}
