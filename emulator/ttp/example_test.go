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

// Alice signs in on the site's pages, and the code in the address that her browser is
// redirected to is exchanged for tokens.
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

// Differences between the plugin's versions are knobs, which can be changed while the server
// runs.
func ExampleServer_Tune() {
	venue := new(ttp.Server)
	venue.Tune(func(k *ttp.Knobs) { k.RequestToken, k.AskConsent = true, true })
	fmt.Println(venue.Current().RequestToken, venue.Current().AskConsent)

	venue.Tune(func(k *ttp.Knobs) { k.RefuseRefresh = true })
	fmt.Println(venue.RefreshAlive("any refresh token")) // a version without refresh tokens
	// Output:
	// true true
	// false
}
