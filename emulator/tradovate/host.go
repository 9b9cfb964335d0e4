package tradovate

import (
	"net/http"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// host.go owns the two hosts, and which path leads where on each.

// environment is the host to which a request was sent.
type environment bool

const (
	live environment = true
	demo environment = false
)

// serve answers a request to one of the hosts. Date is the venue's time: the times in
// answers are absolute, and a client may compare them with it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, at host) {
	s.start()
	w.Header().Set("Date", s.core.Clock.Now().UTC().Format(http.TimeFormat))
	path := strings.ToLower(r.URL.Path)
	switch {
	case strings.HasPrefix(path, emulator.AdminPath):
		s.admin.ServeHTTP(w, r)
		return
	case s.maintained(w, r, s.Current()):
		return
	case path == "/oauth" || path == "/oauth/authorize":
		s.core.Serve(w, r, s.authorize, emulator.AtAuthorize)
		return
	}
	if path == "/v1/websocket" {
		s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) { s.serveSocket(w, r, at) }, AtSocket)
		return
	}
	if to := s.Current().MovedTo; to != "" {
		w.Header().Set("Location", strings.TrimSuffix(to, "/")+r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if s.limited(w, r, s.Current().filled()) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, core.MaxBody)
	// With and without /v1, in any case (Tradovate facts §0, §3.3).
	switch strings.TrimPrefix(path, "/v1") {
	case "/auth/accesstokenrequest":
		s.core.Serve(w, r, s.login, emulator.AtLogin)
	case "/auth/renewaccesstoken":
		s.core.Serve(w, r, s.renew, emulator.AtRenew)
	case "/auth/oauthtoken":
		s.serveToken(w, r)
	case "/auth/me":
		s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) { s.me(w, r, at.env) }, emulator.AtMe)
	case "/account/list":
		s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) { s.accounts(w, r, at.env) }, AccountList)
	default:
		s.operation(w, r, at, operationName(path))
	}
}
