package ttp

// This file owns the profile endpoint.

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/venuekey/venuekey/emulator"
)

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
	u, _ := s.core.People.User(pair.Grant.User)
	s.core.Record(emulator.Event{Kind: emulator.MeAnswered, User: u.Name, Client: pair.Grant.Client, Fingerprint: emulator.Fingerprint(token)})
	emulator.Reply(w, http.StatusOK, k.profile(u))
}

// deadToken is the refusal of a token that is not alive. Without a token there is
// no error code at all (RFC 6750 §3.1).
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
	s.core.Record(emulator.Event{Kind: emulator.MeRefused, Fingerprint: emulator.Fingerprint(token), Status: e.status, Detail: e.code})
	challenge := `Bearer realm="Service"`
	if e.code == "" {
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(e.status)
		return
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("%s, error=%q, error_description=%q", challenge, e.code, e.text))
	}
	e.send(w)
}

// profile is a row of WordPress's user table, where every column is text (TTP
// facts §3).
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
