// Package tradovate signs users in to Tradovate, either with OAuth or with user name,
// password and API key, and renews the session with its access token.
//
// What is special about this venue:
//
//   - Status 200 does not mean success. An answer can fail in four ways, which are
//     checked in this order: errorText, a penalty ticket (p-ticket), an OAuth error,
//     violations.
//   - Password sign-ins and renewals answer in camelCase with an absolute expirationTime;
//     an OAuth exchange answers in snake_case with expires_in. Lifetimes are computed
//     from the server's own Date header, so a wrong local clock does not distort them.
//   - A renewal presents the access token before it expires, uses nothing up and
//     continues the same session. An OAuth refresh token works once. It is presented if
//     the access token has expired, and by itself when half of its life is over.
//   - A user may have two sessions. A third sign-in ends the oldest, whose token then
//     fails with 408, 429 or 500 rather than a clear 401.
//   - Five failed sign-ins and fifteen renewals per hour are allowed per IP address.
//     Beyond that Tradovate answers with a ticket and a wait (ClassLater, with
//     RetryAfter), or with a captcha that no program can solve: then the user has to wait
//     for an hour.
//   - It has maintenance windows every week, during which renewals may fail.
//   - Demo and live are hosts, not separate sign-ins: a token works at both, but only the
//     live host answers /auth/me.
//   - The password grant is Tradovate's own, of the kind that RFC 9700 §2.4 forbids. It
//     is supported because individuals get an API key but no OAuth client. A session
//     without a refresh token does not outlast a long maintenance, so the user may have
//     name and password kept to be signed in again.
//
// AppForm describes the app's parameters. App.URLs may override "authorize", "token",
// "api", "me", "live", "demo", "md" and "base", and set "issuer", which answers that name an issuer must match
// (RFC 9207).
package tradovate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

const (
	// AuthorizeURL is the page where users sign in with OAuth.
	AuthorizeURL = "https://trader.tradovate.com/oauth"
	// LiveHost and DemoHost serve REST calls, below /v1.
	LiveHost = "https://live.tradovateapi.com"
	DemoHost = "https://demo.tradovateapi.com"

	// AccessLife is the documented lifetime of an access token.
	AccessLife = 80 * time.Minute
	// RefreshLife is the observed lifetime of an OAuth refresh token.
	RefreshLife = 26 * time.Hour

	// FlowOAuth and FlowPassword are the values of the app parameter "flow". FlowAuto
	// means the first if the app has a client ID, otherwise the second.
	FlowOAuth    = "oauth"
	FlowPassword = "password"
	FlowAuto     = "auto"
)

// Venue is Tradovate; the zero value is the production service. It implements
// venuekey.Venue, Prober, Examiner, Repeater, Identifier and Registrar.
type Venue struct {
	// AuthorizeURL, LiveHost and DemoHost override the standard URLs.
	AuthorizeURL, LiveHost, DemoHost string
	// Transport sends requests; see oauth.Client.
	Transport http.RoundTripper
}

// Name implements venuekey.Venue.
func (Venue) Name() string { return "tradovate" }

// Policy implements venuekey.Venue. Renewing at 0.6 of 80 minutes leaves time for two
// more attempts before the token expires; one renewal in 48 minutes is far below the
// quota. Renewing with an access token uses nothing up, and its lost answers are
// ClassLater. A refresh token lives for about 26 hours, and each use yields one with the
// same lifetime, so the Keeper renews it by itself after about 13. That its reuse is
// punished is documented nowhere and has not been seen, so it is presented until it is
// refused; and since it was seen to be refused with invalid_token for some minutes and
// accepted afterwards, a refusal is in doubt for a quarter of an hour. What becomes of the
// old access token when a refresh token is used is documented nowhere either: we assume
// that it lives on.
func (Venue) Policy() venuekey.Policy {
	return venuekey.Policy{
		RenewsWith:      venuekey.RenewWithAccessToken,
		AfterLostAnswer: venuekey.RetryUntilRefused,
		Doubt:           15 * time.Minute,
		RenewalEnds:     venuekey.EndAfterUse,
		RenewalLife:     RefreshLife,
		RefreshAt:       0.6,
		LeastInterval:   4 * time.Minute,
		DefaultLife:     AccessLife,
		FailedSignIns:   4, // of five an hour and address (fact sheet Tradovate §1.6)
		MaxSessions:     2,
		Maintenance:     Maintenance(),
		Quota:           venuekey.Quota{Count: RenewalQuota, Window: time.Hour},
		PacePerMachine:  true, // the venue counts by address
	}
}

// AppForm implements venuekey.Registrar. A device must keep its device ID for ever, so
// the default is random and is stored with the app.
func (Venue) AppForm() venuekey.AppForm {
	return venuekey.AppForm{Register: "Register one in Trader under Application Settings, API Access,\nor create an API key there, which needs no redirect uri and no client id", URLs: []string{"authorize", "token", "me", "api", "live", "demo", "md"}, Fields: []venuekey.Field{
		{Name: "flow", Optional: true, Default: FlowAuto, Help: "oauth, password to sign in with user name, password and API key, or auto: oauth if the app has a client id"},
		{Name: "cid", Optional: true, Help: "API key number (Trader, Application Settings, API Access)"},
		{Name: "sec", Optional: true, Secret: true, Help: "API key secret, shown once when you created the key"},
		{Name: "app_id", Optional: true, Default: "venuekey", Help: "the name of your program as Tradovate shows it"},
		{Name: "app_version", Optional: true, Default: "1.0", Help: "its version"},
		{Name: "device_id", Optional: true, Default: newDeviceID(), Help: "identifies this device and must not change; live orders need it approved by mail"},
		{Name: "token_path", Optional: true, Default: "plain", Help: "OAuth: plain for /auth/oauthtoken, or v1 for /v1/auth/oauthtoken; a sign-in detects which"},
		{Name: "client_auth", Optional: true, Default: "body", Help: "OAuth: body, or basic to send id and secret in the header"},
		{Name: "pkce", Optional: true, Default: "off", Help: "OAuth: on sends a code challenge; its verifier is documented for the token endpoint, the challenge itself is not"},
	}}
}

// newDeviceID returns 64 random hex digits, the most that the field holds.
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
			return wrong("the app has no API key (cid and sec)", "create one in Trader under Application Settings, API Access")
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
	client := v.client(app)
	client.Again = exchangeAgain(ui)
	return client.Login(ctx, app, ui)
}

// Probe implements venuekey.Prober. It checks the endpoint for refresh tokens; renewing
// with the access token needs no probe, because it uses nothing up. It leaves the grant
// type empty, which Tradovate's schema rejects before it looks at the client: it is
// unknown whether an unknown client counts as a failed sign-in.
// A penalty counts for the address and not for who is asked about, so a probe that got one
// is repeated with its ticket too.
func (v Venue) Probe(ctx context.Context, app venuekey.App) error {
	if yes, err := awaited(ctx); yes {
		return err
	}
	client := v.client(app)
	return ticketed(ctx, probing, func(added url.Values) error {
		maps.Copy(client.ProbeForm, added)
		return client.Probe(ctx)
	})
}

// Refresh implements venuekey.Venue. It renews with the access token until that expires,
// and presents the refresh token of an OAuth sign-in if the token holds no other.
func (v Venue) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if token.Valid(time.Now()) {
		response, err := v.APIFor(app, token).RenewAccessToken(ctx, token.Access)
		if err != nil {
			return venuekey.Token{}, harmless(err)
		}
		return response.Token(), nil
	}
	if token.Refresh == "" {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the access token expired before it was renewed, and there is no refresh token"}
	}
	return v.refreshOnce(ctx, app, token.Refresh)
}

// harmless turns an unknown outcome of a renewal with the access token into ClassLater:
// it may simply be sent again.
func harmless(err error) error {
	var known *venuekey.Error
	if !errors.As(err, &known) || known.Class != venuekey.ClassUnknown {
		return err
	}
	again := *known
	again.Class = venuekey.ClassLater
	return &again
}

// Identify implements venuekey.Identifier. The live host answers for demo users as well.
func (v Venue) Identify(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error) {
	me, err := v.APIFor(app, token).Me(ctx, token.Access)
	if err != nil {
		return "", err
	}
	return identity(token.Access, me.Name, me.UserID), nil
}

// API returns the plain calls, at the hosts that the app names.
func (v Venue) API(app venuekey.App) API {
	host := either(v.LiveHost, LiveHost)
	me := app.URL("me", host+"/v1")
	if app.Environment == "demo" {
		host = either(v.DemoHost, DemoHost)
	}
	return API{Base: app.URL("api", host+"/v1"), MeBase: me, DeviceID: Device(app), Domains: v.domains(app), Transport: oauth.Trusting(v.Transport, app)}
}

// Device returns the device id that sign-ins of the app send; "" for OAuth, which sends
// none. Live orders need Tradovate's approval of it (Tradovate facts §1.5).
func Device(app venuekey.App) string {
	if flowOf(app) != FlowPassword {
		return ""
	}
	return string(app.Param("device_id"))
}

// tokenPaths are the paths for OAuth token requests. The one without /v1 is what the
// tutorial names and working programs use; the specification has it below /v1. A sign-in
// detects which exists, because a refresh token is presented to one only.
var tokenPaths = map[string]string{"plain": "/auth/oauthtoken", "v1": "/v1/auth/oauthtoken"}

// client returns an oauth.Client for the app.
func (v Venue) client(app venuekey.App) oauth.Client {
	return oauth.Client{Config: v.config(app), Own: ownWords, Transport: oauth.Trusting(v.Transport, app)}
}

// config returns the OAuth configuration for the app.
func (v Venue) config(app venuekey.App) oauth.Config {
	live := either(v.LiveHost, LiveHost)
	config := oauth.Config{
		AuthorizeURL: app.URL("authorize", either(v.AuthorizeURL, AuthorizeURL)),
		PKCE:         app.Param("pkce") == "on",
		Issuer:       app.URLs["issuer"],
		TokenURL:     app.URLs["token"],
		Domains:      v.domains(app),
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
