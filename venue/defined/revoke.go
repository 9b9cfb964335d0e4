package defined

import (
	"context"
	"net/url"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// revoke.go owns the revocation of tokens.

// Revoke implements venuekey.Revoker. A request without parameters of its own is that of
// RFC 7009, sent once for each of the two tokens; any other is sent once for both.
func (k revoker) Revoke(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	v := k.of
	r := v.d.Revoke.Request
	address, err := v.address(app, "revoke", r.URL)
	if err != nil {
		return err
	}
	if !v.shapes(&r) {
		config := oauth.Config{RevokeURL: address, ClientAuth: v.clientAuth(app, r.Auth), Names: v.names(), Meanings: v.meanings(), Header: header(&r)}
		return oauth.Client{Config: config, Transport: oauth.Trusting(v.transport, app)}.Revoke(ctx, app, token)
	}
	form := url.Values{}
	if token.Refresh != "" {
		form.Set("refresh_token", string(token.Refresh))
	}
	request, err := v.withExtras(v.shape(&r), token)(ctx, app, oauth.Way{URL: address}, form)
	if err != nil {
		return err
	}
	to := request.URL
	answer, err := oauth.Send(oauth.Trusting(v.transport, app), request)
	switch {
	case err != nil:
		return err
	case answer.Status >= 300 || answer.IsPage():
		if failure := (oauth.Config{Names: v.names(), Meanings: v.meanings()}).OAuthError("", answer); failure != nil {
			return failure
		}
		return answer.NotJSON(to)
	case v.failed(answer, answer.Text()):
		return &venuekey.Error{Class: venuekey.ClassFailed, Reason: v.d.Name + " answered that it did not revoke the token"}
	}
	return nil
}
