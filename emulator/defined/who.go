package defined

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// who.go owns the two requests about a token that exists: whose it is, and its end.

func (s *Server) who(w http.ResponseWriter, r *http.Request) {
	rules := s.rules()
	if rules.asPage(w) {
		return
	}
	t, err := take(r, rules.Who.Request)
	if err != nil {
		rules.refuse(w, err)
		return
	}
	access := bare(t.values["access"])
	pair, err := s.use(t)
	if err != nil {
		s.core.Record(emulator.Event{Kind: emulator.EventMeRefused, Fingerprint: emulator.Fingerprint(access), Status: http.StatusUnauthorized})
		rules.refuse(w, refusal{http.StatusUnauthorized, "invalid_token", "the access token is not accepted"})
		return
	}
	s.core.Record(emulator.Event{Kind: emulator.EventMeAnswered, User: pair.Grant.User, Client: pair.Grant.Client, Fingerprint: emulator.Fingerprint(access)})
	a := answer{map[string]any{}, w.Header()}
	a.put(rules.Who.User, "", pair.Grant.User)
	rules.ok(a, true)
	core.Reply(w, http.StatusOK, a.body)
}

// ping answers the call that keeps a session alive.
func (s *Server) ping(w http.ResponseWriter, r *http.Request) {
	rules := s.rules()
	if rules.asPage(w) {
		return
	}
	t, err := take(r, rules.Keepalive.Request)
	if err == nil {
		if _, dead := s.use(t); dead != nil {
			err = refusal{http.StatusUnauthorized, "invalid_token", "the session is over"}
		}
	}
	if err != nil {
		s.core.Record(emulator.Event{Kind: emulator.EventRenewRefused, Fingerprint: emulator.Fingerprint(bare(t.values["access"]))})
		rules.refuse(w, err)
		return
	}
	s.core.Record(emulator.Event{Kind: emulator.EventRenewGranted, Fingerprint: emulator.Fingerprint(bare(t.values["access"]))})
	a := answer{map[string]any{"status": "OK"}, w.Header()}
	rules.ok(a, true)
	core.Reply(w, http.StatusOK, a.body)
}

// revoke ends a token, or all tokens of the app if the definition says so. An unknown one is
// answered in the same way (RFC 7009 §2.2).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	rules := s.rules()
	if rules.asPage(w) {
		return
	}
	request := rules.Revoke.Request
	t, err := take(r, request)
	var app emulator.App
	if err == nil && (request.Params == nil && request.Auth != definition.AuthNone || t.values["client_id"] != "") {
		app, err = s.client(rules, request, t)
	}
	if err != nil {
		rules.refuse(w, err)
		return
	}
	for _, token := range []string{t.params["token"], t.values["refresh"], bare(t.values["access"])} {
		if token != "" {
			s.core.Revoke(bare(token), false)
		}
	}
	if rules.Revoke.Reaches == definition.ReachesAll {
		s.core.Tokens.RevokeWhere(func(g emulator.Grant) bool { return app.ClientID == "" || g.Client == app.ClientID })
	}
	a := answer{map[string]any{}, w.Header()}
	rules.ok(a, true)
	core.Reply(w, http.StatusOK, a.body)
}
