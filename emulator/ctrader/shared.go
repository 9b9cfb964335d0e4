package ctrader

import (
	"slices"

	"github.com/venuekey/venuekey/emulator"
)

// shared.go owns what the venue's other servers share with its sign-in: who a token
// belongs to, refreshing, and word of tokens that end.

// Ended is a grant whose access tokens ended before their time.
type Ended struct {
	Grant emulator.Grant
	// Refreshed means that a new pair took their place; otherwise nothing did.
	Refreshed bool
}

// Grant uses an access token and returns what it stands for. With an expired
// or revoked one the grant comes beside the error.
func (s *Server) Grant(access string) (emulator.Grant, error) {
	s.start()
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), access)
	return pair.Grant, err
}

// App finds a registered app.
func (s *Server) App(clientID string) (emulator.App, bool) {
	s.start()
	return s.core.Registry.App(clientID)
}

// User finds a person.
func (s *Server) User(name string) (emulator.User, bool) {
	s.start()
	return s.core.Registry.User(name)
}

// Issue gives what a sign-in gives, without the sign-in. No accounts are all
// that the user has.
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

// Refresh presents a refresh token for the app as the token endpoint does, but
// for the app's secret. Without a client id, whichever app the token is of.
func (s *Server) Refresh(clientID, refresh string) (emulator.Pair, error) {
	s.start()
	return s.refresh(s.Current().filled(), emulator.App{ClientID: clientID}, refresh)
}

// Watch calls the function for every grant that ends, before whoever ended it
// gets his answer, until stop is called. The function must not refresh or revoke.
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
