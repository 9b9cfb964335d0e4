package ctrader

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// authorize.go owns the authorize endpoint: what a request must contain, and how the
// browser is sent back.

func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	s.core.Serve(w, r, s.authorize, emulator.AtAuthorize)
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	q := r.URL.Query()
	app, problem := s.checkAuthorize(k, r.Method, q)
	if problem != "" {
		s.core.Refuse(w, http.StatusBadRequest, problem, emulator.Event{Client: app.ClientID})
		return
	}
	d, decided := s.core.Ask(w, r, core.Question{App: app, Scopes: []string{scopeInWords(q.Get("scope"))}})
	if !decided {
		return
	}
	if !d.Allowed {
		s.deny(w, r, k, q, app)
		return
	}
	if !k.OldRefreshStays {
		s.endOldRefresh(d.User.Name, app.ClientID)
	}
	s.core.SendCode(w, r, d.Grant(r, k.PKCE), k.CodeLife, k.format(), k.echo(q))
}

// checkAuthorize returns what is wrong with the request, or "". All errors are shown to the
// user. None is sent to the redirect URI, which either cannot be trusted or is not
// documented to receive it. response_type and product are ignored: official libraries omit
// the former, and the latter has no effect (cTrader facts §1.3).
func (s *Server) checkAuthorize(k Knobs, method string, q url.Values) (emulator.App, string) {
	app, known := s.core.Registry.App(q.Get("client_id"))
	redirect := q.Get("redirect_uri")
	switch {
	case method != http.MethodGet && method != http.MethodPost:
		return app, "Invalid request method"
	case !known:
		return app, "Invalid client credentials"
	case !core.Allows(app, redirect, k.AnyLoopbackRedirect),
		k.PlaygroundFirst && slices.Index(app.RedirectURIs, redirect) == 0:
		return app, "Invalid redirect URI"
	case scopeInWords(q.Get("scope")) == "":
		return app, "Invalid scope"
	case k.RejectPKCE && q.Has("code_challenge"):
		return app, "Invalid request"
	}
	return app, ""
}

// scopeInWords returns "" for scopes that cTrader does not have (cTrader facts §1.3).
func scopeInWords(scope string) string {
	switch scope {
	case "accounts":
		return "see your trading accounts (read only)"
	case "trading":
		return "see your trading accounts and trade on them"
	}
	return ""
}

// echo returns what is sent back besides code or error.
func (k Knobs) echo(q url.Values) url.Values {
	back := core.Echo(q, k.Issuer)
	if !k.EchoState {
		back.Del("state")
	}
	return back
}

func (s *Server) deny(w http.ResponseWriter, r *http.Request, k Knobs, q url.Values, app emulator.App) {
	if k.DenyWithoutRedirect {
		s.core.Refuse(w, http.StatusOK, "Access denied", emulator.Event{Client: app.ClientID})
		return
	}
	core.SendBackError(w, r, "access_denied", "", k.echo(q))
}

// endOldRefresh ends the refresh tokens of earlier sign-ins, even those on other machines
// (cTrader facts §1.7).
func (s *Server) endOldRefresh(user, client string) {
	for range s.core.Tokens.EndRefreshWhere(func(g emulator.Grant) bool { return g.User == user && g.Client == client }) {
		s.core.Record(emulator.Event{Kind: emulator.EventGrantReplaced, User: user, Client: client})
	}
}
