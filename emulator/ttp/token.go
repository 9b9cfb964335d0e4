package ttp

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// token.go owns the token endpoint.

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	readForm(w, r)
	s.core.ServeToken(w, r, r.PostForm.Get("grant_type"), s.token)
}

// readForm reads the form body into r.PostForm, the only parameters that the endpoints use:
// those in the query do not count (TTP facts §3). What cannot be parsed counts as absent,
// as in PHP.
func readForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, core.MaxBody)
	if err := r.ParseForm(); err != nil && r.PostForm == nil {
		r.PostForm = url.Values{}
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	if k.siteAnswers(w, r) {
		return
	}
	if r.Method != http.MethodPost {
		k.refuseMethod(w)
		return
	}
	pair, err := s.pair(k, r)
	if err != nil {
		refused(err).send(w)
		return
	}
	refreshed := r.PostForm.Get("grant_type") == "refresh_token"
	core.Reply(w, http.StatusOK, k.granted(pair, s.core.Clock.Now(), refreshed))
}

func (s *Server) pair(k Knobs, r *http.Request) (emulator.Pair, error) {
	grant := r.PostForm.Get("grant_type")
	switch {
	case grant == "":
		return emulator.Pair{}, bad("invalid_request", "The grant type was not specified in the request")
	case grant != "authorization_code" && grant != "refresh_token",
		grant == "refresh_token" && k.RefuseRefresh:
		return emulator.Pair{}, bad("unsupported_grant_type", "The grant type is not supported")
	}
	app, err := s.client(k, r)
	if err != nil {
		return emulator.Pair{}, err
	}
	if grant == "refresh_token" {
		return s.refresh(k, app, r.PostForm)
	}
	return s.exchange(k, app, r.PostForm)
}

// client finds the app. A Basic header takes precedence and is not percent-decoded;
// otherwise the credentials are in the body (TTP facts §3).
func (s *Server) client(k Knobs, r *http.Request) (emulator.App, error) {
	id, secret, basic := r.BasicAuth()
	if !basic || k.StripAuthorization {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	app, known := s.core.Registry.App(id)
	if known && app.ClientSecret == secret && !(secret == "" && k.RefusePublic) {
		return app, nil
	}
	s.core.Record(emulator.Event{Kind: emulator.EventClientRefused, Client: app.ClientID, Status: k.ClientStatus})
	if known && secret == "" {
		return emulator.App{}, refusal{k.ClientStatus, "invalid_client", "This client must authenticate using a client secret"}
	}
	if id == "" {
		return emulator.App{}, refusal{k.ClientStatus, "invalid_client", "No client credentials in header or body"}
	}
	return emulator.App{}, refusal{k.ClientStatus, "invalid_client", "The client credentials are invalid"}
}

func (s *Server) exchange(k Knobs, app emulator.App, form url.Values) (emulator.Pair, error) {
	if form.Get("code") == "" {
		return emulator.Pair{}, bad("invalid_request", "Missing parameter: code")
	}
	pair, err := s.core.Exchange(form.Get("code"), k.policy(), func(g emulator.Grant) error {
		switch {
		case g.Client != app.ClientID:
			return bad("invalid_grant", "The authorization code is not for this client")
		case g.Redirect != form.Get("redirect_uri"):
			return bad("redirect_uri_mismatch", "The redirect URI is missing or does not match")
		case !core.VerifyPKCE(g.Challenge, g.ChallengeMethod, form.Get("code_verifier")):
			return bad("invalid_grant", "The code verifier does not match")
		}
		return nil
	})
	switch {
	case errors.Is(err, core.ErrExpiredCode):
		return pair, bad("invalid_grant", "The authorization code has expired")
	case err != nil && !errors.As(err, new(refusal)):
		return pair, bad("invalid_grant", "The authorization code does not exist")
	}
	return pair, err
}

func (s *Server) refresh(k Knobs, app emulator.App, form url.Values) (emulator.Pair, error) {
	if form.Get("refresh_token") == "" {
		return emulator.Pair{}, bad("invalid_request", "Missing parameter: refresh_token")
	}
	pair, err := s.core.Refresh(form.Get("refresh_token"), k.policy(), func(g emulator.Grant) error {
		if g.Client != app.ClientID {
			return bad("invalid_grant", "Invalid refresh token")
		}
		return nil
	})
	switch {
	case errors.Is(err, core.ErrExpiredToken):
		return pair, bad("invalid_grant", "Refresh token has expired")
	case err != nil:
		return pair, bad("invalid_grant", "Invalid refresh token")
	}
	return pair, nil
}

// scopeOf returns the scope of a token.
func (k Knobs) scopeOf(g emulator.Grant) string { return cmp.Or(k.GrantOnly, g.Scope) }

// granted returns the answer with tokens (TTP facts §2).
func (k Knobs) granted(p emulator.Pair, now time.Time, refreshed bool) map[string]any {
	out := map[string]any{
		"access_token": p.Access,
		"token_type":   "Bearer",
		"scope":        k.scopeOf(p.Grant),
	}
	seconds := core.Seconds(p.AccessExpires.Sub(now))
	switch {
	case k.OmitExpiry:
	case k.ExpiryAsText:
		out["expires_in"] = strconv.FormatInt(seconds, 10)
	default:
		out["expires_in"] = seconds
	}
	switch {
	case p.Refresh == "":
	case refreshed && k.RequestToken:
		out["request_token"] = p.Refresh
	default:
		out["refresh_token"] = p.Refresh
	}
	return out
}
