package venuetest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/venuekey/venuekey"
)

// renewal.go owns the tests of Refresh when an answer arrives, or nothing is sent.

var renewals = []test{
	{"a renewal returns a new token that is valid", renews},
	{"the token is presented once", presentedOnce},
	{"a revoked token is refused", takenBack},
	{"a wrong client secret is not a refusal of the token", wrongSecret},
	{"nothing is sent if nothing listens", nobodyListens},
	{"nothing is sent if the context has ended", cancelledBefore},
	{"a renewal ends at its deadline", deadline},
	{"an error of a renewal repeats no secret", silentRenewal},
}

func renews(s *stage) {
	token := s.mustSignIn()
	for range 3 {
		renewed := s.mustRefresh(token)
		if renewed.Access == "" || renewed.Access == token.Access || !s.Alive(renewed.Access) {
			s.Fatal("the renewed access token is the old one, or the server does not accept it")
		}
		if !renewed.Valid(time.Now()) || renewed.Issued.Before(token.Issued) {
			s.Errorf("renewed: issued %s, ends %s", renewed.Issued, renewed.Expires)
		}
		token = renewed
	}
}

func presentedOnce(s *stage) {
	token := s.mustSignIn()
	seen := s.front.watched(func() { s.mustRefresh(token) })
	if n := carrying(seen, s.presented(token)); n != 1 && !(n == 0 && s.byKey()) {
		s.Errorf("the token was in %d requests", n)
	}
	if token.Refresh == "" {
		return
	}
	// The access token expired long ago, so nothing else can be presented.
	token = dead(s.mustSignIn())
	seen = s.front.watched(func() { _, _ = s.refresh(token) })
	if n := carrying(seen, token.Refresh); n != 1 {
		s.Errorf("the refresh token was in %d requests", n)
	}
}

func takenBack(s *stage) {
	if s.byKey() {
		s.Skip("the app's own key signs in again")
	}
	token := s.mustSignIn()
	s.TakeBack()
	_, err := s.refresh(dead(token))
	s.want("a renewal after the user revoked access", err, venuekey.ClassRefused)
}

func wrongSecret(s *stage) {
	if s.App.ClientSecret == "" {
		s.Skip("this app has no client secret")
	}
	token := s.mustSignIn()
	s.App.ClientSecret += "-not"
	s.keep("client secret", s.App.ClientSecret)
	if token.Refresh != "" {
		token = dead(token)
	}
	if _, err := s.refresh(token); err != nil {
		s.want("a renewal with a wrong client secret", err, venuekey.ClassMisconfigured, venuekey.ClassLater, venuekey.ClassUnknown)
	}
}

func nobodyListens(s *stage) {
	token := s.mustSignIn()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	there := s.App.URLs["base"]
	s.moveTo(gone.URL)
	_, err := s.refresh(token)
	s.want("a renewal at an address where nothing listens", err, venuekey.ClassNotSent)
	s.moveTo(there)
	s.mustRefresh(token)
}

func cancelledBefore(s *stage) {
	token := s.mustSignIn()
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	var err error
	seen := s.front.watched(func() { _, err = s.Venue.Refresh(ctx, s.App, token) })
	s.want("a renewal whose context has ended", err, venuekey.ClassNotSent)
	if len(seen) > 0 {
		s.Error("a request was sent")
	}
	s.mustRefresh(token)
}

// hold does not answer until the client gives up. It is limited, so that a venue that
// waits for ever fails a test rather than hanging it.
var hold = &fault{name: "a server that does not answer", answer: func(_ http.ResponseWriter, r *http.Request, _ sight, _ *httptest.ResponseRecorder) {
	select {
	case <-r.Context().Done():
	case <-time.After(prompt):
	}
	panic(http.ErrAbortHandler)
}}

func deadline(s *stage) {
	token := s.mustSignIn()
	ctx, cancel := context.WithTimeout(s.Context(), 50*time.Millisecond)
	defer cancel()
	var err error
	begun := time.Now()
	s.front.spoiled(hold, func() { _, err = s.Venue.Refresh(ctx, s.App, token) })
	if took := time.Since(begun); took > prompt/2 {
		s.Errorf("Refresh took %s", took)
	}
	s.want(hold.name, err, s.lost(hold)...)
	if !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("%s: the error does not wrap context.DeadlineExceeded: %v", hold.name, err)
	}
	s.mustRefresh(token)
}

func silentRenewal(s *stage) {
	var err error
	for _, age := range []func(venuekey.Token) venuekey.Token{func(t venuekey.Token) venuekey.Token { return t }, dead} {
		token := s.mustSignIn()
		s.front.spoiled(echo, func() { _, err = s.refresh(age(token)) })
		s.known(echo.name, err)
	}
}

// lost returns the classes that an unknown outcome may have. If a renewal uses nothing
// up, it may be sent again at any time, so ClassLater is as good, and a redirect may
// count as a wrong address.
func (s *stage) lost(spoil *fault) []venuekey.Class {
	classes := []venuekey.Class{venuekey.ClassUnknown}
	harmless := s.Venue.Policy().RenewsWith != venuekey.RenewWithRefreshToken
	if spoil.notNow || harmless {
		classes = append(classes, venuekey.ClassLater)
	}
	if spoil.moved && harmless {
		classes = append(classes, venuekey.ClassMisconfigured)
	}
	return classes
}
