// Package tradovate signs users in to Tradovate, by OAuth code or by user name,
// password and API key, and renews with the live access token.
//
// What is particular about it:
//
//   - A 200 is no success. An answer fails inside it in four ways, which are
//     looked for in this order: errorText, a penalty ticket (p-ticket), an OAuth
//     error, violations.
//   - A sign-in by password or a renewal answers in camelCase with an absolute
//     expirationTime; an OAuth exchange in snake_case with expires_in. A life is
//     counted against the server's own Date, so that a wrong local clock does
//     not bend it.
//   - A renewal takes the access token while it lives, uses nothing up and
//     counts as the same session. Only if the access token is dead already
//     and an OAuth refresh token is at hand is that presented; it can be used
//     once.
//   - A user may have two sessions. A third sign-in ends the oldest, whose
//     token then fails with 408, 429 or 500 rather than a clear 401.
//   - Five failed sign-ins an hour and fifteen renewals an hour are allowed per
//     address. What is asked too often is answered with a ticket and a wait
//     (class ClassLater, with the wait), or with a captcha that no program can
//     solve: then the user has to wait an hour.
//   - Demo and live are hosts, not sign-ins: one token works at both, but
//     /auth/me answers at the live host only.
//   - The password grant is Tradovate's own and what RFC 9700 §2.4 forbids; it
//     is here because individuals get an API key and no OAuth client.
//
// The app's own parameters are described by AppForm. App.URLs may name
// "authorize", "token", "api", "me" and "base", and "issuer", which an answer that
// names one must name (RFC 9207).
package tradovate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

const (
	// AuthorizeURL is the page where users sign in by OAuth.
	AuthorizeURL = "https://trader.tradovate.com/oauth"
	// LiveHost and DemoHost take REST calls, below /v1.
	LiveHost = "https://live.tradovateapi.com"
	DemoHost = "https://demo.tradovateapi.com"

	// AccessLife is the documented life of an access token.
	AccessLife = 80 * time.Minute
	// RefreshLife is how long an OAuth refresh token was seen to live.
	RefreshLife = 26 * time.Hour

	// FlowOAuth and FlowPassword are the ways to sign in. FlowAuto is the first of
	// them if the app has a client id, else the second.
	FlowOAuth    = "oauth"
	FlowPassword = "password"
	FlowAuto     = "auto"
)

// Venue is Tradovate; the zero value is the real one. It implements
// venuekey.Venue, Prober, Identifier and Registrar.
type Venue struct {
	// AuthorizeURL, LiveHost and DemoHost replace the standard addresses.
	AuthorizeURL, LiveHost, DemoHost string
	// Transport sends requests; see oauth.Client.
	Transport http.RoundTripper
}

// Name implements venuekey.Venue.
func (Venue) Name() string { return "tradovate" }

// Policy implements venuekey.Venue. At 0.6 of 80 minutes two more attempts fit
// before the token dies; one renewal in 48 minutes is far below the quota.
// Once is for the rare refresh token: nobody knows what its reuse does, and of two
// renewals at the same time one was seen to be void. Renewing with an access token
// uses nothing up, and its lost answers are ClassLater. A refresh token lives
// for about 26 hours, and each renewal with it gives one that lives as long again;
// answers state it.
func (Venue) Policy() venuekey.Policy {
	return venuekey.Policy{
		RenewsWith:      venuekey.RenewWithAccessToken,
		AfterLostAnswer: venuekey.RetryOnce,
		RenewalEnds:     venuekey.EndAfterUse,
		RenewalLife:     RefreshLife,
		RefreshAt:       0.6,
		LeastInterval:   4 * time.Minute,
		DefaultLife:     AccessLife,
		MaxSessions:     2,
		// Twelve an hour and three at once make the fifteen an hour and address
		// that are allowed.
		Pace: 5 * time.Minute, Burst: 3, PacePerMachine: true,
	}
}

// AppForm implements venuekey.Registrar. The device id has to stay the same for
// ever on one device, so the default is drawn once and kept with the app.
func (Venue) AppForm() venuekey.AppForm {
	return venuekey.AppForm{Register: "Register one in Trader under Application Settings, API Access,\nor make an API key there, which needs no redirect uri and no client id", URLs: []string{"authorize", "token", "me", "api"}, Fields: []venuekey.Field{
		{Name: "flow", Optional: true, Default: FlowAuto, Help: "oauth, password to sign in with user name, password and API key, or auto: oauth where the app has a client id"},
		{Name: "cid", Optional: true, Help: "API key number (Trader, Application Settings, API Access)"},
		{Name: "sec", Optional: true, Secret: true, Help: "API key secret, shown once when you created the key"},
		{Name: "app_id", Optional: true, Default: "venuekey", Help: "the name of your program as Tradovate shows it"},
		{Name: "app_version", Optional: true, Default: "1.0", Help: "its version"},
		{Name: "device_id", Optional: true, Default: newDeviceID(), Help: "names this device for ever; live orders need it approved by mail"},
		{Name: "token_path", Optional: true, Default: "plain", Help: "OAuth: plain for /auth/oauthtoken, or v1 for /v1/auth/oauthtoken; a sign-in finds out"},
		{Name: "client_auth", Optional: true, Default: "body", Help: "OAuth: body, or basic to send id and secret in the header"},
		{Name: "pkce", Optional: true, Default: "off", Help: "OAuth: on sends a code challenge; its verifier is documented for the token endpoint, the challenge itself is not"},
	}}
}

// newDeviceID draws 64 hex digits, which is exactly what the field holds.
func newDeviceID() string {
	sum := sha256.Sum256([]byte(rand.Text()))
	return hex.EncodeToString(sum[:])
}

// CheckApp implements venuekey.Registrar.
func (v Venue) CheckApp(app venuekey.App) error {
	switch app.Environment {
	case "", "live", "demo":
	default:
		return wrong("Tradovate has no environment "+app.Environment, "use live or demo")
	}
	if path := string(app.Param("token_path")); path != "" && tokenPaths[path] == "" {
		return wrong("the app's token_path is neither plain nor v1", "")
	}
	if pkce := app.Param("pkce"); pkce != "" && pkce != "on" && pkce != "off" {
		return wrong("the app's pkce is neither on nor off", "")
	}
	if _, err := oauth.Roots(app); err != nil {
		return err
	}
	switch flowOf(app) {
	case FlowPassword:
		if app.Param("cid") == "" || app.Param("sec") == "" {
			return wrong("the app has no API key (cid and sec)", "make one in Trader under Application Settings, API Access")
		}
		if len(app.Param("device_id")) > 64 {
			return wrong("the app's device_id is longer than 64 characters", "")
		}
		return nil
	case FlowOAuth:
		if app.ClientID == "" || app.ClientSecret == "" {
			return wrong("the app has no client id or no client secret", "register it in Trader under API Access, OAuth Registration, or set cid and sec to sign in with a password")
		}
		_, err := oauth.ParseRedirect(app.RedirectURI)
		return err
	default:
		return wrong("the app's flow is neither oauth, password nor auto", "")
	}
}

// Login implements venuekey.Venue.
func (v Venue) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	if flowOf(app) == FlowPassword {
		return v.loginByPassword(ctx, app, ui)
	}
	return v.client(app).Login(ctx, app, ui)
}

func (v Venue) loginByPassword(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	given, err := ui.Ask(ctx, []venuekey.Field{
		{Name: "name", Help: "Tradovate user name"},
		{Name: "password", Help: "Tradovate password, or the API key's own", Secret: true},
	})
	if err != nil {
		return venuekey.Token{}, err
	}
	response, err := v.API(app).AccessTokenRequest(ctx, AccessTokenRequest{
		Name: string(given["name"]), Password: given["password"],
		AppID: string(app.Param("app_id")), AppVersion: string(app.Param("app_version")), DeviceID: string(app.Param("device_id")),
		CID: string(app.Param("cid")), Sec: app.Param("sec"),
	})
	if err != nil {
		return venuekey.Token{}, err
	}
	return response.Token(), nil
}

// Probe implements venuekey.Prober. It looks at the address that takes refresh
// tokens: renewing with the access token needs no probe, as it uses nothing up.
// The grant type is left empty, which Tradovate's schema refuses before it looks
// for a client: nobody knows whether an unknown client counts as a failed sign-in.
func (v Venue) Probe(ctx context.Context, app venuekey.App) error { return v.client(app).Probe(ctx) }

// Refresh implements venuekey.Venue: it renews with the access token while
// that lives, else with the refresh token of an OAuth sign-in.
func (v Venue) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if token.Valid(time.Now()) {
		response, err := v.API(app).RenewAccessToken(ctx, token.Access)
		if err == nil {
			return response.Token(), nil
		}
		if venuekey.ClassOf(err) != venuekey.ClassRefused || token.Refresh == "" {
			return venuekey.Token{}, harmless(err)
		}
	}
	if token.Refresh == "" {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the access token expired before it was renewed, and there is no refresh token"}
	}
	got, err := v.client(app).Refresh(ctx, app, token.Refresh)
	return got, doubted(err, token, time.Now())
}

// harmless says of a renewal with the access token that nobody knows the
// outcome of that it may simply be sent again.
func harmless(err error) error {
	var known *venuekey.Error
	if !errors.As(err, &known) || known.Class != venuekey.ClassUnknown {
		return err
	}
	again := *known
	again.Class = venuekey.ClassLater
	return &again
}

// doubtPeriod is how long after the end of the access token a refused refresh
// token may still turn out to be good.
const doubtPeriod = 15 * time.Minute

// doubted does not take the first refusal of a refresh token for the last word:
// Tradovate was seen to answer invalid_token for some minutes and to accept the
// same token afterwards. After a while a person is told all the same.
func doubted(err error, token venuekey.Token, now time.Time) error {
	var known *venuekey.Error
	if !errors.As(err, &known) || known.Class != venuekey.ClassRefused || known.Code != "invalid_token" || now.After(token.Expires.Add(doubtPeriod)) {
		return err
	}
	again := *known
	again.Class = venuekey.ClassLater
	again.Reason += ", which it often says for some minutes only"
	return &again
}

// Identify implements venuekey.Identifier. The live host answers for demo users
// too.
func (v Venue) Identify(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error) {
	me, err := v.API(app).Me(ctx, token.Access)
	if err != nil {
		return "", err
	}
	return identity(token.Access, me.Name, me.UserID), nil
}

// API gives the plain calls at the hosts that the app names.
func (v Venue) API(app venuekey.App) API {
	host := either(v.LiveHost, LiveHost)
	me := app.URL("me", host+"/v1")
	if app.Environment == "demo" {
		host = either(v.DemoHost, DemoHost)
	}
	return API{Base: app.URL("api", host+"/v1"), MeBase: me, Transport: oauth.Trusting(v.Transport, app)}
}

// tokenPaths are where OAuth token requests go. The one without /v1 is what the
// tutorial names and working programs use; the specification has it below /v1. A
// sign-in finds out which is there: a refresh token is shown to one only.
var tokenPaths = map[string]string{"plain": "/auth/oauthtoken", "v1": "/v1/auth/oauthtoken"}

// client acts on what config says.
func (v Venue) client(app venuekey.App) oauth.Client {
	return oauth.Client{Config: v.config(app), Own: ownWords, Transport: oauth.Trusting(v.Transport, app)}
}

// config is the OAuth side.
func (v Venue) config(app venuekey.App) oauth.Config {
	live := either(v.LiveHost, LiveHost)
	config := oauth.Config{
		AuthorizeURL: app.URL("authorize", either(v.AuthorizeURL, AuthorizeURL)),
		PKCE:         app.Param("pkce") == "on",
		Issuer:       app.URLs["issuer"],
		TokenURL:     app.URLs["token"],
		Meanings:     meanings,
		ProbeForm:    url.Values{"grant_type": {""}},
		ErrorsInOK:   true,
		DefaultLife:  AccessLife,
		RefreshLife:  RefreshLife,
	}
	first, second := "plain", "v1"
	if string(app.Param("token_path")) == second {
		first, second = second, first
	}
	if app.URLs["token"] == "" {
		config.TokenURL = app.URL("token", live+tokenPaths[first])
		config.TokenFallbacks = []oauth.Way{{URL: app.URL("token", live+tokenPaths[second]), Learned: map[string]string{"token_path": second}}}
	}
	if app.Param("client_auth") == "basic" {
		config.ClientAuth = oauth.AuthBasicAndID
	}
	return config
}

func flowOf(app venuekey.App) string {
	if flow := string(app.Param("flow")); flow != "" && flow != FlowAuto {
		return flow
	}
	if app.ClientID == "" {
		return FlowPassword
	}
	return FlowOAuth
}

func either(own, standard string) string {
	if own != "" {
		return own
	}
	return standard
}

func wrong(reason, remedy string) *venuekey.Error {
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: remedy}
}
