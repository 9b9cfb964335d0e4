package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/venuekey/venuekey"
)

// revoke.go owns the end of a token before its time (RFC 7009).

// Revoke ends the refresh token and then the access token: the one should take the
// other with it (RFC 7009 §2.1), and there are servers where it does not. It
// returns nil where the venue confirmed the end of both, else an error that names
// what is ended and what is not. A venue whose address is not there answers with
// an error that errors.Is(err, errors.ErrUnsupported) tells.
func (c Config) Revoke(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	if c.RevokeURL == "" {
		return unsupported()
	}
	target, err := Endpoint("revoke", c.RevokeURL)
	if err != nil {
		return err
	}
	if token.Refresh != "" {
		if err := c.revoke(ctx, app, target, token.Refresh, "refresh_token"); err != nil {
			return err
		}
	}
	if token.Access == "" {
		return nil
	}
	failure := c.revoke(ctx, app, target, token.Access, "access_token")
	if failure == nil {
		return nil
	}
	if token.Refresh != "" {
		half := *failure
		half.Reason = "the venue ended the refresh token, and not the access token: " + failure.Reason
		return &half
	}
	return failure
}

// revoke ends one token.
func (c Config) revoke(ctx context.Context, app venuekey.App, target *url.URL, secret venuekey.Secret, hint string) *venuekey.Error {
	request, err := c.post(ctx, app, target, url.Values{"token": {string(secret)}, "token_type_hint": {hint}})
	if err != nil {
		return failed(err)
	}
	answer, err := Send(c.Transport, request)
	if err != nil {
		return failed(err)
	}
	fault := c.fault("", answer, c.find(answer.Body), []venuekey.Secret{secret, app.ClientSecret})
	switch {
	case fault != nil && fault.Code == "unsupported_token_type":
		return &venuekey.Error{Class: venuekey.Failed, Code: fault.Code, Reason: "the venue has no way to revoke this kind of token", Err: errors.ErrUnsupported}
	case fault != nil:
		return fault.Error
	case c.unread(answer):
		return unsupported()
	case answer.Status >= 300 || answer.IsPage():
		return answer.NotJSON(target)
	}
	// Also for a token that the venue does not know (RFC 7009 §2.2).
	var said struct {
		Revoked *bool `json:"revoked"`
	}
	if json.Unmarshal(answer.Text(), &said) == nil && said.Revoked != nil && !*said.Revoked {
		return &venuekey.Error{Class: venuekey.Failed, Reason: "the venue answered that it did not revoke the token"}
	}
	return nil
}

func failed(err error) *venuekey.Error {
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		return known
	}
	return &venuekey.Error{Class: venuekey.Unknown, Err: err}
}

func unsupported() *venuekey.Error {
	return &venuekey.Error{Class: venuekey.Failed, Reason: "the venue has no way to revoke a token", Err: errors.ErrUnsupported}
}
