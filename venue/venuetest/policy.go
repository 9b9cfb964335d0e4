package venuetest

import (
	"github.com/venuekey/venuekey"
)

// policy.go owns the tests that a policy describes the server.

var policies = []test{
	{"a renewal revokes the old access token exactly if the policy says so", killsAccess},
	{"a second presentation has the effect that the policy says", forgiven},
	{"another sign-in ends an earlier one only if the policy says so", sessions},
	{"the lifetime of a token is near the policy's", defaultLife},
}

func killsAccess(s *stage) {
	token := s.mustSignIn()
	s.mustRefresh(token)
	if policy := s.Venue.Policy(); policy.KillsAccess == s.Alive(token.Access) {
		s.Errorf("KillsAccess is %t, but the old access token is valid: %t", policy.KillsAccess, s.Alive(token.Access))
	}
}

func forgiven(s *stage) {
	token := s.mustSignIn()
	policy := s.Venue.Policy()
	first := s.mustRefresh(token)
	if first.Refresh == token.Refresh && token.Refresh != "" {
		return // nothing is used up
	}
	if policy.RenewsWith == venuekey.RenewWithAccessToken && token.Refresh == "" {
		return
	}
	_, err := s.refresh(dead(token))
	switch {
	case err == nil:
		if policy.AfterLostAnswer == venuekey.RetryNever {
			return // more careful than necessary
		}
	case policy.AfterLostAnswer == venuekey.RetryFreely:
		s.Errorf("the policy is RetryFreely, but a second presentation fails: %v", err)
	default:
		s.settled("a renewal", err)
	}
	if policy.AfterLostAnswer == venuekey.RetryUntilRefused || policy.AfterLostAnswer == venuekey.RetryFreely {
		if !s.Alive(first.Access) {
			s.Error("the policy says that reuse is harmless, but it revoked newer tokens")
		}
	}
}

func sessions(s *stage) {
	limit := s.Venue.Policy().MaxSessions
	first := s.mustSignIn()
	for range max(limit, 2) - 1 {
		s.mustSignIn()
	}
	if limit != 1 && !s.Alive(first.Access) {
		s.Errorf("%d sign-ins ended the first one, but MaxSessions is %d", max(limit, 2), limit)
	}
}

func defaultLife(s *stage) {
	policy, token := s.Venue.Policy(), s.mustSignIn()
	if policy.DefaultLife <= 0 {
		s.Skip("the policy states no DefaultLife")
	}
	if life := token.Life(); life > 20*policy.DefaultLife || life < policy.DefaultLife/20 {
		s.Errorf("the token lives for %s, but DefaultLife is %s", life, policy.DefaultLife)
	}
}
