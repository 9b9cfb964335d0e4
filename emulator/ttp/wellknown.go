package ttp

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator/internal/core"
)

// wellknown.go owns the discovery documents that newer plugin versions have.

// serveWellKnown serves the same content for both documents (RFC 8414 §2, TTP facts §3).
// The values follow from the other knobs; the real ones are not known.
func (s *Server) serveWellKnown(w http.ResponseWriter, r *http.Request) {
	s.core.Serve(w, r, s.wellKnown)
}

func (s *Server) wellKnown(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	if !k.WellKnown {
		noPage(w, r)
		return
	}
	if k.PluginOff {
		pluginOff().send(w)
		return
	}
	site := "http://" + r.Host
	if r.TLS != nil {
		site = "https://" + r.Host
	}
	grants := []string{"authorization_code"}
	if !k.RefuseRefresh {
		grants = append(grants, "refresh_token")
	}
	out := map[string]any{
		"issuer":                                site,
		"authorization_endpoint":                site + "/oauth/authorize",
		"token_endpoint":                        site + "/oauth/token",
		"userinfo_endpoint":                     site + "/oauth/me",
		"scopes_supported":                      []string{defaultScope},
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 grants,
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	}
	if !k.RevokeAbsent {
		out["revocation_endpoint"] = site + "/oauth/revoke"
	}
	if k.PKCE {
		out["code_challenge_methods_supported"] = []string{"plain", "S256"}
	}
	core.Reply(w, http.StatusOK, out)
}
