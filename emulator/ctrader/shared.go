package ctrader

import (
	"slices"

	"github.com/venuekey/venuekey/emulator"
)

// shared.go owns what the sign-in server shares with the venue's other servers: whose a
// token is, refreshing it, and notifications when tokens end.

// Ended is a grant whose access tokens ended before they expired.
type Ended struct {
	Grant emulator.Grant
	// Refreshed means that a new pair has replaced them. If it is false, nothing has.
	Refreshed bool
}

// Grant uses an access token and returns its grant. For an expired or revoked token it
// returns both the grant and an error.
func (s *Server) Grant(access string) (emulator.Grant, error) {
	s.start()
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), access)
	return pair.Grant, err
}

// App returns a registered app, and whether it exists.
func (s *Server) App(clientID string) (emulator.App, bool) {
	s.start()
	return s.core.Registry.App(clientID)
}

// User returns a user, and whether it exists.
func (s *Server) User(name string) (emulator.User, bool) {
	s.start()
	return s.core.Registry.User(name)
}

// Issue issues the tokens of a sign-in, without the sign-in. Nil Accounts mean all accounts
// of the user.
func (s *Server) Issue(g emulator.Grant) emulator.Pair {
	s.start()
	if g.Accounts == nil {
		user, _ := s.core.Registry.User(g.User)
		for _, a := range user.Accounts {
			g.Accounts = append(g.Accounts, a.ID)
		}
	}
	return s.core.Tokens.Issue(s.core.Clock.Now(), g, s.Current().filled().policy())
}

// Refresh presents a refresh token on behalf of an app, as the token endpoint does but
// without the app's secret. An empty clientID means the app that the token belongs to.
func (s *Server) Refresh(clientID, refresh string) (emulator.Pair, error) {
	s.start()
	return s.refresh(s.Current().filled(), emulator.App{ClientID: clientID}, refresh)
}

// Watch calls the function for every grant whose access tokens end, before the request that
// ended them is answered, until stop is called. The function must not refresh or revoke.
func (s *Server) Watch(ended func(Ended)) (stop func()) {
	s.start()
	s.watching.Lock()
	defer s.watching.Unlock()
	watcher := &ended
	s.watchers = append(s.watchers, watcher)
	return func() {
		s.watching.Lock()
		defer s.watching.Unlock()
		s.watchers = slices.DeleteFunc(s.watchers, func(w *func(Ended)) bool { return w == watcher })
	}
}

func (s *Server) announce(e Ended) {
	s.watching.Lock()
	watchers := slices.Clone(s.watchers)
	s.watching.Unlock()
	for _, w := range watchers {
		(*w)(e)
	}
}
