package ttp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// proxied.go owns calls for programs that see no token.

// Call implements venuekey.Proxied: calls go to the site, and "me" to the address of the
// app's if it names one. Of all calls only "oauth/me" is known to read; WordPress lets a
// query change what a method means.
func (v Venue) Call(app venuekey.App, _ venuekey.Token, call venuekey.Call) (venuekey.Target, error) {
	if call.Host != "" {
		return venuekey.Target{}, wrong("TheTradingParrot has one host", "leave the host out")
	}
	asks := endpointOf(call)
	address := app.URL("base", v.site())
	if asks == "me" {
		address = v.address(app, "me")
		if call.Path == "" {
			address = v.query(app, "me")
		}
	}
	at, err := url.Parse(address)
	if err != nil {
		return venuekey.Target{}, wrong("the site's address is not a URL", "")
	}
	target := venuekey.Target{Name: strings.ToLower(call.Path), CA: string(app.Param(oauth.CAParam)), URL: at}
	reads := call.Method == http.MethodGet || call.Method == http.MethodHead
	switch {
	case asks == "me" && reads:
		target.Name, target.Effect = "oauth/me", venuekey.EffectNone
		at.RawQuery = ""
	case asks != "":
		target.Name, target.Effect = "oauth/"+asks, venuekey.EffectCredentials
	default:
		target.URL = at.JoinPath(call.Path)
	}
	return target, nil
}

// endpointOf returns the endpoint of the OAuth server that a call asks, by its path or by its
// query, and "" for anything else.
func endpointOf(call venuekey.Call) string {
	path := strings.Trim(strings.ToLower(strings.TrimPrefix(call.Path, "index.php/")), "/")
	for name, values := range call.Query {
		if strings.EqualFold(name, "oauth") && !slices.Equal(values, []string{"me"}) {
			return strings.ToLower(strings.Join(values, ","))
		}
	}
	if call.Query.Has("oauth") && path == "" {
		return "me"
	}
	first, rest, _ := strings.Cut(path, "/")
	switch {
	case !strings.HasPrefix(first, "oauth"):
		return ""
	case rest == "":
		return first
	}
	return rest
}
