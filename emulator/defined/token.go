package defined

import (
	"net/http"
	"strings"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// token.go owns the requests that bring tokens.

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	rules := s.rules()
	if rules.asPage(w) {
		return
	}
	request, renewal, t, err := s.takeToken(rules, r)
	names := []emulator.Endpoint{emulator.AtToken}
	switch {
	case !renewal && rules.Login == definition.LoginCode:
		names = append(names, emulator.AtExchange)
	case !renewal:
		names = append(names, emulator.AtLogin)
	case rules.Renew.With == definition.WithRefresh:
		names = append(names, emulator.AtRefresh)
	default:
		names = append(names, emulator.AtRenew)
	}
	s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) {
		var pair emulator.Pair
		if err == nil {
			pair, err = s.pair(rules, request, renewal, t)
		}
		if err != nil {
			rules.refuse(w, err)
			return
		}
		rules.grant(w, r, pair, renewal, t, s.core.Clock.Now())
	}, names...)
}

// takeToken decides which of the definition's two requests this is: it is the renewal if it
// is at an address of that one's and presents what a renewal presents.
func (s *Server) takeToken(rules rules, r *http.Request) (request definition.Request, renewal bool, t taken, err error) {
	if own := rules.Renew.Request; own != nil && at(r, *own) {
		alone := rules.Exchange == nil || !at(r, *rules.Exchange)
		if t, err = take(r, *own); alone || err == nil && t.values["refresh"]+t.values["access"] != "" {
			return *own, true, t, err
		}
	}
	request = *rules.Exchange
	t, err = take(r, request)
	renewal = rules.Renew.Request == nil && rules.Renew.With == definition.WithRefresh && t.params["grant_type"] == "refresh_token"
	if err == nil && request.Params == nil && !renewal && t.params["grant_type"] != "authorization_code" {
		err = bad("unsupported_grant_type", "the grant type is not known")
	}
	return request, renewal, t, err
}

// at reports whether a request is at one of the addresses of a definition's.
func at(r *http.Request, request definition.Request) bool {
	for _, address := range append([]string{request.URL}, request.Fallbacks...) {
		if _, rest, ok := strings.Cut(address, "://"); ok {
			_, path, _ := strings.Cut(rest, "/")
			path, _, _ = strings.Cut(path, "?")
			if r.URL.Path == "/"+path {
				return true
			}
		}
	}
	return false
}

// pair issues the tokens that a request asks for.
func (s *Server) pair(rules rules, request definition.Request, renewal bool, t taken) (emulator.Pair, error) {
	app, err := s.client(rules, request, t)
	if err != nil {
		return emulator.Pair{}, err
	}
	policy := rules.policy(s.core.Clock.Now())
	switch {
	case renewal && rules.Renew.With == definition.WithRefresh:
		return s.refresh(rules, app, t, policy)
	case renewal:
		pair, err := s.core.Renew(bare(t.values["access"]), policy)
		if err != nil {
			return pair, rules.row("refused", "refresh_token", "invalid_token", "the access token is not accepted")
		}
		return pair, nil
	case rules.Login == definition.LoginCode:
		return s.exchange(rules, app, t, policy)
	}
	return s.login(rules, app, t, policy)
}

// client finds the app, and checks all that it knows.
func (s *Server) client(rules rules, request definition.Request, t taken) (emulator.App, error) {
	refused := func(app emulator.App) (emulator.App, error) {
		s.core.Record(emulator.Event{Kind: emulator.EventClientRefused, Client: app.ClientID})
		return app, rules.row("misconfigured", "", "invalid_client", "the client is not accepted")
	}
	if rules.Client == definition.ClientNone {
		app := s.core.Registry.Apps()[0]
		if !t.compare(app) {
			return refused(app)
		}
		return app, nil
	}
	if request.Auth == definition.AuthBearer && t.values["client_id"] == "" {
		return s.core.Registry.Apps()[0], nil
	}
	app, known := s.core.Registry.App(t.values["client_id"])
	secret, sent := t.values["client_secret"]
	proved := false // by a call in a template
	for _, c := range t.open {
		for _, name := range c.template.Names() {
			proved = proved || name == "client_secret"
		}
	}
	if _, named := t.values["client_id"]; proved && !named { // the call alone says which app it is
		for _, one := range s.core.Registry.Apps() {
			if t.compare(one) {
				return one, nil
			}
		}
	}
	if !known || sent && secret != app.ClientSecret || !sent && !proved && app.ClientSecret != "" || !t.compare(app) {
		return refused(app)
	}
	return app, nil
}

func (s *Server) exchange(rules rules, app emulator.App, t taken, policy core.Policy) (emulator.Pair, error) {
	refused := rules.row("refused", "authorization_code", "invalid_grant", "the code is not accepted")
	pair, err := s.core.Exchange(t.values["code"], policy, func(g emulator.Grant) error {
		redirect, sent := t.values["redirect_uri"]
		if g.Client != app.ClientID || sent && g.Redirect != redirect || !core.VerifyPKCE(g.Challenge, g.ChallengeMethod, t.values["verifier"]) {
			return refused
		}
		return nil
	})
	if err != nil {
		return pair, refused
	}
	return pair, s.began(rules, pair)
}

// login signs a user in with what the definition asks for: the first answer that is no host
// and no secret names the user, or the one that says so, and the first secret is the password.
func (s *Server) login(rules rules, app emulator.App, t taken, policy core.Policy) (emulator.Pair, error) {
	name, password := "", ""
	asks := rules.Ask
	if rules.Login == definition.LoginPassword {
		asks = rules.Asked() // the rest is the app's
	}
	for _, ask := range asks {
		value := t.values["ask."+ask.Name]
		switch {
		case ask.Secret && password == "":
			password = value
		case ask.User, !ask.Secret && ask.Name != "host" && name == "":
			name = value
		}
	}
	user, ok := s.core.Registry.SignIn(name, password)
	for _, one := range s.core.Registry.Users() {
		if name == "" && password != "" && one.Password == password { // the key alone says whose it is
			user, ok = one, true
		}
	}
	if len(asks) == 0 { // the app's own credentials are its user's
		user, ok = s.core.Registry.Users()[0], true
	}
	if !ok {
		s.core.Record(emulator.Event{Kind: emulator.EventLoginRefused, User: user.Name, Client: app.ClientID})
		return emulator.Pair{}, rules.row("refused", "", "invalid_grant", "the user is not accepted")
	}
	s.core.Record(emulator.Event{Kind: emulator.EventLoginGranted, User: user.Name, Client: app.ClientID})
	pair := s.core.Tokens.Issue(s.core.Clock.Now(), emulator.Grant{User: user.Name, Client: app.ClientID}, policy)
	return pair, s.began(rules, pair)
}

// began notes the beginning of a sign-in, and ends those that it ends.
func (s *Server) began(rules rules, pair emulator.Pair) error {
	now := s.core.Clock.Now()
	s.mu.Lock()
	s.logins[pair.Grant.ID] = now
	s.mu.Unlock()
	s.touch(pair.Access)
	others := s.core.Tokens.Grants(now, func(g emulator.Grant) bool { return g.User == pair.Grant.User && g.ID != pair.Grant.ID })
	end := 0
	switch rules.Sessions.LoginEnds {
	case definition.EndsAll:
		end = len(others)
	case definition.EndsOldest:
		end = max(len(others)+1-rules.Sessions.Max, 0)
	}
	for _, old := range others[:min(end, len(others))] {
		s.core.Tokens.RevokeWhere(func(g emulator.Grant) bool { return g.ID == old.ID })
		s.core.Record(emulator.Event{Kind: emulator.EventSessionClosed, User: old.User, Client: old.Client, Detail: "another sign-in"})
	}
	return nil
}

func (s *Server) refresh(rules rules, app emulator.App, t taken, policy core.Policy) (emulator.Pair, error) {
	presented := t.values["refresh"]
	refused := rules.row("refused", "refresh_token", "invalid_grant", "the refresh token is not accepted")
	if rules.Login == definition.LoginPaste {
		for _, user := range s.core.Registry.Users() {
			if presented != "" && user.Password == presented { // it stands for a token from the venue's pages
				pair := s.core.Tokens.Issue(s.core.Clock.Now(), emulator.Grant{User: user.Name, Client: app.ClientID}, policy)
				return pair, s.began(rules, pair)
			}
		}
	}
	if presented == "" {
		return emulator.Pair{}, bad("invalid_request", "the refresh token is missing")
	}
	pair, err := s.core.Refresh(presented, policy, func(g emulator.Grant) error {
		if g.Client != app.ClientID || s.over(rules, g) {
			return refused
		}
		return nil
	})
	if err != nil {
		return pair, refused
	}
	return pair, nil
}

// over reports whether a sign-in has lived for as long as one may, whatever is renewed.
func (s *Server) over(rules rules, g emulator.Grant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	life := time.Duration(rules.Renew.Life)
	began, known := s.logins[g.ID]
	return known && rules.Renew.LifeFrom == definition.FromLogin && !s.core.Clock.Now().Before(began.Add(life))
}
