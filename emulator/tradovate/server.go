package tradovate

import (
	"net/http"
	"slices"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// server.go owns the server: its fields and its start.

// Server is an emulated Tradovate, and an [emulator.Venue]. The zero value is ready to
// use. The fields are read when it is first used and must not be changed afterwards; Tune
// changes knobs. RevokeUser also ends a user's sessions, whose tokens then get a 401.
// RefreshAlive ignores TransientRefusals.
type Server struct {
	core.Base // Clock, and the methods of [emulator.Venue]
	Knobs     Knobs
	// Apps are the registered OAuth clients; empty means [emulator.DefaultApp].
	Apps []emulator.App
	// Keys are the API keys; empty means [DefaultKey].
	Keys []APIKey
	// Users are the traders; empty means [emulator.DefaultUsers].
	Users []emulator.User

	once      sync.Once
	core      *core.Core
	settings  *core.Settings[Knobs]
	admin     http.Handler
	keys      []APIKey
	sessions  sessions
	penalties penalties
	renewals  quota // by address
	meFailed  quota // by address
	users     quota // by user: requests with a token
	anonymous quota // by address: requests without one
	wrong     quota // by user: failed sign-ins
	devices   devices
	sockets   sockets
	book      orderBook

	socketFaults socketFaults
}

var _ emulator.Venue = (*Server)(nil)

func (s *Server) start() {
	s.once.Do(func() {
		s.settings = core.NewSettings(s.Knobs)
		s.core = core.Start(&s.Base, core.Setup{
			Branding: core.Branding{Name: "tradovate", Title: "Tradovate", Colour: "#14487a"},
			Apps:     s.Apps, Users: s.Users, Knobs: s.settings,
			Policy:  func() core.Policy { return s.settings.Current().filled().policy() },
			OnReset: s.forget,
		})
		s.admin = s.core.Admin()
		s.keys = slices.Clone(s.Keys)
		if len(s.keys) == 0 {
			s.keys = []APIKey{DefaultKey()}
		}
	})
}

// forget drops the state that is kept outside the core.
func (s *Server) forget() {
	s.sessions.clear()
	s.penalties.clear()
	s.renewals.clear()
	s.meFailed.clear()
	s.users.clear()
	s.anonymous.clear()
	s.wrong.clear()
	s.devices.clear()
	s.sockets.clear()
	s.book.clear()
	s.socketFaults.queue.Clear()
}

// ServeHTTP answers as the live host does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, host{env: live}) }

// Demo returns the demo host of the same venue.
func (s *Server) Demo() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, host{env: demo}) })
}

// Current returns a copy of the current knobs.
func (s *Server) Current() Knobs { s.start(); return s.settings.Current() }

// Tune changes knobs of the running server:
//
//	s.Tune(func(k *tradovate.Knobs) { k.ClosedStatus = 429 })
func (s *Server) Tune(change func(*Knobs)) { s.start(); s.settings.Tune(change) }
