package ttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ttp"
)

// alice signs in on the site's pages, and the code in the address that her browser ends
// at becomes a token.
func ExampleServer() {
	venue := new(ttp.Server)
	web := httptest.NewServer(venue)
	defer web.Close()
	redirect := emulator.DefaultApp().RedirectURIs[0]
	alice := emulator.Person{Name: "alice", Password: "wonderland"}
	to, err := alice.Redirected(context.Background(), web.URL+"/oauth/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {"demo-client"}, "redirect_uri": {redirect}, "state": {"xyz"}}.Encode())
	if err != nil {
		fmt.Println(err)
		return
	}
	address, err := url.Parse(to)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := http.PostForm(web.URL+"/oauth/token", url.Values{"grant_type": {"authorization_code"}, "code": {address.Query().Get("code")},
		"redirect_uri": {redirect}, "client_id": {"demo-client"}, "client_secret": {"demo-secret"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	fmt.Println(answer.StatusCode, venue.Log().Count(emulator.EventCodeExchanged))
	// Output:
	// 200 1
}

// What the plugin's versions do differently is a knob, and moves while the server runs.
func ExampleServer_Tune() {
	venue := new(ttp.Server)
	venue.Tune(func(k *ttp.Knobs) { k.RequestToken, k.AskConsent = true, true })
	fmt.Println(venue.Current().RequestToken, venue.Current().AskConsent)

	venue.Tune(func(k *ttp.Knobs) { k.RefuseRefresh = true })
	fmt.Println(venue.RefreshAlive("any refresh token")) // a version that gives none, and takes none
	// Output:
	// true true
	// false
}
