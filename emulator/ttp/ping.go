package ttp

import (
	"mime"
	"net/http"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// ping.go owns the stand-in for the API host.

// Ping names the stand-in for the API host as the endpoint of faults.
const Ping emulator.Endpoint = "ping"

// The events of the stand-in for the API host.
const (
	PingAnswered emulator.EventKind = "ping-answered"
	PingRefused  emulator.EventKind = "ping-refused"
)

// servePing answers one request of the API. The path and the answer are made up, since no
// list of the real ones is known; the header and the bare 401 are real (TTP facts §2, §5).
// It stands in for another host, so knobs about the WordPress site do not affect it.
func (s *Server) servePing(w http.ResponseWriter, r *http.Request) {
	s.core.Serve(w, r, s.ping, Ping)
}

func (s *Server) ping(w http.ResponseWriter, r *http.Request) {
	token := core.Bearer(r)
	e := emulator.Event{Kind: PingRefused, Fingerprint: emulator.Fingerprint(token)}
	if !acceptsAPI(r.Header.Values("Accept")) {
		e.Status, e.Detail = http.StatusNotAcceptable, "Accept header"
		s.core.Record(e)
		http.Error(w, "Not Acceptable", http.StatusNotAcceptable)
		return
	}
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), token)
	if err != nil {
		e.Status, e.Detail = http.StatusUnauthorized, err.Error()
		s.core.Record(e)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	if k := s.Current(); k.lacks(pair.Grant) {
		e.Status, e.Detail = http.StatusForbidden, "scope"
		s.core.Record(e)
		k.challenge(w, k.lackingScope())
		k.lackingScope().send(w)
		return
	}
	e.Kind, e.User, e.Client = PingAnswered, pair.Grant.User, pair.Grant.Client
	s.core.Record(e)
	core.Reply(w, http.StatusOK, map[string]any{"pong": true, "user": pair.Grant.User})
}

// acceptsAPI reports whether application/vnd.thetradingparrot+json;version=1.0 is accepted,
// as every API call must (TTP facts §2).
func acceptsAPI(accept []string) bool {
	for one := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, params, err := mime.ParseMediaType(one)
		if err == nil && kind == "application/vnd.thetradingparrot+json" && params["version"] == "1.0" {
			return true
		}
	}
	return false
}
