package ttp

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// authorize.go owns the authorize page: what a request must contain, where an invalid one
// is reported, and how the browser is sent back.

// defaultScope is granted if none is requested. It is the only scope of a site whose owner
// has added none (TTP facts §1).
const defaultScope = "basic"

// has reports whether the site knows every scope that is requested.
func (k Knobs) has(asked string) bool {
	known := append(strings.Fields(k.Scopes), defaultScope)
	return !slices.ContainsFunc(strings.Fields(asked), func(scope string) bool { return !slices.Contains(known, scope) })
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	q := r.URL.Query()
	app, err := s.checkClient(k, q)
	if err != nil {
		// JSON in the user's browser: the callback learns nothing (TTP facts §3).
		s.authorizeRefused(app, err)
		refused(err).send(w)
		return
	}
	if err := k.checkAuthorize(app, q); err != nil {
		s.authorizeRefused(app, err)
		k.sendBackError(w, r, refused(err), k.EnforceState && !q.Has("state"))
		return
	}
	d, decided := s.decide(w, r, k, app)
	if !decided {
		return
	}
	if !d.Allowed {
		k.sendBackError(w, r, bad("access_denied", "The user denied access to the application"), false)
		return
	}
	g := d.Grant(r, k.PKCE)
	g.Scope = cmp.Or(g.Scope, defaultScope)
	s.core.SendCode(w, r, g, k.CodeLife, k.format(), core.Echo(q, k.Issuer))
}

// checkClient finds errors because of which the redirect URI cannot be trusted. The plugin
// also accepts requests without a redirect URI; TTP documents it as required (TTP facts
// §2), so it is required here.
func (s *Server) checkClient(k Knobs, q url.Values) (emulator.App, error) {
	app, known := s.core.Registry.App(q.Get("client_id"))
	switch {
	case k.PluginOff:
		return app, pluginOff()
	case q.Get("client_id") == "":
		return app, bad("invalid_client", "No client id supplied")
	case !known:
		return app, bad("invalid_client", "The client id supplied is invalid")
	case q.Get("redirect_uri") == "":
		return app, bad("invalid_uri", "No redirect URI was supplied")
	case !core.Allows(app, q.Get("redirect_uri"), k.AnyLoopbackRedirect):
		return app, bad("redirect_uri_mismatch", "The redirect URI provided does not match the registered one")
	}
	return app, nil
}

// checkAuthorize finds what is wrong with the rest of the request.
func (k Knobs) checkAuthorize(app emulator.App, q url.Values) error {
	method := q.Get("code_challenge_method")
	switch {
	case q.Get("response_type") == "":
		return bad("invalid_request", "The response type is missing")
	case q.Get("response_type") != "code":
		return bad("unsupported_response_type", "The response type is not supported")
	case k.EnforceState && q.Get("state") == "":
		return bad("invalid_request", "The state parameter is required")
	case !k.has(q.Get("scope")):
		return bad("invalid_scope", "An unsupported scope was requested")
	case k.PublicNeedsPKCE && app.ClientSecret == "" && (q.Get("code_challenge") == "" || method != "S256"):
		return bad("invalid_request", "A client without a secret needs a code challenge")
	case k.RejectPKCE && q.Has("code_challenge"):
		return bad("invalid_request", "Unknown parameter: code_challenge")
	case k.PKCE && method != "" && method != "plain" && method != "S256":
		return bad("invalid_request", "The code challenge method is not supported")
	}
	return nil
}

// decide asks the user, unless the browser is already signed in.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, k Knobs, app emulator.App) (core.Decision, bool) {
	if u, ok := s.core.Registry.User(k.SignedIn); ok && !k.AskConsent {
		s.core.Record(emulator.Event{Kind: emulator.EventConsentGiven, User: u.Name, Client: app.ClientID, Detail: "signed in before, not asked"})
		return core.Decision{Allowed: true, User: u}, true
	}
	return s.core.Ask(w, r, core.Question{
		App: app, Scopes: []string{"see who you are, and use the site for you"},
		NoAccounts: true, SkipConsent: !k.AskConsent,
	})
}

func (s *Server) authorizeRefused(app emulator.App, err error) {
	e := refused(err)
	s.core.Record(emulator.Event{Kind: emulator.EventAuthorizeRefused, Client: app.ClientID, Status: e.status, Detail: e.code})
}

// sendBackError sends the error to the callback. Only the refusal for a missing state comes
// without other parameters (TTP facts §3).
func (k Knobs) sendBackError(w http.ResponseWriter, r *http.Request, e refusal, bare bool) {
	extra := core.Echo(r.URL.Query(), k.Issuer)
	if bare {
		extra = nil
	}
	core.SendBackError(w, r, e.code, e.text, extra)
}

// refused returns the refusal in err.
func refused(err error) refusal {
	var e refusal
	errors.As(err, &e)
	return e
}
