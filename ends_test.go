package venuekey_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// answers is how a venue answers, for a row of the table.
type answers struct {
	states  time.Duration // the refresh token's life, where the venue states it at a sign-in
	again   time.Duration // the same, at a renewal
	repeats bool          // a renewal brings the refresh token that was presented
	none    bool          // there is no refresh token
}

type answering struct {
	keepertest.Venue
	answers
}

func (v *answering) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.Venue.Login(ctx, app, ui)
	if v.states > 0 {
		token.RefreshExpires = token.Issued.Add(v.states)
	}
	if v.none {
		token.Refresh = ""
	}
	return token, err
}

func (v *answering) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	now := time.Now()
	got := venuekey.Token{Access: token.Access + "+", Refresh: token.Refresh + "+", Issued: now, Expires: now.Add(keepertest.Life)}
	if v.again > 0 {
		got.RefreshExpires = now.Add(v.again)
	}
	switch {
	case v.repeats && v.again > 0:
		got.Refresh = token.Refresh
	case v.repeats: // to leave it out says the same
		got.Refresh = ""
	}
	return got, nil
}

// When a sign-in ends although nothing fails: right after it, and three
// renewals later.
func TestTheEndOfASignIn(t *testing.T) {
	policy := func(ending venuekey.Ending) venuekey.Policy {
		return venuekey.Policy{RenewalEnds: ending, RenewalLife: 7 * day}
	}
	access := venuekey.Policy{RenewsWith: venuekey.RenewWithAccessToken}
	for _, row := range []struct {
		name   string
		policy venuekey.Policy
		venue  answers
		ending venuekey.Ending
		// ends is counted from the sign-in, moves how much later it is after each
		// renewal, and final whether a program cannot prevent it by then.
		ends, moves   time.Duration
		final, atOnce bool
	}{
		{name: "nobody knows", ending: venuekey.EndUnknown},
		{name: "never", policy: venuekey.Policy{RenewalEnds: venuekey.EndNever}, ending: venuekey.EndNever},
		{name: "after the sign-in", policy: policy(venuekey.EndAfterLogin), ending: venuekey.EndAfterLogin, ends: 7 * day, final: true, atOnce: true},
		{name: "after the sign-in, and the venue says less", policy: policy(venuekey.EndAfterLogin), venue: answers{states: day, repeats: true}, ending: venuekey.EndAfterLogin, ends: day, final: true, atOnce: true},
		{name: "after the last renewal", policy: policy(venuekey.EndAfterUse), venue: answers{repeats: true}, ending: venuekey.EndAfterUse, ends: 7 * day, moves: keepertest.Life},
		{name: "after it was issued, and each renewal issues one", policy: policy(venuekey.EndAfterIssue), ending: venuekey.EndAfterIssue, ends: 7 * day, moves: keepertest.Life},
		{name: "after it was issued, which renewals repeat", policy: policy(venuekey.EndAfterIssue), venue: answers{repeats: true}, ending: venuekey.EndAfterIssue, ends: 7 * day, final: true},
		{name: "the venue says when, and issues another", venue: answers{states: 3 * day, again: 3 * day}, ending: venuekey.EndAfterIssue, ends: 3 * day, moves: keepertest.Life},
		{name: "the venue says when, and repeats it", venue: answers{states: 3 * day, repeats: true}, ending: venuekey.EndAfterIssue, ends: 3 * day, final: true},
		{name: "the venue repeats it and lets it live longer", venue: answers{states: 3 * day, again: 3 * day, repeats: true}, ending: venuekey.EndAfterIssue, ends: 3 * day, moves: keepertest.Life},
		{name: "access tokens renew", policy: access, ending: venuekey.EndAfterUse, ends: keepertest.Life, moves: keepertest.Life},
		{name: "nothing renews it", policy: policy(venuekey.EndNever), venue: answers{none: true}, ending: venuekey.EndAfterLogin, ends: keepertest.Life, final: true, atOnce: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &answering{answers: row.venue}
				venue.Terms = row.policy
				keeper := keepertest.New(t, &memory.Store{}, venue)
				begun := time.Now()
				if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				want := func(ends time.Duration, final bool) {
					t.Helper()
					status, err := keeper.Status(t.Context(), keepertest.Alice)
					if err != nil {
						t.Fatal(err)
					}
					at := begun.Add(ends)
					if ends == 0 {
						at = time.Time{}
					}
					if status.Ending != row.ending || !status.SignInEnds.Equal(at) || status.EndsAnyway != final {
						t.Fatalf("%s, %s, anyway %v; want %s, %s, %v", status.Ending, status.SignInEnds, status.EndsAnyway, row.ending, at, final)
					}
				}
				want(row.ends, row.atOnce)
				if venue.none {
					return
				}
				for i := range time.Duration(3) {
					time.Sleep(keepertest.Life)
					if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
						t.Fatal(err)
					}
					want(row.ends+(i+1)*row.moves, row.final)
				}
			})
		})
	}
}
