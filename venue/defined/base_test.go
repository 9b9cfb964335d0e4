package defined_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined"
)

// Where a call goes follows from the token, the app and the definition; what brings or ends
// tokens is nobody's to call.
func TestWhereACallGoes(t *testing.T) {
	const unknown, reads, credentials = venuekey.EffectUnknown, venuekey.EffectNone, venuekey.EffectCredentials
	host := map[string]venuekey.Secret{"host": "api.firm.example"}
	for name, row := range map[string]struct {
		venue, method, path, address string
		app                          venuekey.App
		effect                       venuekey.Effect
	}{
		"orders":                  {venue: "kite", method: "GET", path: "orders", address: "https://api.kite.trade/orders", effect: unknown},
		"who":                     {venue: "kite", method: "GET", path: "user/profile", address: "https://api.kite.trade/user/profile", effect: reads},
		"who, but posted":         {venue: "kite", method: "POST", path: "user/profile", address: "https://api.kite.trade/user/profile", effect: unknown},
		"the token request":       {venue: "kite", method: "POST", path: "session/token", address: "https://api.kite.trade/session/token", effect: credentials},
		"written otherwise":       {venue: "kite", method: "DELETE", path: "Session/Token/", address: "https://api.kite.trade/Session/Token/", effect: credentials},
		"the other environment":   {venue: "alpaca", method: "GET", path: "v2/account", app: venuekey.App{Environment: "demo"}, address: "https://paper-api.alpaca.markets/v2/account", effect: unknown},
		"a host that is asked":    {venue: "projectx", method: "POST", path: "api/Order/place", app: venuekey.App{Params: host}, address: "https://api.firm.example/api/Order/place", effect: unknown},
		"its renewal":             {venue: "projectx", method: "POST", path: "api/auth/VALIDATE", app: venuekey.App{Params: host}, address: "https://api.firm.example/api/auth/VALIDATE", effect: credentials},
		"an emulated one":         {venue: "kite", method: "GET", path: "orders", app: venuekey.App{URLs: map[string]string{"base": "http://127.0.0.1:9/kite"}}, address: "http://127.0.0.1:9/kite/orders", effect: unknown},
		"its token request":       {venue: "kite", method: "POST", path: "session/token", app: venuekey.App{URLs: map[string]string{"base": "http://127.0.0.1:9/kite"}}, address: "http://127.0.0.1:9/kite/session/token", effect: credentials},
		"keeping a session alive": {venue: "capital", method: "GET", path: "api/v1/ping", address: "https://api-capital.backend-capital.com/api/v1/ping", effect: reads},
	} {
		target, err := named(t, row.venue).(venuekey.Proxied).Call(row.app, venuekey.Token{}, venuekey.Call{Method: row.method, Path: row.path})
		if err != nil || target.URL.String() != row.address || target.Effect != row.effect {
			t.Errorf("%s: %v %v, %v", name, target.URL, target.Effect, err)
		}
	}
	for name, err := range map[string]error{
		"no base":  callOf(named(t, "questrade"), venuekey.Call{Path: "x"}),
		"its host": callOf(named(t, "kite"), venuekey.Call{Host: "other", Path: "x"}),
	} {
		if err == nil || venuekey.Temporary(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The request before the page is nobody's either, at a venue that has it beside its API.
func TestWhatBeginsASignInIsNoCall(t *testing.T) {
	d := parsed(t, "dhan")
	d.API.Base = "https://auth.dhan.co"
	call := venuekey.Call{Method: "POST", Path: "app/generate-consent"}
	target, err := defined.New(d).(venuekey.Proxied).Call(venuekey.App{}, venuekey.Token{}, call)
	if err != nil || target.Effect != venuekey.EffectCredentials {
		t.Errorf("%v %v, %v", target.URL, target.Effect, err)
	}
}

func callOf(venue venuekey.Venue, call venuekey.Call) error {
	_, err := venue.(venuekey.Proxied).Call(venuekey.App{}, venuekey.Token{}, call)
	return err
}

// A token that never ends is good for years, and nothing is due.
func TestATokenThatNeverEnds(t *testing.T) {
	d := parsed(t, "alpaca")
	if life := defined.New(d).Policy().DefaultLife; life.Hours() < 5*365*24 {
		t.Errorf("it lives for %s", life)
	}
}
