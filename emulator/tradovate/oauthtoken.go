package tradovate

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// oauthtoken.go owns the OAuth token endpoint.

// serveToken reads the body first, because it says which faults may strike.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	f, err := readFields(r)
	// A request without a grant type probes whether refreshes are answered, so their
	// faults strike it.
	grantType := cmp.Or(f["grant_type"], "refresh_token")
	s.core.ServeToken(w, r, grantType, func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			refuseBody(w)
			return
		}
		s.token(w, r, f)
	})
}

// tokenRules returns the schema's rules (Tradovate facts §3.1).
func tokenRules() []rule {
	return []rule{
		{name: "grant_type", most: 64, required: true}, {name: "code", most: 8192, secret: true},
		{name: "redirect_uri", most: 8192}, {name: "client_id", most: 8192}, {name: "client_secret", most: 8192, secret: true},
		{name: "httpAuth", most: 8192, secret: true},
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request, f fields) {
	k := s.Current().filled()
	if s.penalised(w, r, k, emulator.AtToken, f.presented(), false) {
		return
	}
	if list := f.violations(tokenRules()); len(list) > 0 {
		refuseViolations(w, list)
		return
	}
	pair, err := s.pair(k, r, f)
	if err != nil {
		var e refusal
		errors.As(err, &e)
		core.Reply(w, k.OAuthErrorStatus, map[string]string{"error": e.code, "error_description": e.text})
		return
	}
	core.Reply(w, http.StatusOK, s.granted(k, pair, s.core.Clock.Now()))
}

// refusal is an OAuth error. It comes with status 200 (Tradovate facts §3.2).
type refusal struct{ code, text string }

func (e refusal) Error() string { return "tradovate: " + e.code + ": " + e.text }

// badClient returns the refusal for an unknown client, a wrong secret or a wrong redirect
// URI (Tradovate facts §3.2).
func badClient() refusal {
	return refusal{"invalid_client", "client_id, redirect_uri and client_secret do not match existing setup"}
}

func (s *Server) pair(k Knobs, r *http.Request, f fields) (emulator.Pair, error) {
	app, err := s.client(r, f)
	if err != nil {
		return emulator.Pair{}, err
	}
	switch f["grant_type"] {
	case "authorization_code":
		return s.exchange(k, app, f)
	case "refresh_token":
		return s.refresh(k, app, f)
	}
	return emulator.Pair{}, refusal{"unsupported_grant_type", "The grant type is not supported"}
}

// client finds the app by a Basic header, or else by the body. Both are used in production.
// The field httpAuth is not documented and is ignored (Tradovate facts §3.1).
func (s *Server) client(r *http.Request, f fields) (emulator.App, error) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = f["client_id"], f["client_secret"]
	}
	app, known := s.core.Registry.App(id)
	if !known || app.ClientSecret != secret {
		s.core.Record(emulator.Event{Kind: emulator.EventClientRefused, Client: app.ClientID, Detail: "OAuth client"})
		return emulator.App{}, badClient()
	}
	return app, nil
}

func (s *Server) exchange(k Knobs, app emulator.App, f fields) (emulator.Pair, error) {
	pair, err := s.core.Exchange(f["code"], k.policy(), func(g emulator.Grant) error {
		switch {
		case g.Client != app.ClientID, g.Redirect != f["redirect_uri"]:
			return badClient()
		case k.LosePKCE && f["code_verifier"] != "":
			return refusal{"invalid_grant", "The code came without a challenge"}
		case !core.VerifyPKCE(g.Challenge, g.ChallengeMethod, f["code_verifier"]):
			return refusal{"invalid_grant", "The code verifier does not match"}
		}
		return nil
	})
	if err != nil {
		if errors.As(err, new(refusal)) {
			return pair, err
		}
		return pair, refusal{"invalid_grant", "The authorization code is not valid"}
	}
	if k.OAuthSessions {
		s.closeOldest(k, pair.Grant.User)
	}
	return pair, nil
}

func (s *Server) refresh(k Knobs, app emulator.App, f fields) (emulator.Pair, error) {
	badToken := refusal{"invalid_token", "The refresh token is not valid"}
	pair, err := s.core.Refresh(f["refresh_token"], k.policy(), func(g emulator.Grant) error {
		if g.Client != app.ClientID || s.spend(func(k *Knobs) *int { return &k.TransientRefusals }) {
			return badToken
		}
		return nil
	})
	if err != nil {
		return pair, badToken // the same words for all reasons (Tradovate facts §3.2)
	}
	return pair, nil
}

// granted returns an OAuthTokenResponse: unlike all other answers it is in snake_case, and
// its times are relative (Tradovate facts §3.2).
func (s *Server) granted(k Knobs, p emulator.Pair, now time.Time) map[string]any {
	out := map[string]any{
		"access_token": p.Access,
		"token_type":   "Bearer",
		"expires_in":   core.Seconds(p.AccessExpires.Sub(now)),
	}
	if p.Refresh != "" {
		out["refresh_token"] = p.Refresh
		out["refresh_token_expires_in"] = core.Seconds(p.RefreshExpires.Sub(now))
	}
	if !k.NoIDToken {
		out["id_token"] = s.idToken(k, p, now)
	}
	if k.OAuthMDToken {
		out["mdAccessToken"] = s.mdToken(k, p.Access)
	}
	if k.APIHosts {
		out["apiHosts"] = k.apiHosts()
	}
	return out
}
