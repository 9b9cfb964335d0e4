package defined_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined"
)

// A venue whose definition comes with this module is had by its name.
func ExampleNamed() {
	fmt.Println(defined.Names())
	venue, err := defined.Named("schwab")
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := venue.Policy()
	fmt.Println(venue.Name(), policy.DefaultLife, policy.RenewalEnds, policy.RenewalLife)
	// Output:
	// [alpaca capital coinbase deribit dhan fyers ig kite kraken projectx public questrade saxo schwab tastytrade tradelocker tradestation ttp upstox]
	// schwab 30m0s after login 168h0m0s
}

// A file of one's own may extend such a definition, and is told all of its mistakes.
func ExampleParse() {
	d, err := defined.Parse("my.json", []byte(`{"extends": "questrade", "name": "questrade-practice",
		"renew": {"request": {"url": "https://practicelogin.questrade.com/oauth2/token"}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	venue := defined.New(d)
	fmt.Println(venue.Name(), venue.Policy().RenewalEnds)

	_, err = defined.Parse("my.json", []byte("{\"extends\": \"questrade\",\n \"renew\": {\"life_from\": \"birth\"},\n \"colour\": \"red\"}"))
	fmt.Println(venuekey.Misconfigured(err))
	// Output:
	// questrade-practice after use
	// true
}

// Where the API is may come with each token.
func ExampleBase() {
	file, text, err := defined.Text("questrade")
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := defined.Parse(file, text)
	if err != nil {
		fmt.Println(err)
		return
	}
	token := venuekey.Token{Access: "a", Extras: map[string]venuekey.Secret{"venuekey.base": `"https://api01.iq.questrade.com/"`}}
	fmt.Println(defined.Base(d, venuekey.App{}, token))
	// Output: https://api01.iq.questrade.com true
}

// inMemory calls a handler in place of a network.
type inMemory struct{ http.Handler }

func (m inMemory) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, request)
	return answer.Result(), nil
}

// A test may put something else in the place of the network.
func ExampleNewOver() {
	file, text, _ := defined.Text("projectx")
	d, err := defined.Parse(file, text)
	if err != nil {
		fmt.Println(err)
		return
	}
	venue := defined.NewOver(inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Host+r.URL.Path)
		fmt.Fprint(w, `{"success": false, "errorCode": 3}`)
	})}, d)
	app := venuekey.App{Params: map[string]venuekey.Secret{"user": "alice", "key": "a key"}}
	_, err = venue.Login(context.Background(), app, nil)
	fmt.Println(err)
	// Output:
	// POST api.topstepx.com/api/Auth/loginKey
	// the firm does not accept the user name and the key (3)
}
