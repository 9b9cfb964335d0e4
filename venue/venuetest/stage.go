package venuetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// stage.go owns the helpers in which the tests are written.

// stage is a Subject whose server runs behind a front. Its methods whose names begin with
// "must" end the test if the venue fails.
type stage struct {
	testing.TB
	Subject
	front *front

	mu      sync.Mutex
	Secrets map[string]venuekey.Secret // by what they are, numbered
}

func start(t testing.TB, subject Subject) *stage {
	t.Helper()
	s := &stage{TB: t, Subject: subject, front: &front{server: subject.Server}, Secrets: map[string]venuekey.Secret{}}
	server := httptest.NewServer(s.front)
	t.Cleanup(server.Close)
	s.moveTo(server.URL)
	s.keep("client secret", s.App.ClientSecret)
	s.keep("password", venuekey.Secret(s.Person.Password))
	for _, field := range s.form().Fields {
		if field.Secret {
			s.keep(field.Name, s.App.Param(field.Name))
		}
	}
	return s
}

// moveTo points the app at another address.
func (s *stage) moveTo(base string) {
	s.App.Venue = s.Venue.Name()
	s.App.URLs = maps.Clone(s.App.URLs)
	if s.App.URLs == nil {
		s.App.URLs = map[string]string{}
	}
	s.App.URLs["base"] = base
}

func (s *stage) form() venuekey.AppForm {
	if registrar, ok := s.Venue.(venuekey.Registrar); ok {
		return registrar.AppForm()
	}
	return venuekey.AppForm{}
}

// keep registers a secret that nothing may repeat from now on.
func (s *stage) keep(what string, secret venuekey.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(secret) >= 6 { // a shorter one may occur by chance
		s.Secrets[what+" "+fmt.Sprint(len(s.Secrets))] = secret
	}
}

func (s *stage) keepToken(token venuekey.Token) {
	s.keep("access token", token.Access)
	s.keep("refresh token", token.Refresh)
}

// silent fails the test if a text contains a secret.
func (s *stage) silent(where, text string) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(s.Secrets)) {
		if strings.Contains(text, string(s.Secrets[what])) {
			s.Errorf("%s repeats the %s", where, strings.TrimRight(what, " 0123456789"))
		}
	}
}

// known returns err as a *venuekey.Error. It fails the test if err is not one, or
// contains a secret.
func (s *stage) known(doing string, err error) *venuekey.Error {
	s.Helper()
	if err == nil {
		s.Fatalf("%s: no error", doing)
	}
	s.silent("the error of "+doing, fmt.Sprintf("%v %+v %#v", err, err, err))
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		s.Fatalf("%s: the error is a %T, not a *venuekey.Error", doing, err)
	}
	if s.silent("the error of "+doing, known.Reason+known.Remedy+known.Code); known.Reason == "" && known.Err == nil {
		s.Errorf("%s: the error has neither a Reason nor an Err", doing)
	}
	return known
}

// want fails the test unless an error has one of the classes.
func (s *stage) want(doing string, err error, classes ...venuekey.Class) *venuekey.Error {
	s.Helper()
	known := s.known(doing, err)
	if !slices.Contains(classes, known.Class) {
		s.Errorf("%s: class %q, want one of %q: %v", doing, known.Class, classes, err)
	}
	return known
}

// mustSignIn signs the user in the way that the venue prefers.
func (s *stage) mustSignIn() venuekey.Token {
	s.Helper()
	u := s.user(nil)
	token, err := s.login(u)
	if err != nil {
		s.Fatalf("sign-in: %v", err)
	}
	return token
}

// login calls Login, and waits for what the user does meanwhile.
func (s *stage) login(u *user) (venuekey.Token, error) {
	s.Helper()
	token, err := s.Venue.Login(u.ctx, s.App, u)
	if why := u.leave(); why != nil && err == nil {
		s.Errorf("the user's browser: %v", why)
	}
	for _, line := range u.lines() {
		s.silent("a line for the user", line)
	}
	if err == nil {
		s.keepToken(token)
	}
	return token, err
}

// refresh calls Refresh and registers the secrets that it returns.
func (s *stage) refresh(token venuekey.Token) (venuekey.Token, error) {
	renewed, err := s.Venue.Refresh(s.Context(), s.App, token)
	if err == nil {
		s.keepToken(renewed)
	}
	return renewed, err
}

func (s *stage) mustRefresh(token venuekey.Token) venuekey.Token {
	s.Helper()
	renewed, err := s.refresh(token)
	if err != nil {
		s.Fatalf("refresh: %v", err)
	}
	return successor(token, renewed)
}

// successor returns the renewed token, with the old refresh token if the venue issued no
// new one (RFC 6749 §6).
func successor(token, renewed venuekey.Token) venuekey.Token {
	if renewed.Refresh == "" {
		renewed.Refresh = token.Refresh
	}
	return renewed
}

// presented returns the secret that a renewal of a token presents.
func (s *stage) presented(token venuekey.Token) venuekey.Secret {
	if s.Venue.Policy().RenewsWith != venuekey.RenewWithRefreshToken && token.Valid(time.Now()) {
		return token.Access
	}
	return token.Refresh
}

// dead returns a token whose access token expired an hour ago, as far as the venue can
// tell from it.
func dead(token venuekey.Token) venuekey.Token {
	ago := token.Life() + time.Hour
	token.Issued, token.Expires = token.Issued.Add(-ago), token.Expires.Add(-ago)
	return token
}

// codeParam is the parameter in which a code comes back.
func (s *stage) codeParam() string { return cmp.Or(s.CodeParam, "code") }

// byKey reports whether the app's own key renews, which is never used up and which no user
// can take back.
func (s *stage) byKey() bool { return s.Venue.Policy().RenewsWith == venuekey.RenewWithAppKey }
