package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/venuekey/venuekey"
)

// revoke.go owns the revocation of tokens (RFC 7009).

// Revoke revokes the refresh token and then the access token. The first should include
// the second (RFC 7009 §2.1), but not every server does that.
//
// It returns nil if the venue confirmed both. Otherwise the error says which of the two
// is revoked: errors.Is(err, errors.ErrUnsupported) if the venue revokes nothing or no
// refresh tokens, venuekey.ErrAccessLives if it does not revoke access tokens. Whatever
// it can revoke of the two is revoked in any case.
func (c Client) Revoke(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	if c.RevokeURL == "" {
		return unsupported()
	}
	target, err := Endpoint("revoke", c.RevokeURL)
	if err != nil {
		return err
	}
	var refresh, access *venuekey.Error
	if token.Refresh != "" {
		refresh = c.revoke(ctx, app, target, token.Refresh, "refresh_token")
	}
	if refresh != nil && !isOtherKind(refresh) {
		return refresh
	}
	if token.Access != "" {
		access = c.revoke(ctx, app, target, token.Access, "access_token")
	}
	if failure := halves(token, refresh, access); failure != nil {
		return failure
	}
	return nil
}

// isOtherKind reports whether a server revokes tokens, but not of that kind (RFC 7009
// §2.2.1).
func isOtherKind(failure *venuekey.Error) bool {
	return failure != nil && failure.Code == "unsupported_token_type"
}

// halves combines what became of the two tokens.
func halves(token venuekey.Token, refresh, access *venuekey.Error) *venuekey.Error {
	if token.Refresh == "" || token.Access == "" {
		return either(refresh, access)
	}
	told := venuekey.Error{}
	switch {
	case refresh == nil && access == nil:
		return nil
	case refresh == nil && isOtherKind(access):
		told = *access
		told.Err, told.Reason = venuekey.ErrAccessLives, "the venue revoked the refresh token, but has no way to revoke an access token, which may remain valid"
		if !token.Expires.IsZero() {
			told.Reason += " until " + token.Expires.UTC().Format("2006-01-02 15:04 MST")
		}
	case refresh == nil:
		told = *access
		told.Reason = "the venue revoked the refresh token, but not the access token: " + access.Reason
	case access == nil:
		told = *refresh
		told.Reason = "the venue revoked the access token, but has no way to revoke a refresh token"
	case isOtherKind(access):
		return unsupported()
	default:
		told = *access
		told.Reason = "the venue has no way to revoke a refresh token, and did not revoke the access token: " + access.Reason
	}
	return &told
}

func either(a, b *venuekey.Error) *venuekey.Error {
	if a != nil {
		return a
	}
	return b
}

// revoke revokes one token.
func (c Client) revoke(ctx context.Context, app venuekey.App, target *url.URL, secret venuekey.Secret, hint string) *venuekey.Error {
	request, err := c.post(ctx, app, target, url.Values{"token": {string(secret)}, "token_type_hint": {hint}})
	if err != nil {
		return failed(err)
	}
	answer, err := Send(c.Transport, request)
	if err != nil {
		return failed(err)
	}
	fault := c.fault("", answer, c.find(answer.Body))
	switch {
	case fault != nil && fault.Code == "unsupported_token_type":
		return &venuekey.Error{Class: venuekey.ClassFailed, Code: fault.Code, Reason: "the venue has no way to revoke this kind of token", Err: errors.ErrUnsupported}
	case fault != nil:
		return fault.Error
	case c.unread(answer):
		return unsupported()
	case answer.Status >= 300 || answer.IsPage():
		return answer.NotJSON(target)
	}
	// Success, which is also the answer for a token that the venue does not know (RFC 7009 §2.2).
	var said struct {
		Revoked *bool `json:"revoked"`
	}
	if json.Unmarshal(answer.Text(), &said) == nil && said.Revoked != nil && !*said.Revoked {
		return &venuekey.Error{Class: venuekey.ClassFailed, Reason: "the venue answered that it did not revoke the token"}
	}
	return nil
}

func failed(err error) *venuekey.Error {
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		return known
	}
	return &venuekey.Error{Class: venuekey.ClassUnknown, Err: err}
}

func unsupported() *venuekey.Error {
	return &venuekey.Error{Class: venuekey.ClassFailed, Reason: "the venue has no way to revoke a token", Err: errors.ErrUnsupported}
}
