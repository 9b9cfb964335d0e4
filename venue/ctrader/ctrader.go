// Package ctrader signs users in to cTrader with the OAuth 2 flow of its Open API.
//
// What is special about this venue:
//
//   - The redirect does not return state. A callback without state is therefore accepted
//     from the browser tab that started the sign-in; in another tab of that browser the
//     user is asked first.
//   - PKCE is not documented. The app parameter "pkce" set to "on" sends it: cTrader
//     accepts other undocumented parameters, and RFC 6749 §3.1 requires servers to ignore
//     unknown ones, so it should do no harm. It is off by default because it is untested.
//   - The redirect URI is compared byte for byte, including the port, with those
//     registered at https://openapi.ctrader.com/apps. The first registered one belongs to
//     the Playground and does not work for programs.
//   - An authorization code is valid for one minute and works once.
//   - A refresh token works once and does not expire. Using it, or signing in again,
//     revokes the previous access and refresh token at once. A used refresh token is
//     refused without further consequences: there are no reports that reuse revokes newer
//     tokens.
//   - Errors arrive as errorCode and description, mostly with status 200.
//   - Token requests are documented as GET with the client secret in the URL. POST with a
//     form works as well, and this package uses it. If the endpoint does not accept POST,
//     it falls back to GET and sets the app parameter "token_method" to remember that.
//   - There is no revocation endpoint: users revoke access on their cTrader ID page.
//
// App.URLs may override "authorize", "token" and "base", and set "issuer", which answers
// that name an issuer must match (RFC 9207).
package ctrader

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

const (
	// AuthorizeURL is the documented consent page.
	AuthorizeURL = "https://id.ctrader.com/my/settings/openapi/grantingaccess/"
	// AuthorizeURLApps is the authorization URL that cTrader's own libraries use.
	AuthorizeURLApps = "https://openapi.ctrader.com/apps/auth"
	// TokenURL is the token endpoint.
	TokenURL = "https://openapi.ctrader.com/apps/token"

	// ScopeTrading allows everything, including orders; ScopeAccounts is read-only.
	ScopeTrading  = "trading"
	ScopeAccounts = "accounts"

	// CodeLife is how long an authorization code is valid.
	CodeLife = time.Minute
	// AccessLife is the documented lifetime of an access token, 30.4 days.
	AccessLife = 2628000 * time.Second
)

// Venue is cTrader; the zero value is the production service. It implements
// venuekey.Venue, Prober, Registrar and ScopeExplainer.
type Venue struct {
	// AuthorizeURL and TokenURL override the standard URLs.
	AuthorizeURL, TokenURL string
	// Transport sends token requests; see oauth.Client.
	Transport http.RoundTripper
}

// Name implements venuekey.Venue.
func (Venue) Name() string { return "ctrader" }

// Policy implements venuekey.Venue. As far as is known, a used refresh token is merely
// refused, so after a lost answer it is presented again until an answer arrives. That
// risks nothing: if an earlier request did arrive, the sign-in is lost either way.
// Refresh tokens are documented not to expire. A user who signs in again revokes the
// previous tokens.
func (Venue) Policy() venuekey.Policy {
	return venuekey.Policy{
		RenewsWith:      venuekey.RenewWithRefreshToken,
		AfterLostAnswer: venuekey.RetryUntilRefused,
		RenewalEnds:     venuekey.EndNever,
		KillsAccess:     true,
		RefreshAt:       0.8,
		DefaultLife:     AccessLife,
		CodeLife:        CodeLife,
		MaxSessions:     1,
	}
}

// AppForm implements venuekey.Registrar.
func (Venue) AppForm() venuekey.AppForm {
	return venuekey.AppForm{Register: "Register one at https://openapi.ctrader.com/apps", URLs: []string{"authorize", "token"}, Fields: []venuekey.Field{
		{Name: "token_method", Default: "POST", Optional: true,
			Help: "POST, or GET as documented, with the secret in the URL; a sign-in detects a venue that only accepts GET"},
		{Name: "pkce", Default: "off", Optional: true,
			Help: "on sends a code challenge; it is not known whether cTrader checks, ignores or refuses it"},
	}}
}

// CheckApp implements venuekey.Registrar.
func (v Venue) CheckApp(app venuekey.App) error {
	if app.ClientID == "" || app.ClientSecret == "" {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the app has no client id or no client secret",
			Remedy: "take both from the app's credentials at https://openapi.ctrader.com/apps"}
	}
	for _, scope := range app.Scopes {
		if scope != ScopeTrading && scope != ScopeAccounts {
			return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "cTrader has no scope " + scope, Remedy: "use trading or accounts"}
		}
	}
	if method := app.Param("token_method"); method != "" && method != "POST" && method != "GET" {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the app's token_method is neither POST nor GET"}
	}
	if pkce := app.Param("pkce"); pkce != "" && pkce != "on" && pkce != "off" {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the app's pkce is neither on nor off"}
	}
	if _, err := oauth.Roots(app); err != nil {
		return err
	}
	_, err := oauth.ParseRedirect(app.RedirectURI)
	return err
}

// ExplainScopes implements venuekey.ScopeExplainer.
func (Venue) ExplainScopes(scopes []string) string {
	if len(scopes) == 0 || slices.Contains(scopes, ScopeTrading) {
		return ""
	}
	return "this sign-in can read accounts but not trade: that needs a sign-in with the scope " + ScopeTrading
}

// Login implements venuekey.Venue.
func (v Venue) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	return v.client(app).Login(ctx, app, ui)
}

// Probe implements venuekey.Prober.
func (v Venue) Probe(ctx context.Context, app venuekey.App) error { return v.client(app).Probe(ctx) }

// Refresh implements venuekey.Venue.
func (v Venue) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	return v.client(app).Refresh(ctx, app, token.Refresh)
}

// client returns a Client for the app.
func (v Venue) client(app venuekey.App) oauth.Client {
	return oauth.Client{Config: v.config(app), Transport: oauth.Trusting(v.Transport, app)}
}

func (v Venue) config(app venuekey.App) oauth.Config {
	config := oauth.Config{
		AuthorizeURL:     app.URL("authorize", either(v.AuthorizeURL, AuthorizeURL)),
		AuthorizeParams:  url.Values{"product": {"web"}},
		OmitResponseType: true,
		DefaultScopes:    []string{ScopeTrading},
		StateNotEchoed:   true,
		PKCE:             app.Param("pkce") == "on",
		Issuer:           app.URLs["issuer"],
		TokenURL:         app.URL("token", either(v.TokenURL, TokenURL)),
		TokenByGet:       strings.EqualFold(string(app.Param("token_method")), "GET"),
		Names:            names,
		Meanings:         meanings,
		ErrorsInOK:       true,
		ReuseHarmless:    true,
		CodeLife:         CodeLife,
		DefaultLife:      AccessLife,
	}
	if !config.TokenByGet {
		config.TokenFallbacks = []oauth.Way{{URL: config.TokenURL, ByGet: true, Learned: map[string]string{"token_method": "GET"}}}
	}
	return config
}

func either(own, standard string) string {
	if own != "" {
		return own
	}
	return standard
}
