package ttp

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator/internal/core"
)

// revoke.go owns the revoke endpoint.

// revoke ends one token, or, for a refresh token with RevokeEndsAll, all tokens of its
// sign-in. It requires no client credentials, and gives the same answer for an unknown
// token (RFC 7009 §2.2, TTP facts §3).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	switch {
	case k.RevokeAbsent:
		noPage(w, r)
		return
	case k.siteAnswers(w, r):
		return
	case r.Method != http.MethodPost:
		k.refuseMethod(w)
		return
	}
	readForm(w, r)
	token := r.PostForm.Get("token")
	if token == "" {
		bad("invalid_request", "Missing token parameter to revoke").send(w)
		return
	}
	if kind := s.kindOf(token); kind != "" && k.RevokeOnly != "" && kind != k.RevokeOnly {
		bad("unsupported_token_type", "Tokens of this type are not revoked").send(w)
		return
	}
	s.core.Revoke(token, !k.RevokeEndsAll)
	core.Reply(w, http.StatusOK, map[string]bool{"revoked": true})
}

// kindOf returns the kind of a live token, or "" for an unknown one. It ignores the hint,
// which is only an optimisation (RFC 7009 §2.1).
func (s *Server) kindOf(token string) string {
	switch {
	case s.Alive(token):
		return "access_token"
	case s.RefreshAlive(token):
		return "refresh_token"
	}
	return ""
}
