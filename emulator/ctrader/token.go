package ctrader

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// token.go owns the token endpoint.

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, core.MaxBody)
	// Parameters count in the query and in the form, for GET and POST alike (cTrader
	// facts §1.4). A body that cannot be parsed counts as absent.
	if err := r.ParseForm(); err != nil {
		r.Form = url.Values{}
	}
	s.core.ServeToken(w, r, r.Form.Get("grant_type"), s.token)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	if !k.takes(r.Method) {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	pair, err := s.pair(k, r)
	if err != nil {
		k.refuse(w, err)
		return
	}
	core.Reply(w, http.StatusOK, k.granted(pair, s.core.Clock.Now()))
}

func (s *Server) pair(k Knobs, r *http.Request) (emulator.Pair, error) {
	app, err := s.client(k, r)
	if err != nil {
		return emulator.Pair{}, err
	}
	switch r.Form.Get("grant_type") {
	case "authorization_code":
		return s.exchange(k, app, r.Form)
	case "refresh_token":
		return s.refresh(k, app, r.Form.Get("refresh_token"))
	}
	return emulator.Pair{}, badGrantType
}

func (k Knobs) takes(method string) bool {
	return method == http.MethodGet && !k.RefuseGET || method == http.MethodPost && !k.RefusePOST
}

// refusal is a logical error. Its text is the description, which is made up.
type refusal string

const (
	badClient    refusal = "Invalid client credentials"
	badRedirect  refusal = "Invalid redirect URI"
	badCode      refusal = "Invalid authorization code"
	badRefresh   refusal = "Invalid refresh token"
	badGrantType refusal = "Invalid grant type"
)

func (r refusal) Error() string { return "ctrader: " + strings.ToLower(string(r)) }

// client finds the app. Credentials are parameters; a Basic header is ignored, or refused
// if the knob says so (cTrader facts §1.4, §8).
func (s *Server) client(k Knobs, r *http.Request) (emulator.App, error) {
	app, ok := s.core.Registry.App(r.Form.Get("client_id"))
	_, _, basic := r.BasicAuth()
	if !ok || app.ClientSecret != r.Form.Get("client_secret") || basic && k.RejectBasic {
		s.core.Record(emulator.Event{Kind: emulator.EventClientRefused, Client: app.ClientID, Status: k.ErrorStatus})
		return emulator.App{}, badClient
	}
	return app, nil
}

func (s *Server) exchange(k Knobs, app emulator.App, form url.Values) (emulator.Pair, error) {
	pair, err := s.core.Exchange(form.Get("code"), k.policy(), func(g emulator.Grant) error {
		switch {
		case g.Client != app.ClientID:
			return badCode
		case g.Redirect != form.Get("redirect_uri"):
			return badRedirect
		case !core.VerifyPKCE(g.Challenge, g.ChallengeMethod, form.Get("code_verifier")):
			return badCode
		}
		return nil
	})
	if err == nil || errors.Is(err, badRedirect) {
		return pair, err
	}
	return pair, badCode // the venue does not say why
}

func (s *Server) refresh(k Knobs, app emulator.App, token string) (emulator.Pair, error) {
	pair, err := s.core.Refresh(token, k.policy(), func(g emulator.Grant) error {
		if app.ClientID != "" && g.Client != app.ClientID {
			return badRefresh
		}
		return nil
	})
	if err != nil {
		return pair, badRefresh // the venue does not say why
	}
	s.announce(Ended{Grant: pair.Grant, Refreshed: true})
	return pair, nil
}

// granted returns the answer with tokens (cTrader facts §1.5): in the form of 2021, with
// every key twice, or in the newer one.
func (k Knobs) granted(p emulator.Pair, now time.Time) map[string]any {
	out := map[string]any{
		"accessToken": p.Access,
		"tokenType":   "bearer",
		"errorCode":   nil,
	}
	seconds := core.Seconds(p.AccessExpires.Sub(now))
	if !k.OmitExpiry {
		out["expiresIn"] = seconds
	}
	if p.Refresh != "" {
		out["refreshToken"] = p.Refresh
	}
	if k.CamelCaseOnly {
		out["description"] = nil
		return out
	}
	out["access_token"] = p.Access
	if !k.OmitExpiry {
		out["expires_in"] = seconds
	}
	if p.Refresh != "" {
		out["refresh_token"] = p.Refresh
	}
	return out
}

// refuse sends the answer with an error (cTrader facts §1.6).
func (k Knobs) refuse(w http.ResponseWriter, err error) {
	why := badGrantType
	errors.As(err, &why)
	out := map[string]any{"errorCode": k.ErrorCodes.of(why), "description": nil}
	if k.Descriptions {
		out["description"] = string(why)
	}
	if k.NullTokens {
		out["accessToken"], out["refreshToken"], out["tokenType"], out["expiresIn"] = nil, nil, nil, nil
	}
	core.Reply(w, k.ErrorStatus, out)
}

func (c ErrorCodes) of(why refusal) string {
	switch why {
	case badClient:
		return c.Client
	case badRedirect:
		return c.Redirect
	case badCode:
		return c.Code
	case badRefresh:
		return c.Refresh
	}
	return c.Request
}
