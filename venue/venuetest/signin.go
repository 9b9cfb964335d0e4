package venuetest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
)

// signin.go owns the tests of Login.

var signIns = []test{
	{"a sign-in returns a token that is valid", signsIn},
	{"a pasted address signs in as well", pastesIn},
	{"each sign-in has its own state and challenge", drawsAnew},
	{"a callback of another sign-in is ignored", foreignState},
	{"a sign-in that the user denies is refused", denied},
	{"a code or a password is sent once", spentOnce},
	{"an error of a sign-in repeats no secret", silentSignIn},
	{"a sign-in that is given up returns, and frees the port", givenUp},
}

func signsIn(s *stage) {
	begun := time.Now()
	token := s.mustSignIn()
	policy := s.Venue.Policy()
	switch {
	case token.Access == "":
		s.Fatal("no access token")
	case !s.Alive(token.Access):
		s.Error("the server does not accept the access token")
	case token.Refresh == "" && policy.RenewsWith == venuekey.RenewWithRefreshToken && !s.NotRenewed:
		s.Error("the policy is RenewWithRefreshToken, but there is no refresh token")
	case token.Issued.Before(begun.Add(-time.Minute)) || token.Issued.After(time.Now().Add(time.Minute)):
		s.Errorf("issued %s, which is not now", token.Issued)
	case !token.Valid(time.Now()):
		s.Errorf("the token expired %s", token.Expires)
	}
	if token.TypeOrBearer() != "Bearer" {
		if _, ok := s.Venue.(venuekey.Signer); !ok {
			s.Errorf("the token's type is %q, but the venue is not a Signer", token.Type)
		}
	}
}

// byBrowser signs a user in with a browser, and skips the test if the venue uses none.
func (s *stage) byBrowser() (u *user) {
	s.Helper()
	u = s.user((*user).goTheWholeWay)
	if _, err := s.login(u); err != nil {
		s.Fatalf("sign-in: %v", err)
	}
	if !u.visited {
		s.Skip("this venue asks for name and password itself")
	}
	return u
}

func pastesIn(s *stage) {
	s.byBrowser()
	token, err := s.login(s.user(func(u *user) error { return u.paste(nil) }))
	if err != nil || !s.Alive(token.Access) {
		s.Errorf("pasted: %v", err)
	}
}

// RFC 6749 §10.12, RFC 7636 §4.2.
func drawsAnew(s *stage) {
	seen := map[string]bool{}
	for range 2 {
		var u *user
		requests := s.front.watched(func() { u = s.byBrowser() })
		query := u.authorize()
		state := stateIn(query)
		if len(state) < 16 || seen[state] {
			s.Errorf("state %q is too short, or was used before", state)
		}
		seen[state] = true
		if life := s.Venue.Policy().CodeLife; life > 0 && u.visit.CodeLife != life {
			s.Errorf("Visit.CodeLife is %s, but the policy says %s", u.visit.CodeLife, life)
		}
		if query.Has("client_secret") || s.App.ClientSecret != "" && (sight{address: u.visit.Elsewhere}).holds(string(s.App.ClientSecret)) {
			s.Error("the browser was given the client secret")
		}
		s.checkChallenge(query, requests, seen)
	}
}

// stateIn returns the state in a query: at a venue that adds one of its parameters to the
// redirect, it is in there.
func stateIn(query url.Values) string {
	if query.Has("state") {
		return query.Get("state")
	}
	for _, values := range query {
		if inner, err := url.ParseQuery(values[0]); err == nil && inner.Has("state") {
			return inner.Get("state")
		}
	}
	return ""
}

// checkChallenge compares the challenge in the browser with the verifier of the exchange.
func (s *stage) checkChallenge(query url.Values, requests []sight, seen map[string]bool) {
	challenge := query.Get("code_challenge")
	for _, request := range requests {
		verifier := request.parameter("code_verifier")
		sum := sha256.Sum256([]byte(verifier))
		if request.parameter(s.codeParam()) != "" && (verifier != "" || challenge != "") && base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
			s.Error("the verifier of the exchange does not match the challenge")
		}
	}
	if challenge == "" {
		return
	}
	if query.Get("code_challenge_method") != "S256" || seen[challenge] {
		s.Errorf("the challenge has method %q, or was used before", query.Get("code_challenge_method"))
	}
	seen[challenge] = true
}

func foreignState(s *stage) {
	s.byBrowser()
	const code = "a-code-that-somebody-else-was-given"
	foreign := func(query url.Values) {
		query.Set(s.codeParam(), code)
		query.Set("state", "the-state-of-somebody-else")
	}
	ways := map[string]func(u *user) error{
		"pasted": func(u *user) error { return errors.Join(u.paste(foreign), u.paste(nil)) },
		"sent to the port": func(u *user) error {
			address, err := url.Parse(u.visit.Redirect)
			if err == nil && u.visit.Listening {
				query := address.Query()
				foreign(query)
				address.RawQuery = query.Encode()
				request, _ := http.NewRequestWithContext(u.ctx, http.MethodGet, address.String(), nil)
				if response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request); err == nil {
					response.Body.Close()
				}
			}
			return errors.Join(err, u.goTheWholeWay())
		},
	}
	for name, way := range ways {
		var token venuekey.Token
		var err error
		seen := s.front.watched(func() { token, err = s.login(s.user(way)) })
		if err != nil || !s.Alive(token.Access) {
			s.Errorf("%s: the user's own callback was not accepted afterwards: %v", name, err)
		}
		if carrying(seen, code) > 0 {
			s.Errorf("%s: the code of another sign-in was exchanged", name)
		}
	}
}

// RFC 6749 §4.1.2.1.
func denied(s *stage) {
	s.byBrowser()
	_, err := s.login(s.user(func(u *user) error {
		return u.paste(func(query url.Values) {
			query.Del(s.codeParam())
			query.Set("error", "access_denied")
		})
	}))
	s.want("a sign-in that was denied", err, venuekey.ClassRefused)
}

func spentOnce(s *stage) {
	for _, spoil := range faults() {
		u := s.user(nil)
		var err error
		seen := s.front.spoiled(spoil, func() { _, err = s.login(u) })
		if err == nil {
			if !spoil.whole {
				s.Errorf("%s: Login returned no error", spoil.name)
			}
		} else if known := s.known(spoil.name, err); known.Class == venuekey.ClassNotSent {
			s.Errorf("%s: the error says not sent: %v", spoil.name, err)
		}
		if len(seen) == 0 {
			s.Errorf("%s: nothing was sent", spoil.name)
		}
		for _, secret := range u.spent() {
			if n := carrying(seen, secret); n > 1 && !tried(seen, spoil) {
				s.Errorf("%s: a code or a password was sent %d times", spoil.name, n)
			}
		}
		s.stayedHere(spoil, seen)
	}
}

// tried reports whether another address was tried because there was nothing at the first
// one: a 404 that is not the venue's uses nothing up (see oauth.Config.TokenFallbacks).
func tried(seen []sight, spoil *fault) bool {
	where := map[string]bool{}
	for _, request := range seen {
		path, _, _ := cutQuery(request.address)
		where[request.method+" "+path] = true
	}
	return spoil.missing && len(where) == len(seen)
}

// stayedHere fails the test if a redirect was followed.
func (s *stage) stayedHere(spoil *fault, seen []sight) {
	s.Helper()
	for _, request := range seen {
		if path, _, _ := cutQuery(request.address); path == elsewhere {
			s.Errorf("%s: the redirect was followed", spoil.name)
		}
	}
}

func silentSignIn(s *stage) {
	_, err := s.login(s.user(nil))
	if err != nil {
		s.Fatalf("sign-in: %v", err)
	}
	s.front.spoiled(echo, func() { _, err = s.login(s.user(nil)) })
	s.known(echo.name, err)
}

func givenUp(s *stage) {
	u := s.byBrowser()
	giveUp := errors.New("given up")
	ctx, cancel := context.WithCancelCause(s.Context())
	defer cancel(nil)
	left := s.user(func(*user) error { cancel(giveUp); return nil })
	ended := make(chan error, 1)
	go func() {
		_, err := s.Venue.Login(ctx, s.App, left)
		ended <- err
	}()
	var err error
	select {
	case err = <-ended:
	case <-time.After(prompt):
		s.Fatal("Login does not return")
	}
	_ = left.leave()
	s.want("a sign-in that was given up", err, venuekey.ClassFailed)
	if !u.visit.Listening {
		return
	}
	address, _ := url.Parse(left.visit.Redirect)
	socket, err := net.Listen("tcp", address.Host)
	if err != nil {
		s.Errorf("the port is not free: %v", err)
		return
	}
	socket.Close()
}

func cutQuery(address string) (path, query string, found bool) {
	parsed, err := url.Parse(address)
	if err != nil {
		return address, "", false
	}
	return parsed.Path, parsed.RawQuery, parsed.RawQuery != ""
}
