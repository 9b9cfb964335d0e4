package ctrader

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// steps.go owns the sign-in as single steps.

// Auth performs the steps of a sign-in one at a time, for programs that handle redirects
// and store tokens themselves. It covers getAuthUri, getToken and refreshToken of
// cTrader's Python client. Auth stores nothing: a refresh token is used up when it is
// presented, so save each answer before doing anything else. A Keeper does that for you.
type Auth struct {
	ClientID     string
	ClientSecret venuekey.Secret
	RedirectURI  string
	// Transport sends token requests; see oauth.Client.
	Transport http.RoundTripper
}

// AuthURI returns the URL at which a user signs in, like getAuthUri. An empty scope means
// trading, an empty base means AuthorizeURL.
func (a Auth) AuthURI(scope, base string) (string, error) {
	app := a.app()
	if scope != "" {
		app.Scopes = strings.Fields(scope)
	}
	return a.venue(base, "").client(app).Authorize(app, oauth.Attempt{})
}

// Code returns the authorization code in the URL that the user was redirected to, which
// must be exchanged within CodeLife. The error is of ClassRefused if the URL has no code.
func (a Auth) Code(redirected string) (venuekey.Secret, error) {
	address, err := url.Parse(redirected)
	if err != nil {
		return "", &venuekey.Error{Op: "code", Class: venuekey.ClassMisconfigured, Reason: "the redirected address cannot be read"}
	}
	query := address.Query()
	if code := query.Get("code"); code != "" {
		return venuekey.Secret(code), nil
	}
	return "", &venuekey.Error{Op: "code", Class: venuekey.ClassRefused, Reason: "the redirected address has no code; access was denied, or it is another page's address"}
}

// Token exchanges a code, like getToken. An empty base means TokenURL.
func (a Auth) Token(ctx context.Context, code venuekey.Secret, base string) (venuekey.Token, error) {
	app := a.app()
	return a.venue("", base).client(app).Exchange(ctx, app, code, "")
}

// RefreshToken presents a refresh token, once, like refreshToken. An empty base means
// TokenURL.
func (a Auth) RefreshToken(ctx context.Context, refresh venuekey.Secret, base string) (venuekey.Token, error) {
	app := a.app()
	return a.venue("", base).client(app).Refresh(ctx, app, refresh)
}

func (a Auth) app() venuekey.App {
	return venuekey.App{Venue: "ctrader", ClientID: a.ClientID, ClientSecret: a.ClientSecret, RedirectURI: a.RedirectURI}
}

func (a Auth) venue(authorize, token string) Venue {
	return Venue{AuthorizeURL: authorize, TokenURL: token, Transport: a.Transport}
}
