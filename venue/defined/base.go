package defined

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// base.go owns where the API is, and calls of it for programs that see no token.

// Base returns the address of the API that a token is for, without a slash at its end: what
// the venue's answer named, or else what the definition says for the app's environment. ok is
// false if neither does. An answer may only name https, or a server of this machine.
func Base(d *definition.Definition, app venuekey.App, token venuekey.Token) (address string, ok bool) {
	if named := string(token.Extra(baseField)); named != "" {
		at, err := url.Parse(named)
		if err != nil || at.Host == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "" || at.Scheme != "https" && (at.Scheme != "http" || !loopback.Host(at.Hostname())) {
			return "", false
		}
		return strings.TrimSuffix(named, "/"), true
	}
	if d.API.Base == "" {
		return "", false
	}
	address, err := venue{d: d}.address(app, "api", d.API.Base)
	if err != nil {
		return "", false
	}
	return strings.TrimSuffix(address, "/"), true
}

// Call implements venuekey.Proxied. Of all calls only those of who and of keepalive are known
// to read. Whatever is at the path of a request that brings or ends tokens, or begins a sign-in, is nobody's to
// call.
func (v venue) Call(app venuekey.App, token venuekey.Token, call venuekey.Call) (venuekey.Target, error) {
	base, ok := Base(v.d, app, token)
	switch {
	case !ok:
		return venuekey.Target{}, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "the definition of " + v.d.Name + " does not say where its API is", Remedy: "add api.base to it"}
	case call.Host != "":
		return venuekey.Target{}, wrong(v.d.Name+" has one host", "leave the host out")
	}
	at, err := oauth.Endpoint("API's", base)
	if err != nil {
		return venuekey.Target{}, err
	}
	target := venuekey.Target{Name: pathOf(call.Path), CA: string(app.Param(oauth.CAParam)), URL: at.JoinPath(call.Path)}
	path := pathOf(target.URL.Path)
	for _, r := range v.writers() {
		if holds(app, r, path) {
			target.Effect = venuekey.EffectCredentials
			return target, nil
		}
	}
	for _, r := range v.readers() {
		if holds(app, r, path) && call.Method == http.MethodGet && method(r) == http.MethodGet {
			target.Effect = venuekey.EffectNone
		}
	}
	return target, nil
}

// writers returns the requests that bring tokens, begin a sign-in or end one.
func (v venue) writers() (all []definition.Request) {
	if v.d.Before != nil {
		all = append(all, v.d.Before.Request)
	}
	for _, r := range []*definition.Request{v.d.Exchange, v.d.Renew.Request} {
		if r != nil {
			all = append(all, *r)
		}
	}
	if v.d.Revoke != nil {
		all = append(all, v.d.Revoke.Request)
	}
	return all
}

// readers returns the requests that change nothing.
func (v venue) readers() (all []definition.Request) {
	if v.d.Who != nil {
		all = append(all, v.d.Who.Request)
	}
	if v.d.Keepalive != nil {
		all = append(all, v.d.Keepalive.Request)
	}
	return all
}

// holds reports whether one of a request's addresses has a path, on whatever host: hosts have
// other names.
func holds(app venuekey.App, r definition.Request, path string) bool {
	for _, text := range append([]string{r.URL}, r.Fallbacks...) {
		text = venuekey.App{URLs: map[string]string{"base": app.URLs["base"]}}.URL("", strings.Replace(text, definition.AskedHost, "asked.invalid", 1))
		if at, err := url.Parse(text); err == nil && pathOf(at.Path) == path {
			return true
		}
	}
	return false
}

// pathOf returns a path in one way of writing it.
func pathOf(path string) string { return strings.ToLower(strings.Trim(path, "/")) }
