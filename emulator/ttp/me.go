package ttp

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// me.go owns the profile endpoint.

func (s *Server) me(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	if k.siteAnswers(w, r) {
		return
	}
	token, err := k.bearer(w, r)
	if err != nil {
		s.refuseMe(w, token, refused(err))
		return
	}
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), token)
	if err != nil {
		s.refuseMe(w, token, k.deadToken(token))
		return
	}
	if k.lacks(pair.Grant) {
		s.refuseMe(w, token, k.lackingScope())
		return
	}
	u, _ := s.core.Registry.User(pair.Grant.User)
	s.core.Record(emulator.Event{Kind: emulator.EventMeAnswered, User: u.Name, Client: pair.Grant.Client, Fingerprint: emulator.Fingerprint(token)})
	core.Reply(w, http.StatusOK, k.profile(u))
}

// deadToken returns the refusal of a token that is not alive. Without a token there is no
// error code (RFC 6750 §3.1).
func (k Knobs) deadToken(token string) refusal {
	switch {
	case token == "":
		return refusal{status: http.StatusUnauthorized}
	case k.DeadToken == "invalid_request":
		return bad("invalid_request", "Invalid token")
	}
	return refusal{http.StatusUnauthorized, k.DeadToken, "The access token provided is invalid"}
}

func (s *Server) refuseMe(w http.ResponseWriter, token string, e refusal) {
	s.core.Record(emulator.Event{Kind: emulator.EventMeRefused, Fingerprint: emulator.Fingerprint(token), Status: e.status, Detail: e.code})
	s.Current().challenge(w, e)
	if e.code == "" {
		w.WriteHeader(e.status)
		return
	}
	e.send(w)
}

// challenge sets the WWW-Authenticate header of a refusal. A 400 has none.
func (k Knobs) challenge(w http.ResponseWriter, e refusal) {
	challenge := `Bearer realm="Service"`
	switch {
	case e.status == http.StatusBadRequest:
		return
	case e.status == http.StatusForbidden:
		challenge += fmt.Sprintf(", scope=%q", k.NeedsScope)
		fallthrough
	case e.code != "":
		challenge += fmt.Sprintf(", error=%q, error_description=%q", e.code, e.text)
	}
	w.Header().Set("WWW-Authenticate", challenge)
}

// lacks reports whether a token lacks the scope that a call requires.
func (k Knobs) lacks(g emulator.Grant) bool {
	return k.NeedsScope != "" && !slices.Contains(strings.Fields(k.scopeOf(g)), k.NeedsScope)
}

func (k Knobs) lackingScope() refusal {
	return refusal{http.StatusForbidden, "insufficient_scope", "The request requires higher privileges than provided by the access token"}
}

// profile returns a row of WordPress's user table, in which every column is text (TTP facts
// §3).
func (k Knobs) profile(u emulator.User) map[string]any {
	out := map[string]any{
		"ID":              strconv.FormatInt(u.ID, 10),
		"user_login":      u.Name,
		"user_nicename":   u.Name,
		"user_email":      u.Email,
		"user_registered": "2021-05-21 12:00:00",
		"user_status":     "0",
		"display_name":    u.Name,
	}
	if k.Roles {
		out["user_roles"] = []string{"subscriber"}
		out["capabilities"] = map[string]bool{"read": true, "subscriber": true}
	}
	return out
}
