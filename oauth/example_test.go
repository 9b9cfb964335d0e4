package oauth_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/oauth"
)

// emulated starts a venue that speaks OAuth 2, and returns a client and an app for it.
func emulated() (client oauth.Client, app venuekey.App, end func()) {
	site := httptest.NewServer(&ttp.Server{Knobs: ttp.Knobs{AnyLoopbackRedirect: true}})
	client.Config = oauth.Config{
		AuthorizeURL: site.URL + "/oauth/authorize", TokenURL: site.URL + "/oauth/token", RevokeURL: site.URL + "/oauth/revoke",
		PKCE: true, CodeLife: 30 * time.Second, DefaultLife: 24 * time.Hour,
	}
	return client, venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"}, site.Close
}

// user is a venuekey.UI: a user with a browser.
type user struct{ emulator.Person }

func (u user) Visit(ctx context.Context, visit venuekey.Visit) error {
	go func() { _ = u.Person.Visit(ctx, visit.URL) }()
	return nil
}
func (user) Paste(context.Context) (string, error) { return "", errors.ErrUnsupported }
func (user) Tell(string)                           {}
func (user) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return nil, errors.ErrUnsupported
}

var alice = user{emulator.Person{Name: "alice", Password: "wonderland"}}

func ExampleClient_Login() {
	client, app, end := emulated()
	defer end()
	token, err := client.Login(context.Background(), app, alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.TypeOrBearer(), token.Life(), token.Access)
	// Output: Bearer 24h0m0s [secret]
}

// A program with its own web server redirects the user to the URL that Authorize returns,
// keeps the Attempt, and exchanges the code that its callback receives.
func ExampleClient_Exchange() {
	client, app, end := emulated()
	defer end()
	app.RedirectURI = "http://localhost:8080/auth/callback"
	attempt := client.NewAttempt()
	address, err := client.Authorize(app, attempt)
	if err != nil {
		fmt.Println(err)
		return
	}
	redirected, err := alice.Redirected(context.Background(), address)
	if err != nil {
		fmt.Println(err)
		return
	}
	callback, _ := url.Parse(redirected)
	if !attempt.State.Equal(venuekey.Secret(callback.Query().Get("state"))) {
		fmt.Println("this callback answers another sign-in")
		return
	}
	token, err := client.Exchange(context.Background(), app, venuekey.Secret(callback.Query().Get("code")), attempt.Verifier)
	fmt.Println(token.Life(), err)
	// Output: 24h0m0s <nil>
}

// A refresh token is used up when it is presented. A program that calls Refresh itself
// must save the answer before it does anything else; a Keeper does.
func ExampleClient_Refresh() {
	client, app, end := emulated()
	defer end()
	token, err := client.Login(context.Background(), app, alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	renewed, err := client.Refresh(context.Background(), app, token.Refresh)
	fmt.Println("another token:", renewed.Access != token.Access, err)

	_, err = client.Refresh(context.Background(), app, token.Refresh)
	fmt.Println("the old one again:", venuekey.NeedsSignIn(err))
	// Output:
	// another token: true <nil>
	// the old one again: true
}

func ExampleClient_Revoke() {
	client, app, end := emulated()
	defer end()
	token, err := client.Login(context.Background(), app, alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client.Revoke(context.Background(), app, token))
	_, err = client.Refresh(context.Background(), app, token.Refresh)
	fmt.Println(venuekey.NeedsSignIn(err))
	// Output:
	// <nil>
	// true
}

func ExampleClient_Probe() {
	client, _, end := emulated()
	fmt.Println(client.Probe(context.Background()))
	end()
	fmt.Println(venuekey.ClassOf(client.Probe(context.Background())))
	// Output:
	// <nil>
	// not sent
}

// A Config is data, so it can be kept in a file.
func ExampleConfig() {
	var config oauth.Config
	err := json.Unmarshal([]byte(`{
		"authorize_url": "https://venue.example/authorize",
		"token_url": "https://venue.example/token",
		"client_auth": "basic",
		"default_life": "80m",
		"meanings": [{"code": "session_over", "class": "refused", "reason": "the seven days are over"}]
	}`), &config)
	fmt.Println(config.DefaultLife, config.ClientAuth == oauth.AuthBasic, err)

	err = json.Unmarshal([]byte(`{"client_auth": "digest"}`), &config)
	fmt.Println(err)
	// Output:
	// 1h20m0s true <nil>
	// client authentication "digest" is not one of body, basic, basic-plain, basic-and-id, public
}

func ExampleConfig_Authorize() {
	config := oauth.Config{AuthorizeURL: "https://venue.example/authorize", AuthorizeParams: url.Values{"audience": {"api"}}}
	app := venuekey.App{ClientID: "id & co", RedirectURI: "http://localhost:8080/cb", Scopes: []string{"read", "trade"}}
	address, err := config.Authorize(app, oauth.Attempt{State: "drawn-by-NewAttempt"})
	fmt.Println(strings.ReplaceAll(address, "&", "\n  &"), err)
	// Output:
	// https://venue.example/authorize?audience=api
	//   &client_id=id+%26+co
	//   &redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcb
	//   &response_type=code
	//   &scope=read+trade
	//   &state=drawn-by-NewAttempt <nil>
}

func ExampleConfig_Explain() {
	config := oauth.Config{Meanings: []oauth.Meaning{{Text: "app is not registered", Class: venuekey.ClassMisconfigured, Reason: "the venue does not know the API key", Remedy: "compare it with the venue's page"}}}
	err := config.Explain("refresh_token", http.StatusOK, "", "The app is not registered", nil)
	fmt.Println(err, "·", err.Class, "·", err.Remedy)
	// Output: the venue does not know the API key · misconfigured · compare it with the venue's page
}

func ExampleParseRedirect() {
	_, err := oauth.ParseRedirect("http://app.example/cb")
	fmt.Println(err)
	redirect, _ := oauth.ParseRedirect("http://localhost:8080/cb/")
	for _, note := range redirect.Notes() {
		fmt.Println("-", note)
	}
	fmt.Println("a sign-in listens at", redirect.Addresses())
	// Output:
	// the redirect uri is plain http to app.example
	// - scheme http, host localhost, port 8080, path "/cb/": each must be registered exactly so
	// - it ends in a slash: without the slash it is a different registration
	// - localhost may mean 127.0.0.1 or ::1: venuekey listens on both; 127.0.0.1 is a different registration
	// a sign-in listens at [127.0.0.1:8080 [::1]:8080]
}

func ExampleEndpoint() {
	_, err := oauth.Endpoint("token", "http://venue.example/token")
	fmt.Println(err)
	address, err := oauth.Endpoint("token", "https://venue.example/token")
	fmt.Println(address, err)
	// Output:
	// the token address at venue.example is not https
	// https://venue.example/token <nil>
}

// A request with a secret in it is sent once, whatever net/http would do by default.
func ExampleSend() {
	site := httptest.NewServer(&ttp.Server{})
	defer site.Close()
	request, err := http.NewRequest(http.MethodGet, site.URL+"/oauth/me", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	request.Header.Set("Authorization", "Bearer nobody's")
	answer, err := oauth.Send(nil, request)
	fmt.Println(answer.Status, err)
	fmt.Println(answer.Refusal("nobody's"))
	// Output:
	// 401 <nil>
	// the venue does not accept the access token (invalid_token)
}

func ExampleLife() {
	// A venue that counts in milliseconds.
	life, note := oauth.Life(80*60*1000*time.Second, 80*time.Minute)
	fmt.Println(life)
	fmt.Println(note)
	// Output:
	// 1h20m0s
	// the answer states a life of 4800000 s for the access token, far beyond the usual: taken as 1h20m0s
}

// A company's proxy, or an emulated venue, has certificates from its own authority.
func ExampleTrusting() {
	site := httptest.NewTLSServer(&ttp.Server{})
	defer site.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw})
	app := venuekey.App{Params: map[string]venuekey.Secret{oauth.CAParam: venuekey.Secret(authority)}}
	client := oauth.Client{Config: oauth.Config{TokenURL: site.URL + "/oauth/token"}, Transport: oauth.Trusting(nil, app)}
	fmt.Println(client.Probe(context.Background()))

	_, err := oauth.Roots(venuekey.App{Params: map[string]venuekey.Secret{oauth.CAParam: "no PEM"}})
	fmt.Println(err)
	// Output:
	// <nil>
	// the app's certificate authority is not PEM
}

// A request that its answer moves to another of the venue's hosts is sent there as well,
// with its body; to any other host it is not.
func ExampleSendWithin() {
	dedicated := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"method":%q}`, r.Method)
	}))
	defer dedicated.Close()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, dedicated.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer front.Close()

	for _, domains := range [][]string{{strings.TrimPrefix(dedicated.URL, "http://")}, {"venue.example"}} {
		request, err := http.NewRequest(http.MethodPost, front.URL+"/token", strings.NewReader("grant_type=refresh_token"))
		if err != nil {
			panic(err)
		}
		answer, _, err := oauth.SendWithin(domains, nil, request)
		if err != nil {
			panic(err)
		}
		fmt.Println(answer.Status, string(answer.Body))
	}
	// Output:
	// 200 {"method":"POST"}
	// 307
}

func ExampleWithin() {
	for _, text := range []string{"https://dedicated.venue.example/v1", "https://venue.example.evil.example/v1", "http://venue.example/v1"} {
		address, err := url.Parse(text)
		if err != nil {
			panic(err)
		}
		fmt.Println(oauth.Within([]string{"venue.example"}, address), text)
	}
	// Output:
	// true https://dedicated.venue.example/v1
	// false https://venue.example.evil.example/v1
	// false http://venue.example/v1
}

// A venue may issue tokens for the app's own key alone (RFC 6749 §4.4).
func ExampleClient_Grant() {
	venue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"access_token": "for-%s", "expires_in": 60}`, r.FormValue("grant_type"))
	}))
	defer venue.Close()
	client := oauth.Client{Config: oauth.Config{TokenURL: venue.URL}}
	token, err := client.Grant(context.Background(), venuekey.App{ClientID: "id", ClientSecret: "secret"}, url.Values{"grant_type": {"client_credentials"}})
	fmt.Println(string(token.Access), err)
	// Output: for-client_credentials <nil>
}
