// Package ctrader signs users in to cTrader by the Open API's OAuth 2.
//
// What is particular about it, with what the emulator has switches for:
//
//   - The redirect does not carry state back. A callback without state is
//     therefore taken, from the browser and the tab that began the sign-in; from
//     another tab of that browser the user is asked first.
//   - PKCE is documented nowhere. The app's parameter "pkce" set to "on" sends it:
//     cTrader takes other parameters that it does not document, and RFC 6749 §3.1
//     has it ignore what it does not know, so that it should do no harm. It is off
//     because nobody has tried.
//   - The redirect URI is compared byte for byte, the port included, with those
//     registered at https://openapi.ctrader.com/apps. The first registered one
//     belongs to the Playground and does not work for programs.
//   - A code lives for one minute and can be used once.
//   - A refresh token can be used once and does not expire. Using it, or
//     signing in again, ends the pair before it at once. A used one is refused,
//     and nothing else happens for it: nobody has reported that reuse ends what
//     was issued since.
//   - Errors come as errorCode and description, mostly inside a 200.
//   - Token requests are documented as GET with the client secret in the
//     address. POST with a form works as well and is what this package sends.
//     If nobody takes a POST it goes on by GET, and the app's parameter
//     "token_method" is set to that.
//   - There is no address to revoke a token at: users do it on their cTrader ID
//     page.
//
// An app may name other addresses in App.URLs: "authorize", "token" and "base",
// and "issuer", which an answer that names one must name (RFC 9207).
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
	// AuthorizeURL is the consent page that the documentation names.
	AuthorizeURL = "https://id.ctrader.com/my/settings/openapi/grantingaccess/"
	// AuthorizeURLApps is the address that cTrader's own libraries use.
	AuthorizeURLApps = "https://openapi.ctrader.com/apps/auth"
	// TokenURL takes code exchanges and refreshes.
	TokenURL = "https://openapi.ctrader.com/apps/token"

	// ScopeTrading allows everything, orders included; ScopeAccounts only looks.
	ScopeTrading  = "trading"
	ScopeAccounts = "accounts"

	// CodeLife is how long an authorization code can be exchanged.
	CodeLife = time.Minute
	// AccessLife is the documented life of an access token, 30.4 days.
	AccessLife = 2628000 * time.Second
)

// Venue is cTrader; the zero value is the real one. It implements
// venuekey.Venue, Prober, Registrar and ScopeExplainer.
type Venue struct {
	// AuthorizeURL and TokenURL replace the standard addresses.
	AuthorizeURL, TokenURL string
	// Transport sends token requests; see oauth.Client.
	Transport http.RoundTripper
}

// Name implements venuekey.Venue.
func (Venue) Name() string { return "ctrader" }

// Policy implements venuekey.Venue. A refresh token that was used is merely
// refused, as far as anybody knows: after a lost answer it is presented again
// until an answer is read, which loses nothing, because if an earlier request
// did arrive the sign-in is lost either way. Refresh tokens are documented to
// have no end. A user who allows access again ends the one given before.
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
			Help: "POST, or GET for the documented way with the secret in the address; a sign-in finds out where only GET is taken"},
		{Name: "pkce", Default: "off", Optional: true,
			Help: "on sends a code challenge; whether cTrader checks, ignores or refuses it is not known"},
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
	return "this sign-in may look at accounts and cannot trade: that takes a sign-in with the scope " + ScopeTrading
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

// client acts on what config says.
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
