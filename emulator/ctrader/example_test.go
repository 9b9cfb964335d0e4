package ctrader_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
)

// A server with a fault at its token endpoint, and what the log has about it.
func ExampleServer() {
	venue := &ctrader.Server{Knobs: ctrader.Knobs{AccessLife: time.Hour}}
	web := httptest.NewServer(venue)
	defer web.Close()
	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading"})
	venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultStatusBefore, Status: http.StatusBadGateway})

	for range 2 {
		answer, err := http.PostForm(web.URL+"/apps/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {pair.Refresh},
			"client_id": {"demo-client"}, "client_secret": {"demo-secret"}})
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		fmt.Println(answer.StatusCode)
	}
	for _, event := range venue.Events() {
		fmt.Println(event.Kind)
	}
	// Output:
	// 502
	// 200
	// fault-injected
	// refresh-presented
	// refresh-granted
}

// What is not known about the real cTrader is a knob, which can be changed while the server
// runs.
func ExampleServer_Tune() {
	venue := new(ctrader.Server)
	venue.Tune(func(k *ctrader.Knobs) { k.AccessLife, k.RefusePOST = 30*time.Minute, true })
	fmt.Println(venue.Current().AccessLife, venue.Current().RefusePOST)
	venue.Reset() // as it started
	fmt.Println(venue.Current().RefusePOST)
	// Output:
	// 30m0s true
	// false
}

// Another server of the venue, such as the Open API's, looks up the grant of a token, and is
// notified when a grant ends.
func ExampleServer_Watch() {
	venue := new(ctrader.Server)
	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading"})
	grant, err := venue.Grant(pair.Access)
	app, known := venue.App(grant.Client)
	fmt.Println(grant.User, grant.Scope, app.ClientID, known, err)

	stop := venue.Watch(func(ended ctrader.Ended) { fmt.Println("ended:", ended.Grant.User, "refreshed:", ended.Refreshed) })
	defer stop()
	venue.RevokeUser("alice")
	_, err = venue.Grant(pair.Access)
	fmt.Println(err)
	// Output:
	// alice trading demo-client true <nil>
	// ended: alice refreshed: false
	// emulator: token revoked
}
