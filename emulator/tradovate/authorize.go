package tradovate

import (
	"net/http"
	"net/url"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// authorize.go owns the sign-in and consent page of OAuth.

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	q := r.URL.Query()
	app, known := s.core.Registry.App(q.Get("client_id"))
	switch {
	case !known:
		s.core.Refuse(w, http.StatusBadRequest, "Wrong client_id", emulator.Event{})
		return
	case !core.Allows(app, q.Get("redirect_uri"), k.AnyLoopbackRedirect):
		s.core.Refuse(w, http.StatusBadRequest, "Wrong redirect_uri", emulator.Event{Client: app.ClientID})
		return
	}
	// The state round-trips, and an error is the code alone (Tradovate facts §3.4).
	extra := core.Echo(q, k.Issuer)
	if code := k.authorizeError(q); code != "" {
		s.core.Record(emulator.Event{Kind: emulator.EventAuthorizeRefused, Client: app.ClientID, Detail: code})
		core.SendBackError(w, r, code, "", extra)
		return
	}
	// An app's registration decides what it may do, not the scope (Tradovate facts
	// §3.4).
	d, decided := s.core.Ask(w, r, core.Question{App: app, Scopes: []string{"see your accounts and trade on them"}, NoAccounts: true})
	if !decided {
		return
	}
	if !d.Allowed {
		core.SendBackError(w, r, "access_denied", "", extra)
		return
	}
	s.core.SendCode(w, r, d.Grant(r, !k.IgnorePKCE && !k.LosePKCE), k.CodeLife, k.format(), extra)
}

// authorizeError returns the error code for an invalid request, or "". PKCE on this page
// is not documented; a method that cannot be verified is refused at once (RFC 7636
// §4.4.1).
func (k Knobs) authorizeError(q url.Values) string {
	method := q.Get("code_challenge_method")
	switch {
	case q.Get("response_type") == "":
		return "invalid_request"
	case q.Get("response_type") != "code":
		return "unsupported_response_type"
	case k.RejectPKCE && q.Has("code_challenge"), method != "" && method != "plain" && method != "S256":
		return "invalid_request"
	}
	return ""
}
