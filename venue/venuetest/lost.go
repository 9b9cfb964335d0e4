package venuetest

import (
	"time"

	"github.com/venuekey/venuekey"
)

// lost.go owns the tests of Refresh when the answer is lost, or comes from something
// other than the server.

var lostAnswers = []test{
	{"every fault has the right class, and loses no token needlessly", everyFault},
	{"every fault at a refresh token, after the access token has expired", everyFaultOfTheDead},
}

func everyFault(s *stage) {
	forgiving := s.forgives()
	var token venuekey.Token
	for _, spoil := range faults() {
		if token.Access == "" {
			token = s.mustSignIn()
		}
		token = s.suffer(spoil, token, forgiving)
	}
}

func everyFaultOfTheDead(s *stage) {
	if s.Venue.Policy().RenewsWith == venuekey.RenewWithRefreshToken {
		s.Skip("the venue presents the refresh token in any case")
	}
	if s.mustSignIn().Refresh == "" {
		s.Skip("there is no refresh token")
	}
	forgiving := s.forgives()
	var token venuekey.Token
	for _, spoil := range faults() {
		if token.Access == "" {
			token = s.mustSignIn()
		}
		token = s.suffer(spoil, dead(token), forgiving)
	}
}

// forgives reports whether the server accepts a refresh token a second time.
func (s *stage) forgives() bool {
	s.Helper()
	token := dead(s.mustSignIn())
	if token.Refresh == "" {
		return true
	}
	s.mustRefresh(token)
	_, err := s.refresh(token)
	return err == nil
}

// suffer renews a token through a fault, and again without one. It returns the token to
// continue with, empty if there is none.
func (s *stage) suffer(spoil *fault, token venuekey.Token, forgiving bool) (left venuekey.Token) {
	s.Helper()
	var renewed venuekey.Token
	var err error
	secret := s.presented(token)
	seen := s.front.spoiled(spoil, func() { renewed, err = s.refresh(token) })
	if n := carrying(seen, secret); n > 1 && !tried(seen, spoil) {
		s.Errorf("%s: the token was presented %d times", spoil.name, n)
	}
	s.stayedHere(spoil, seen)
	switch {
	case err == nil && !spoil.whole:
		s.Errorf("%s: Refresh returned no error", spoil.name)
		return venuekey.Token{}
	case err == nil:
		if !s.Alive(renewed.Access) {
			s.Errorf("%s: the server does not accept the renewed token", spoil.name)
		}
		return successor(token, renewed)
	}
	if spoil.fine {
		s.Errorf("%s: a token that arrived was not accepted: %v", spoil.name, err)
	}
	known := s.want(spoil.name, err, s.lost(spoil)...)
	if spoil.notNow && known.Class == venuekey.ClassLater && known.RetryAfter < wait*time.Second {
		s.Errorf("%s: RetryAfter is %s, but the server asked for %d s", spoil.name, known.RetryAfter, wait)
	}
	renewed, err = s.refresh(token)
	switch {
	case err == nil:
		if spoil.acts && !forgiving && secret == token.Refresh {
			s.Errorf("%s: a used-up refresh token was renewed again", spoil.name)
		}
		return successor(token, renewed)
	case !spoil.acts:
		s.Errorf("%s: the server did not act, but the next renewal fails: %v", spoil.name, err)
	default:
		s.settled(spoil.name, err)
	}
	return venuekey.Token{}
}

// settled fails the test unless a second presentation makes clear what became of the
// first.
func (s *stage) settled(after string, err error) {
	s.Helper()
	s.want("a second presentation after "+after, err, venuekey.ClassRefused)
}
