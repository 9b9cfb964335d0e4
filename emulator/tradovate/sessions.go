package tradovate

import (
	"sync"

	"github.com/venuekey/venuekey/emulator"
)

// sessions.go owns sessions: how many a user can have, and which were closed.

// sessions remembers the sessions that were closed. A session is a token family: a sign-in
// begins one, and a renewal extends it (Tradovate facts §2).
type sessions struct {
	mu     sync.Mutex
	closed map[string]bool // by the ID of the grant
}

func (x *sessions) isClosed(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closed[id]
}

func (x *sessions) clear() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = nil
}

// closeOldest closes the user's oldest sessions until the limit is met. A session whose
// tokens have expired no longer counts.
func (s *Server) closeOldest(k Knobs, user string) {
	if k.SessionLimit < 0 {
		return
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	open := s.core.Tokens.Grants(s.core.Clock.Now(), func(g emulator.Grant) bool {
		return g.User == user && (k.OAuthSessions || isAPIKey(g.Client))
	})
	for ; len(open) > k.SessionLimit; open = open[1:] {
		s.close(open[0])
	}
}

// close ends one session. The caller holds the lock.
func (s *Server) close(oldest emulator.Grant) {
	if s.sessions.closed == nil {
		s.sessions.closed = make(map[string]bool)
	}
	s.sessions.closed[oldest.ID] = true
	s.core.Tokens.RevokeWhere(func(g emulator.Grant) bool { return g.ID == oldest.ID })
	s.core.Record(emulator.Event{Kind: emulator.EventSessionClosed, User: oldest.User, Client: oldest.Client, Detail: "too many sessions"})
}
