package defined

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// server.go owns the server: its fields, its start, and which request is for which endpoint.

// Server is the emulated venue of a definition, and an [emulator.Venue]. The fields are read
// when it is first used and must not be changed afterwards; Tune changes knobs.
type Server struct {
	core.Base // Clock, and the methods of [emulator.Venue]
	// Definition is the venue's. It is required.
	Definition *definition.Definition
	Knobs      Knobs
	// Apps are the registered apps; empty means [emulator.DefaultApp].
	Apps []emulator.App
	// Users are the people with an account; empty means [emulator.DefaultUsers].
	Users []emulator.User

	once     sync.Once
	core     *core.Core
	settings *core.Settings[Knobs]
	routes   []route

	mu     sync.Mutex
	logins map[string]time.Time // when each grant began
	used   map[string]time.Time // when each access token was last used
	opened map[string]string    // which app each value of a first request is for
}

var _ emulator.Venue = (*Server)(nil)

// route leads from an address of the definition to an endpoint.
type route struct {
	path  string
	query url.Values
	serve http.HandlerFunc
}

func (s *Server) start() {
	s.once.Do(func() {
		s.settings, s.logins, s.used = core.NewSettings(s.Knobs), map[string]time.Time{}, map[string]time.Time{}
		s.opened = map[string]string{}
		s.core = core.Start(&s.Base, core.Setup{
			Branding: core.Branding{Name: s.Definition.Name, Title: cmp.Or(s.Definition.About, s.Definition.Name), Colour: "#34495e"},
			Apps:     s.Apps, Users: s.Users, Knobs: s.settings,
			Policy:  func() core.Policy { return s.rules().policy(s.core.Clock.Now()) },
			OnReset: s.forget,
		})
		s.lay()
	})
}

func (s *Server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.logins)
	clear(s.used)
	clear(s.opened)
}

// lay lays the routes. One with more of a query comes first, since it says more.
func (s *Server) lay() {
	d := s.Definition
	add := func(address string, serve http.HandlerFunc) {
		at, err := url.Parse(strings.Replace(address, definition.AskedHost, "asked.invalid", 1))
		if err != nil {
			return // a definition that was checked has none such
		}
		one := route{path: cmp.Or(at.Path, "/"), query: at.Query(), serve: serve}
		if len(one.query) > 0 {
			s.routes = append([]route{one}, s.routes...)
		} else {
			s.routes = append(s.routes, one)
		}
	}
	if d.Before != nil {
		add(d.Before.Request.URL, s.before)
	}
	if d.Authorize != nil {
		add(d.Authorize.URL, func(w http.ResponseWriter, r *http.Request) { s.core.Serve(w, r, s.authorize, emulator.AtAuthorize) })
	}
	for _, r := range []*definition.Request{d.Exchange, d.Renew.Request} {
		if r == nil {
			continue
		}
		for _, address := range append([]string{r.URL}, r.Fallbacks...) {
			add(address, s.serveToken)
		}
	}
	if d.Keepalive != nil {
		add(d.Keepalive.Request.URL, func(w http.ResponseWriter, r *http.Request) { s.core.Serve(w, r, s.ping, emulator.AtRenew) })
	}
	if d.Revoke != nil {
		add(d.Revoke.Request.URL, func(w http.ResponseWriter, r *http.Request) { s.core.Serve(w, r, s.revoke, emulator.AtRevoke) })
	}
	if d.Who != nil {
		for _, address := range append([]string{d.Who.Request.URL}, d.Who.Request.Fallbacks...) {
			add(address, func(w http.ResponseWriter, r *http.Request) { s.core.Serve(w, r, s.who, emulator.AtMe) })
		}
	}
}

// ServeHTTP answers as the venue does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.start()
	if strings.HasPrefix(r.URL.Path, emulator.AdminPath) {
		s.core.Admin().ServeHTTP(w, r)
		return
	}
	for _, route := range s.routes {
		if r.URL.Path == route.path && within(route.query, r.URL.Query()) {
			route.serve(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// within reports whether a query has all that another one has.
func within(needed, query url.Values) bool {
	for name := range needed {
		if query.Get(name) != needed.Get(name) {
			return false
		}
	}
	return true
}

func (s *Server) rules() rules { return rules{s.Definition, s.settings.Current()} }

// Current returns a copy of the current knobs.
func (s *Server) Current() Knobs { s.start(); return s.settings.Current() }

// Tune changes knobs of the running server:
//
//	s.Tune(func(k *defined.Knobs) { k.OmitExpiry = true })
func (s *Server) Tune(change func(*Knobs)) { s.start(); s.settings.Tune(change) }

// Alive implements [emulator.Venue]. An access token may be a JWT around the server's own.
func (s *Server) Alive(access string) bool {
	s.start()
	return s.Base.Alive(bare(access)) && !s.idle(bare(access))
}

// idle reports whether a session ended for want of calls.
func (s *Server) idle(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, known := s.used[access]
	return known && s.Definition.Life.Idle > 0 && s.core.Clock.Now().Sub(last) >= time.Duration(s.Definition.Life.Idle)
}

// use uses the access token of a call. What else goes with it has to be there too.
func (s *Server) use(t taken) (emulator.Pair, error) {
	access := bare(t.values["access"])
	if s.idle(access) {
		return emulator.Pair{}, core.ErrExpiredToken
	}
	for name := range s.Definition.Answer.Extras {
		if sent, ok := t.values["extra."+name]; ok && sent != extra(access, name) {
			return emulator.Pair{}, core.ErrUnknownToken
		}
	}
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), access)
	if err == nil {
		s.touch(access)
	}
	return pair, err
}

func (s *Server) touch(access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[access] = s.core.Clock.Now()
}
