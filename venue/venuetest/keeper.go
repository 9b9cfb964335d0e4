package venuetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// keeper.go owns the tests of a venue in the hands of a Keeper.

var kept = []test{
	{"a sign-in is kept fresh until it is revoked", keptFresh},
	{"a fault at a renewal costs no more than the policy says", keptThroughFaults},
	{"a sign-out revokes what can be revoked", signedOut},
}

func (s *stage) keeper() (*venuekey.Keeper, venuekey.ID) {
	keeper := &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: &memory.Store{}},
		Venues: []venuekey.Venue{s.Venue},
		Apps:   func(context.Context, string) (venuekey.App, error) { return s.App, nil },
		Log:    slog.New(slog.NewTextHandler(logged{s}, nil)),
	}
	return keeper, venuekey.ID{Venue: s.Venue.Name(), Name: "alice"}
}

// logged receives the Keeper's log line by line, and looks for secrets in it.
type logged struct{ *stage }

func (l logged) Write(line []byte) (int, error) {
	l.silent("the log", string(line))
	return len(line), nil
}

func (s *stage) mustKeep(keeper *venuekey.Keeper, id venuekey.ID) *venuekey.Token {
	s.Helper()
	u := s.user(nil)
	token, err := keeper.SignInWith(s.Context(), id, u, venuekey.SignInOptions{EndOldest: true})
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
		s.Error("the status names no user")
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
			s.Errorf("%s: the current token was not served meanwhile: %v", spoil.name, err)
		}
	}
	// Another program, since this one has just seen that the server does not answer.
	keeper = &venuekey.Keeper{Vault: keeper.Vault, Venues: keeper.Venues, Apps: keeper.Apps, Log: keeper.Log}
	if _, err = keeper.Refresh(s.Context(), id); err != nil {
		s.Fatalf("the server is back: %v", err)
	}
	s.TakeBack()
	if _, err := keeper.Refresh(s.Context(), id); !s.byKey() && !venuekey.NeedsSignIn(err) && !venuekey.Temporary(err) {
		s.Errorf("revoked: %v", err)
	}
	again := s.mustKeep(keeper, id)
	if got, err := keeper.Token(s.Context(), id); err != nil || got.Access != again.Access {
		s.Errorf("signed in again: %v", err)
	}
}

// allowed is how often two renewals may present one token.
func allowed(policy venuekey.Policy) int {
	if policy.AfterLostAnswer == venuekey.RetryNever {
		return 1
	}
	return 2
}

func keptThroughFaults(s *stage) {
	keeper, _ := s.keeper()
	policy, forgiving := s.Venue.Policy(), s.forgives()
	for i, spoil := range faults() {
		id := venuekey.ID{Venue: s.Venue.Name(), Name: fmt.Sprintf("alice-%d", i)}
		s.mustKeep(keeper, id)
		var first, second error
		seen := s.front.spoiled(spoil, func() { _, first = keeper.Refresh(s.Context(), id) })
		seen = append(seen, s.front.watched(func() { _, second = keeper.Refresh(s.Context(), id) })...)
		_, access := keeper.Token(s.Context(), id)
		switch {
		case first != nil && spoil.fine, first == nil && !spoil.whole:
			s.Errorf("%s: %v", spoil.name, first)
		case first != nil:
			s.silent(spoil.name, first.Error())
		}
		used := spoil.acts && first != nil && policy.RenewsWith == venuekey.RenewWithRefreshToken && !forgiving
		if policy.RenewsWith == venuekey.RenewWithRefreshToken && policy.AfterLostAnswer == venuekey.RetryNever {
			used = first != nil && !spoil.notNow // as far as the Keeper dares to find out
		}
		if used != venuekey.NeedsSignIn(second) || !used && second != nil {
			s.Errorf("%s: the next renewal: %v", spoil.name, second)
		}
		if access != nil {
			s.Errorf("%s: a token that has not expired is not served: %v", spoil.name, access)
		}
		most := allowed(policy)
		if spoil.notNow {
			most = 2 // the first one was not taken
		}
		s.presentedAtMost(most, spoil, seen)
	}
}

// presentedAtMost fails the test if any refresh token was presented more often.
func (s *stage) presentedAtMost(most int, spoil *fault, seen []sight) {
	s.Helper()
	times := map[string]int{}
	for _, request := range seen {
		if refresh := request.parameter("refresh_token"); refresh != "" {
			if times[refresh]++; times[refresh] > most && !spoil.missing {
				s.Errorf("%s: a refresh token was presented %d times", spoil.name, times[refresh])
			}
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
			s.Errorf("a venue that cannot revoke: %v", err)
		}
		if err := keeper.SignOut(s.Context(), id, false); err != nil {
			s.Error(err)
		}
	}
	if _, err := keeper.Token(s.Context(), id); !venuekey.NeedsSignIn(err) {
		s.Errorf("after the sign-out: %v", err)
	}
}
