package ttp_test

import (
	"net/url"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ttp"
)

// What the OAuth server of the site does is nobody's to call, but for the question who a
// token belongs to; of all other calls nothing is known.
func TestWhereACallGoes(t *testing.T) {
	t.Parallel()
	const none, reads, credentials = venuekey.EffectUnknown, venuekey.EffectNone, venuekey.EffectCredentials
	for _, c := range []struct {
		method, path, query, address, name string
		effect                             venuekey.Effect
	}{
		{"GET", "oauth/me", "", "https://thetradingparrot.com/oauth/me", "oauth/me", reads},
		{"GET", "", "oauth=me", "https://thetradingparrot.com/", "oauth/me", reads},
		{"POST", "oauth/me", "", "https://thetradingparrot.com/oauth/me", "oauth/me", credentials},
		{"POST", "oauth/token", "", "https://thetradingparrot.com/oauth/token", "oauth/token", credentials},
		{"GET", "OAuth/Token/", "", "https://thetradingparrot.com/oauth/token", "oauth/token", credentials},
		{"POST", "", "oauth=token", "https://thetradingparrot.com/", "oauth/token", credentials},
		{"POST", "wp-json/x", "OAUTH=token", "https://thetradingparrot.com/", "oauth/token", credentials},
		{"POST", "", "oauth=me&oauth=token", "https://thetradingparrot.com/", "oauth/me,token", credentials},
		{"GET", "index.php/oauth/destroy", "", "", "oauth/destroy", credentials},
		{"GET", "oauth", "", "", "oauth/oauth", credentials},
		{"GET", "wp-json/wp/v2/posts", "_method=DELETE", "https://thetradingparrot.com/wp-json/wp/v2/posts", "wp-json/wp/v2/posts", none},
	} {
		query, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		target, err := ttp.Venue{}.Call(venuekey.App{}, venuekey.Token{}, venuekey.Call{Method: c.method, Path: c.path, Query: query})
		if err != nil || target.Effect != c.effect || target.Name != c.name || c.effect != credentials && target.URL.String() != c.address {
			t.Errorf("%s %s?%s: %v %s %v, %v", c.method, c.path, c.query, target.URL, target.Name, target.Effect, err)
		}
	}
}
