// Package ttp signs users in to TheTradingParrot.
//
// Its sign-in server is the WordPress plugin "WP OAuth Server". TTP's own page about it
// repeats mistakes from the plugin's manual; where they differ, this package does what
// the server does:
//
//   - Token requests are POST with a form, for both grants. The page shows GET for a
//     refresh; the server answers that with 405, and the refresh token would appear in
//     every log on the way.
//   - The new refresh token is in refresh_token, or else in request_token as the page
//     prints it. If there is neither, the old one remains valid.
//   - Every endpoint exists in two forms, /oauth/token and /?oauth=token. If the first
//     does not exist, token requests use the second and set the app parameter
//     "token_form" to "query". The authorization page can only be tried by a browser: set
//     the app parameter "address_form" to "query" to use the second form for it.
//   - An authorization code is valid for 30 seconds.
//   - An access token lives for one day. A refresh token lives for ten days by the
//     default of plugin version 3.1, whose other numbers match TTP's page, and for one
//     day by that of newer versions; using it does not extend its life. So tokens are
//     renewed after half a day.
//   - A used refresh token is refused without further consequences.
//   - state is required and returned. PKCE is sent: plugin versions from 4 on check it,
//     and older ones ignore unknown parameters. The app parameter "pkce" set to "off"
//     omits it.
//   - Client ID and secret travel in the body. The app parameter "client_auth" set to
//     "basic" sends them in the header, not form-encoded, as the plugin expects.
//   - TTP registers apps with a secret, by hand. The plugin also accepts apps that are
//     registered without one: for these, "client_auth" set to "none" sends the client ID
//     alone, always with PKCE.
//   - API calls need a vendor media type in Accept, which Sign and the Transport add.
//
// App.URLs may override "authorize", "token", "me", "revoke" and "base", and set
// "issuer", which answers that name an issuer must match (RFC 9207).
package ttp

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

const (
	// Site is where users sign in.
	Site = "https://thetradingparrot.com"
	// API is where API calls go.
	API = "https://api.thetradingparrot.com"
	// Accept is the media type that API calls request.
	Accept = "application/vnd.thetradingparrot+json;version=1.0"

	// CodeLife is how long an authorization code is valid.
	CodeLife = 30 * time.Second
	// AccessLife is the documented lifetime of an access token.
	AccessLife = 24 * time.Hour
	// RefreshLife is the plugin's default lifetime of a refresh token; using it does not
	// extend it.
	RefreshLife = 10 * 24 * time.Hour
)

// Venue is TheTradingParrot; the zero value is the production site. It implements
// venuekey.Venue, Prober, Revoker, Identifier, Signer, Registrar and Secretless.
type Venue struct {
	// Site overrides the site's scheme, host and port.
	Site string
	// Transport sends token requests; see oauth.Client.
	Transport http.RoundTripper
}

// Name implements venuekey.Venue.
func (Venue) Name() string { return "ttp" }

// Policy implements venuekey.Venue. The plugin deletes a used refresh token and refuses a
// second use, or keeps it valid. So after a lost answer it is presented again until an
// answer arrives, which risks nothing.
//
// No answer states the refresh token's lifetime, and the site's setting is unknown.
// RefreshLife is the default of the plugin version whose other numbers match TTP's page.
// With the one day of newer versions every expiry would be within reach of the warnings,
// which would then mean nothing. RefreshAt allows for that day instead: it renews after
// half of it.
func (Venue) Policy() venuekey.Policy {
	return venuekey.Policy{
		RenewsWith:      venuekey.RenewWithRefreshToken,
		AfterLostAnswer: venuekey.RetryUntilRefused,
		RenewalEnds:     venuekey.EndAfterIssue,
		RenewalLife:     RefreshLife,
		RefreshAt:       0.5,
		DefaultLife:     AccessLife,
		CodeLife:        CodeLife,
	}
}

// Sign implements venuekey.Signer.
func (Venue) Sign(token venuekey.Token, request *http.Request) {
	token.SetAuthHeader(request)
	if request.Header.Values("Accept") == nil {
		request.Header.Set("Accept", Accept)
	}
}

// AppForm implements venuekey.Registrar.
func (Venue) AppForm() venuekey.AppForm {
	return venuekey.AppForm{Register: "Ask TheTradingParrot for one by mail", URLs: []string{"authorize", "token", "me", "revoke"}, Fields: []venuekey.Field{
		{Name: "client_auth", Default: "body", Optional: true, Help: "body, basic to send id and secret in the header, or none for an app that is registered without a secret"},
		{Name: "address_form", Default: "path", Optional: true, Help: "path for /oauth/authorize, or query for /?oauth=authorize"},
		{Name: "token_form", Default: "path", Optional: true, Help: "path for /oauth/token, or query for /?oauth=token; a sign-in detects which"},
		{Name: "pkce", Default: "on", Optional: true, Help: "on sends a code challenge, which plugin version 4 and later check and older ones ignore; or off"},
	}}
}

// CheckApp implements venuekey.Registrar.
func (v Venue) CheckApp(app venuekey.App) error {
	switch public := v.Secretless(app); {
	case app.ClientID == "" || app.ClientSecret == "" && !public:
		return wrong("the app has no client id or no client secret", "both come by mail from TheTradingParrot, which registers apps by hand; set client_auth to none for an app without a secret")
	case app.ClientSecret != "" && public:
		return wrong("the app has a client secret, but client_auth is none, which would not send it", "set client_auth to body, or remove the secret")
	}
	for name, values := range map[string][]string{"client_auth": {"body", "basic", "none"}, "address_form": {"path", "query"}, "token_form": {"path", "query"}, "pkce": {"on", "off"}} {
		if value := string(app.Param(name)); value != "" && !slices.Contains(values, value) {
			return wrong("the app's "+name+" is not one of "+strings.Join(values, ", "), "")
		}
	}
	if _, err := oauth.Roots(app); err != nil {
		return err
	}
	_, err := oauth.ParseRedirect(app.RedirectURI)
	return err
}

// Secretless implements venuekey.Secretless.
func (Venue) Secretless(app venuekey.App) bool { return app.Param("client_auth") == "none" }

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

// Revoke implements venuekey.Revoker.
func (v Venue) Revoke(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	return v.client(app).Revoke(ctx, app, token)
}

// address returns the URL of an endpoint in its path form.
func (v Venue) address(app venuekey.App, name string) string {
	return app.URL(name, v.site()+"/oauth/"+name)
}

// query returns the URL of an endpoint in its query form.
func (v Venue) query(app venuekey.App, name string) string {
	return app.URL(name, v.site()+"/?oauth="+name)
}

func (v Venue) site() string {
	if v.Site != "" {
		return v.Site
	}
	return Site
}

// client returns an oauth.Client for the app.
func (v Venue) client(app venuekey.App) oauth.Client {
	return oauth.Client{Config: v.config(app), Transport: oauth.Trusting(v.Transport, app)}
}

func (v Venue) config(app venuekey.App) oauth.Config {
	config := oauth.Config{
		AuthorizeURL: v.address(app, "authorize"),
		PKCE:         app.Param("pkce") != "off",
		Issuer:       app.URLs["issuer"],
		TokenURL:     v.address(app, "token"),
		RevokeURL:    v.address(app, "revoke"),
		Names:        oauth.Names{Refresh: []string{"refresh_token", "request_token"}},
		Meanings:     meanings,

		ReuseHarmless: true,
		CodeLife:      CodeLife,
		DefaultLife:   AccessLife,
		RefreshLife:   RefreshLife,
	}
	switch {
	case app.URLs["token"] != "":
	case app.Param("token_form") == "query":
		config.TokenURL = v.query(app, "token")
		config.TokenFallbacks = []oauth.Way{{URL: v.address(app, "token"), Learned: map[string]string{"token_form": "path"}}}
	default:
		config.TokenFallbacks = []oauth.Way{{URL: v.query(app, "token"), Learned: map[string]string{"token_form": "query"}}}
	}
	if app.Param("address_form") == "query" {
		config.AuthorizeURL = v.query(app, "authorize")
	}
	switch app.Param("client_auth") {
	case "basic":
		config.ClientAuth = oauth.AuthBasicPlain
	case "none":
		config.ClientAuth = oauth.AuthPublic
	}
	return config
}

func wrong(reason, remedy string) *venuekey.Error {
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: remedy}
}
