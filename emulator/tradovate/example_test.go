package tradovate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

// Signing in with name, password and API key. Most failures have status 200 and an error
// text in the body, as at the real venue.
func ExampleServer() {
	venue := new(tradovate.Server)
	web := httptest.NewServer(venue)
	defer web.Close()
	key := tradovate.DefaultKey()
	for _, password := range []string{"guessed", "wonderland"} {
		body := fmt.Sprintf(`{"name":"alice","password":%q,"appId":"bot","appVersion":"1","deviceId":"d","cid":%d,"sec":%q}`, password, key.CID, key.Sec)
		answer, err := http.Post(web.URL+"/v1/auth/accesstokenrequest", "application/json", strings.NewReader(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		var said struct{ ErrorText, AccessToken string }
		err = json.NewDecoder(answer.Body).Decode(&said)
		answer.Body.Close()
		fmt.Println(answer.StatusCode, said.ErrorText != "", venue.Alive(said.AccessToken), err)
	}
	// Output:
	// 200 true false <nil>
	// 200 false true <nil>
}

// Demo is the demo host of the same venue: one clock, one set of users and tokens.
func ExampleServer_Demo() {
	venue := new(tradovate.Server)
	demo := httptest.NewServer(venue.Demo())
	defer demo.Close()
	venue.Tune(func(k *tradovate.Knobs) { k.MeOnDemo = true })
	venue.Inject(emulator.Fault{On: emulator.AtMe, Kind: emulator.FaultStatusBefore, Status: http.StatusServiceUnavailable})
	answer, err := http.Get(demo.URL + "/v1/auth/me")
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()
	fmt.Println(answer.StatusCode, venue.Current().MeOnDemo)
	// Output:
	// 503 true
}
