package ttp

// This file owns the revoke endpoint.

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator"
)

// revoke ends one token, or with a refresh token all that came of its sign-in. It
// asks for no client credentials, and answers the same for
// a token that it does not know (RFC 7009 §2.2, TTP facts §3).
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
	s.core.Revoke(token, !k.RevokeEndsAll)
	emulator.Reply(w, http.StatusOK, map[string]bool{"revoked": true})
}
