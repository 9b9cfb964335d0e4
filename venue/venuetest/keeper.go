package venuetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// keeper.go owns what becomes of a venue in the hands of a Keeper.

var kept = []test{
	{"a sign-in is kept fresh until it is taken back", keptFresh},
	{"a fault at a renewal costs no more than the policy says", keptThroughFaults},
	{"a sign-out ends what can be ended", signedOut},
}

func (s *stage) keeper() (*venuekey.Keeper, venuekey.ID) {
	keeper := &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: &memory.Store{}},
		Venues: []venuekey.Venue{s.Venue},
		Apps:   func(context.Context, string) (venuekey.App, error) { return s.App, nil },
	}
	return keeper, venuekey.ID{Venue: s.Venue.Name(), Name: "alice"}
}

func (s *stage) mustKeep(keeper *venuekey.Keeper, id venuekey.ID) *venuekey.Token {
	s.Helper()
	u := s.user(nil)
	token, err := keeper.SignIn(s.Context(), id, u)
	if err != nil {
		s.Fatalf("sign-in: %v", err)
	}
	if err := u.leave(); err != nil {
		s.Fatalf("the user's browser: %v", err)
	}
	s.keepToken(*token)
	return token
}

func keptFresh(s *stage) {
	keeper, id := s.keeper()
	token := s.mustKeep(keeper, id)
	status, err := keeper.Status(s.Context(), id)
	if err != nil || status.State != venuekey.StateFresh || status.NextRefresh.IsZero() {
		s.Fatalf("%+v %v", status, err)
	}
	if _, ok := s.Venue.(venuekey.Identifier); ok && status.User == "" {
		s.Error("nobody knows whose sign-in it is")
	}
	renewed, err := keeper.Refresh(s.Context(), id)
	if err != nil || renewed.Access == token.Access || !s.Alive(renewed.Access) {
		s.Fatalf("renewed: %v", err)
	}
	s.keepToken(*renewed)
	for _, spoil := range faults() {
		if !spoil.notNow {
			continue
		}
		s.front.spoiled(spoil, func() { _, err = keeper.Refresh(s.Context(), id) })
		if !venuekey.Temporary(err) {
			s.Errorf("%s: %v", spoil.name, err)
		}
		if got, err := keeper.Token(s.Context(), id); err != nil || got.Access != renewed.Access {
			s.Errorf("%s: the old token was not served meanwhile: %v", spoil.name, err)
		}
	}
	if renewed, err = keeper.Refresh(s.Context(), id); err != nil {
		s.Fatalf("the server is back: %v", err)
	}
	s.TakeBack()
	if _, err := keeper.Refresh(s.Context(), id); !venuekey.NeedsSignIn(err) && !venuekey.Temporary(err) {
		s.Errorf("taken back: %v", err)
	}
	again := s.mustKeep(keeper, id)
	if got, err := keeper.Token(s.Context(), id); err != nil || got.Access != again.Access {
		s.Errorf("signed in again: %v", err)
	}
}

// allowed is how often the policy lets one token be presented, 0 if without end.
func allowed(policy venuekey.Policy) int {
	switch policy.AfterLostAnswer {
	case venuekey.RetryNever:
		return 1
	case venuekey.RetryOnce:
		return 2
	}
	return 0
}

func keptThroughFaults(s *stage) {
	keeper, _ := s.keeper()
	policy := s.Venue.Policy()
	for i, spoil := range faults() {
		id := venuekey.ID{Venue: s.Venue.Name(), Name: fmt.Sprintf("alice-%d", i)}
		token := s.mustKeep(keeper, id)
		var first, second error
		seen := s.front.spoiled(spoil, func() { _, first = keeper.Refresh(s.Context(), id) })
		seen = append(seen, s.front.watched(func() { _, second = keeper.Refresh(s.Context(), id) })...)
		_, access := keeper.Token(s.Context(), id)
		if first != nil {
			s.silent(spoil.name, first.Error())
		} else if !spoil.whole {
			s.Errorf("%s: went unnoticed", spoil.name)
		}
		used := spoil.acts && !spoil.whole && policy.RenewsWith == venuekey.RenewWithRefreshToken
		if second != nil && (!used || !venuekey.NeedsSignIn(second)) {
			s.Errorf("%s: the next renewal: %v", spoil.name, second)
		}
		if access != nil && !venuekey.NeedsSignIn(second) {
			s.Errorf("%s: a token that still lives by its own word is not served: %v", spoil.name, access)
		}
		most := allowed(policy)
		if n := carrying(seen, token.Access); policy.RenewsWith == venuekey.RenewWithAccessToken && most > 0 && n > most+1 {
			s.Errorf("%s: the access token was presented %d times", spoil.name, n)
		}
	}
}

func signedOut(s *stage) {
	keeper, id := s.keeper()
	token := s.mustKeep(keeper, id)
	err := keeper.SignOut(s.Context(), id, true)
	if _, ok := s.Venue.(venuekey.Revoker); ok {
		if err != nil && !errors.Is(err, venuekey.ErrAccessLives) || err == nil && s.Alive(token.Access) {
			s.Errorf("revoked: %v", err)
		}
	} else {
		if !errors.Is(err, errors.ErrUnsupported) {
			s.Errorf("a venue that revokes nothing: %v", err)
		}
		if err := keeper.SignOut(s.Context(), id, false); err != nil {
			s.Error(err)
		}
	}
	if _, err := keeper.Token(s.Context(), id); !venuekey.NeedsSignIn(err) {
		s.Errorf("after the sign-out: %v", err)
	}
}
