package emulator_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ttp"
)

// The answer is lost after the venue has rotated the token, which a client must survive.
func Example() {
	venue := new(ctrader.Server)
	web := httptest.NewServer(venue)
	defer web.Close()
	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading"})
	venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDropAfter})

	_, err := http.PostForm(web.URL+"/apps/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {pair.Refresh},
		"client_id": {"demo-client"}, "client_secret": {"demo-secret"},
	})
	fmt.Println("an answer came:", err == nil)
	fmt.Println("the old refresh token lives:", venue.RefreshAlive(pair.Refresh))
	fmt.Println("rotated:", venue.Log().Count(emulator.EventRefreshGranted))
	// Output:
	// an answer came: false
	// the old refresh token lives: false
	// rotated: 1
}

// A made-up person signs in on the venue's pages and is redirected to the app's callback.
func ExamplePerson_Visit() {
	web := httptest.NewServer(&ttp.Server{Knobs: ttp.Knobs{AnyLoopbackRedirect: true}})
	defer web.Close()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("code:", r.URL.Query().Get("code") != "", "state:", r.URL.Query().Get("state"))
	}))
	defer app.Close()

	alice := emulator.Person{Name: "alice", Password: "wonderland"}
	err := alice.Visit(context.Background(), web.URL+"/oauth/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {"demo-client"}, "redirect_uri": {app.URL + "/callback"}, "state": {"xyz"},
	}.Encode())
	fmt.Println(err)
	// Output:
	// code: true state: xyz
	// <nil>
}

// A person denies access. The result is the address that the browser would go to.
func ExamplePerson_Redirected() {
	web := httptest.NewServer(new(ctrader.Server))
	defer web.Close()
	alice := emulator.Person{Name: "alice", Password: "wonderland", Deny: true}
	to, err := alice.Redirected(context.Background(), web.URL+"/apps/auth?"+url.Values{
		"client_id": {"demo-client"}, "redirect_uri": {emulator.DefaultApp().RedirectURIs[0]}, "scope": {"trading"},
	}.Encode())
	fmt.Println(to, err)
	// Output:
	// http://localhost:8080/auth/callback?error=access_denied <nil>
}

// Tokens age by the venue's clock, which a test can move.
func ExampleClock_Advance() {
	venue := &ctrader.Server{Knobs: ctrader.Knobs{AccessLife: time.Hour}}
	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client"})
	fmt.Println(venue.Alive(pair.Access))
	venue.Time().Advance(time.Hour)
	fmt.Println(venue.Alive(pair.Access))
	// Output:
	// true
	// false
}

// The log records what happened. A test can wait for it.
func ExampleLog_Wait() {
	venue := new(ctrader.Server)
	venue.Issue(emulator.Grant{User: "bob", Client: "demo-client"})
	go venue.RevokeUser("bob")

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(venue.Log().Wait(ctx, emulator.EventRevoked, 1))
	for _, event := range venue.Events() {
		fmt.Println(event.Kind, event.User, event.Detail)
	}
	// Output:
	// <nil>
	// revoked bob by the user
}

// Knobs can be changed while the venue runs, with Tune or the admin endpoint: here, so that a
// used refresh token is accepted again during a grace period.
func ExampleRotation() {
	venue := new(ctrader.Server)
	web := httptest.NewServer(venue)
	defer web.Close()
	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client"})
	venue.Tune(func(k *ctrader.Knobs) { k.Rotation, k.Grace = emulator.RotationGraceSamePair, time.Minute })

	first, _ := venue.Refresh("demo-client", pair.Refresh)
	again, err := venue.Refresh("demo-client", pair.Refresh)
	fmt.Println(first.Refresh == again.Refresh, err)

	answer, err := http.Post(web.URL+emulator.AdminPath+"knobs", "application/json", strings.NewReader(`{"rotation":"strict"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	_, err = venue.Refresh("demo-client", pair.Refresh)
	fmt.Println(err)
	// Output:
	// true <nil>
	// ctrader: invalid refresh token
}

// A test of behaviour that all venues share uses the interface.
func ExampleVenue() {
	for path, venue := range map[string]emulator.Venue{"/apps/token": new(ctrader.Server), "/oauth/token": new(ttp.Server)} {
		web := httptest.NewServer(venue)
		venue.Inject(emulator.Fault{Kind: emulator.FaultStatusBefore, Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second})
		answer, err := http.PostForm(web.URL+path, nil)
		if err != nil {
			fmt.Println(err)
			continue
		}
		answer.Body.Close()
		fmt.Println(answer.StatusCode, answer.Header.Get("Retry-After"), venue.Events()[0].Kind)
		web.Close()
	}
	// Output:
	// 429 30 fault-injected
	// 429 30 fault-injected
}

// A clock is set to a time and keeps running from there. Venues can share a clock.
func ExampleClock_Set() {
	var clock emulator.Clock
	clock.Set(time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC))
	fmt.Println(clock.Now().UTC().Format(time.DateOnly), clock.Offset() != 0)
	// Output:
	// 2026-01-02 true
}

// These are the app and users of a server without configuration; a test changes a copy.
func ExampleDefaultUsers() {
	app := emulator.DefaultApp()
	fmt.Println(app.ClientID, app.RedirectURIs)
	for _, user := range emulator.DefaultUsers() {
		fmt.Println(user.Name, len(user.Accounts))
	}
	carol := emulator.DefaultUser() // alice, to be changed
	carol.Name, carol.Accounts = "carol", carol.Accounts[:1]
	venue := &ctrader.Server{Users: append(emulator.DefaultUsers(), carol)}
	user, there := venue.User("carol")
	fmt.Println(user.Name, there)
	// Output:
	// demo-client [http://localhost:8080/auth/callback]
	// alice 2
	// bob 1
	// carol true
}

// A test can go through all kinds of faults. Inject panics on an invalid fault; Valid checks
// it first.
func ExampleFaultKinds() {
	before := 0
	for _, kind := range emulator.FaultKinds() {
		if strings.HasSuffix(string(kind), "-before") {
			before++
		}
	}
	fmt.Println(before, "happen before the venue has done anything")
	fmt.Println(emulator.Fault{Kind: "earthquake"}.Valid())
	// Output:
	// 10 happen before the venue has done anything
	// emulator: unknown fault kind "earthquake"
}

// A log contains fingerprints, never tokens. A test reads the events since its last look.
func ExampleLog_Since() {
	venue := new(ctrader.Server)
	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client"})
	if _, err := venue.Refresh("demo-client", pair.Refresh); err != nil {
		fmt.Println(err)
		return
	}
	seen := 0
	for _, event := range venue.Log().Events() {
		seen = event.Seq
		if event.Kind == emulator.EventRefreshGranted {
			fmt.Println("its own:", event.Fingerprint == emulator.Fingerprint(pair.Refresh))
		}
	}
	venue.RevokeUser("alice")
	for _, event := range venue.Log().Since(seen) {
		fmt.Println("new:", event.Kind)
	}
	venue.Log().Clear()
	fmt.Println(venue.Log().Count(emulator.EventRefreshGranted))
	// Output:
	// its own: true
	// new: revoked
	// 0
}

// A client that accepts nothing but TLS gets it, for the names that it insists on. One in
// another process reads the authority's certificate from a file with PEM.
func ExampleNewAuthority() {
	authority := emulator.NewAuthority("id.ctrader.com")
	web := httptest.NewUnstartedServer(new(ctrader.Server))
	web.TLS = authority.Config()
	web.StartTLS()
	defer web.Close()

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool(), ServerName: "id.ctrader.com"}}}
	answer, err := client.Get(web.URL + emulator.AdminPath + "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()
	client.CloseIdleConnections()
	block, _ := pem.Decode(authority.PEM())
	fmt.Println(answer.StatusCode, block.Type)
	// Output: 200 CERTIFICATE
}
