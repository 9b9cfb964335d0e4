package oauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// token.go owns the token requests, exchange and refresh, and the ways to send them.

// Exchange exchanges an authorization code for a token (RFC 6749 §4.1.3). verifier is the
// Attempt's, "" without PKCE. Any answer uses the code up; only a request that never left
// is sent again, once.
func (c Client) Exchange(ctx context.Context, app venuekey.App, code, verifier venuekey.Secret) (venuekey.Token, error) {
	if code == "" {
		return venuekey.Token{}, wrong("the authorization code is empty", "")
	}
	form := url.Values{"grant_type": {grantCode}, "code": {string(code)}, "redirect_uri": {app.RedirectURI}}
	if verifier != "" {
		form.Set("code_verifier", string(verifier))
	}
	token, err := c.grant(ctx, app, form)
	if err != nil && venuekey.ClassOf(err) == venuekey.ClassNotSent && ctx.Err() == nil {
		token, err = c.grant(ctx, app, form)
	}
	if err != nil && c.Again != nil {
		if added, again := c.Again(ctx, err); again {
			token, err = c.grant(ctx, app, with(form, added))
		}
	}
	if err == nil {
		for _, scope := range scopes(strings.Join(c.scopes(app), " ")) {
			token.Asked = append(token.Asked, foreign.Name(scope)) // as for the answer's scopes
		}
		if len(token.Scopes) == 0 { // as requested (RFC 6749 §5.1)
			token.Scopes = token.Asked
		}
	}
	return token, withSignInAgain(err)
}

// withSignInAgain adds a remedy to a temporary error of an exchange: only the whole
// sign-in can be repeated, because its code is used up or will have expired.
func withSignInAgain(err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Remedy != "" || !venuekey.Temporary(err) {
		return err
	}
	told := *known
	told.Remedy = "sign in again: the code cannot be exchanged another time"
	if wait := known.RetryAfter.Round(time.Second); wait > 0 {
		told.Remedy = fmt.Sprintf("wait %s and sign in again: the code cannot be exchanged another time", wait)
	}
	return &told
}

// Refresh presents the refresh token, once (RFC 6749 §6), and returns the new token. The
// caller must save it before anything else, because the old refresh token is used up; a
// Keeper does. If the venue issued a new refresh token together with an access token that
// cannot be used, the returned token has only the former, and must be refreshed again.
func (c Client) Refresh(ctx context.Context, app venuekey.App, refresh venuekey.Secret) (venuekey.Token, error) {
	if refresh == "" {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the venue gave no refresh token"}
	}
	return c.grant(ctx, app, with(url.Values{"grant_type": {grantRefresh}, "refresh_token": {string(refresh)}}, c.Added))
}

// with returns a form with more in it.
func with(form, added url.Values) url.Values {
	full := maps.Clone(form)
	maps.Copy(full, added)
	return full
}

// grant sends a token request, and tries the venue's fallbacks if it was not processed.
func (c Client) grant(ctx context.Context, app venuekey.App, form url.Values) (venuekey.Token, error) {
	sent := time.Now()
	way := Way{URL: c.TokenURL, ByGet: c.TokenByGet}
	others := c.TokenFallbacks
	if form.Get("grant_type") == grantRefresh && !(c.ReuseHarmless && venuekey.MayPresentTwice(ctx)) {
		others = nil
	}
	for {
		request, err := c.shaped(ctx, app, way, form)
		if err != nil {
			return venuekey.Token{}, err
		}
		answer, address, err := SendWithin(c.Domains, c.Transport, request)
		answer = c.read(answer, sent)
		if err != nil {
			return c.fromBrokenAnswer(answer, sent, way, err)
		}
		var more bool
		if way, others, more = c.nextWay(way, others, answer); more {
			continue
		}
		token, err := c.token(answer, address, form, sent)
		if err == nil {
			token.Learned = way.Learned
		}
		return token, err
	}
}

// nextWay returns the next way to try after an answer, and those that are left; more is
// false if the answer is final.
func (c Config) nextWay(way Way, others []Way, answer Answer) (next Way, left []Way, more bool) {
	if !c.unread(answer) {
		return way, nil, false
	}
	for i, other := range others {
		if other.ByGet == way.ByGet || answer.Status == http.StatusMethodNotAllowed {
			return other, others[i+1:], true
		}
	}
	return way, nil, false
}

// unread reports whether nothing at the address processed the request.
func (c Config) unread(a Answer) bool {
	if a.Status != http.StatusNotFound && a.Status != http.StatusMethodNotAllowed {
		return false
	}
	found := c.find(a.Body)
	return len(found.grants) == 0 && c.fault("", a, found) == nil
}

func (c Config) tokenRequest(ctx context.Context, app venuekey.App, way Way, form url.Values) (*http.Request, error) {
	target, err := Endpoint("token", way.URL)
	if err != nil {
		return nil, err
	}
	if way.ByGet {
		query := target.Query()
		for name, values := range c.withClient(app, form) {
			query[name] = values
		}
		target.RawQuery = query.Encode()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
		if err != nil {
			return nil, wrong("the token address is not usable", "")
		}
		return c.withHeader(request, app), nil
	}
	return c.post(ctx, app, target, form)
}

func (c Config) post(ctx context.Context, app venuekey.App, target *url.URL, form url.Values) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(c.withClient(app, form).Encode()))
	if err != nil {
		return nil, wrong("the address at "+target.Host+" is not usable", "")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.withHeader(request, app), nil
}

// withClient adds the app's own parameters if they travel in the body.
func (c Config) withClient(app venuekey.App, form url.Values) url.Values {
	full := url.Values{}
	for name, values := range form {
		full[name] = values
	}
	if c.ClientAuth == AuthInBody || c.ClientAuth == AuthBasicAndID || c.ClientAuth == AuthPublic {
		full.Set("client_id", app.ClientID)
	}
	if c.ClientAuth == AuthInBody && app.ClientSecret != "" {
		full.Set("client_secret", string(app.ClientSecret))
	}
	return full
}

func (c Config) withHeader(request *http.Request, app venuekey.App) *http.Request {
	for name, values := range c.Header {
		request.Header[name] = values
	}
	switch c.ClientAuth {
	case AuthBasic, AuthBasicAndID:
		request.SetBasicAuth(url.QueryEscape(app.ClientID), url.QueryEscape(string(app.ClientSecret)))
	case AuthBasicPlain:
		request.SetBasicAuth(app.ClientID, string(app.ClientSecret))
	}
	return request
}
