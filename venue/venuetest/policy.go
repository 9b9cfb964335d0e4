package venuetest

import (
	"github.com/venuekey/venuekey"
)

// policy.go owns whether a policy is true of the server.

var policies = []test{
	{"a renewal ends the old access token if the policy says so, and else does not", killsAccess},
	{"what was presented is forgiven as the policy says", forgiven},
	{"a sign-in more ends an earlier one only if the policy says so", sessions},
	{"the life of a token is about the policy's", defaultLife},
}

func killsAccess(s *stage) {
	token := s.mustSignIn()
	s.mustRefresh(token)
	if policy := s.Venue.Policy(); policy.KillsAccess == s.Alive(token.Access) {
		s.Errorf("KillsAccess is %t, and the old access token is alive: %t", policy.KillsAccess, s.Alive(token.Access))
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
			return // more careful than it has to be
		}
	case policy.AfterLostAnswer == venuekey.RetryFreely:
		s.Errorf("renewing is said to use nothing up, and a second presentation fails: %v", err)
	default:
		s.settled("a renewal", err)
	}
	if policy.AfterLostAnswer == venuekey.RetryUntilRefused || policy.AfterLostAnswer == venuekey.RetryFreely {
		if !s.Alive(first.Access) {
			s.Error("reuse is said to be merely refused, and it ended what was issued since")
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
		s.Errorf("%d sign-ins ended the first, and MaxSessions is %d", max(limit, 2), limit)
	}
}

func defaultLife(s *stage) {
	policy, token := s.Venue.Policy(), s.mustSignIn()
	if policy.DefaultLife <= 0 {
		s.Skip("the policy states none")
	}
	if life := token.Life(); life > 20*policy.DefaultLife || life < policy.DefaultLife/20 {
		s.Errorf("the token lives for %s, and DefaultLife is %s", life, policy.DefaultLife)
	}
}
