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

// Auth is the sign-in as single steps, for programs that do their own
// redirects and keep their own tokens: an authorize address, the code out of a
// redirect, a code for a token, a refresh token for the next. getAuthUri, getToken
// and refreshToken of cTrader's Python client are all
// here. Nothing is kept: a refresh token dies when it is presented, so the
// answer has to be saved before anything else; the Keeper does that.
type Auth struct {
	ClientID     string
	ClientSecret venuekey.Secret
	RedirectURI  string
	// Transport sends token requests; see oauth.Client.
	Transport http.RoundTripper
}

// AuthURI is the address at which a user signs in: getAuthUri. An empty scope
// means trading, an empty base means AuthorizeURL.
func (a Auth) AuthURI(scope, base string) (string, error) {
	app := a.app()
	if scope != "" {
		app.Scopes = strings.Fields(scope)
	}
	return a.venue(base, "").client(app).Authorize(app, oauth.Attempt{})
}

// Code takes the authorization code out of the address that the user was
// redirected to. It has to be exchanged within CodeLife.
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

// Token exchanges a code: getToken. An empty base means TokenURL.
func (a Auth) Token(ctx context.Context, code venuekey.Secret, base string) (venuekey.Token, error) {
	app := a.app()
	return a.venue("", base).client(app).Exchange(ctx, app, code, "")
}

// RefreshToken presents a refresh token: refreshToken. An empty base means
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
