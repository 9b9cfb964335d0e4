package defined_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/venuekey/venuekey/emulator/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// Any definition is an emulated venue.
func Example() {
	d, err := definition.Parse("acme.json", []byte(`{"name": "acme", "login": "key", "client": "none",
		"ask": [{"name": "user", "help": "the user's name", "keep": "app"}, {"name": "key", "help": "the key", "keep": "app", "secret": true}],
		"exchange": {"url": "https://acme.example/login", "params": {"user": "{ask.user}", "key": "{ask.key}"}},
		"answer": {"access": "header:X-Token"}, "renew": {"with": "app"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	venue := &defined.Server{Definition: d}
	web := httptest.NewServer(venue)
	defer web.Close()
	venue.Tune(func(k *defined.Knobs) { k.AccessLife = time.Minute })
	fmt.Println(venue.Current().AccessLife)

	response, err := web.Client().PostForm(web.URL+"/login", url.Values{"user": {"alice"}, "key": {"wonderland"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	token := response.Header.Get("X-Token")
	fmt.Println(response.Status, venue.Alive(token))
	venue.Time().Advance(time.Minute)
	fmt.Println(venue.Alive(token))
	// Output:
	// 1m0s
	// 200 OK true
	// false
}
