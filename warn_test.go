package venuekey_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

const day = 24 * time.Hour

// Warnings come before an end that no program can prevent, and only there, while
// everything else is kept fresh.
func TestWarnings(t *testing.T) {
	days := func(ending venuekey.Ending) venuekey.Policy {
		return venuekey.Policy{RenewalEnds: ending, RenewalLife: 3 * day}
	}
	usual := []time.Duration{day, 2 * day, 3*day - 2*time.Hour, 3 * day}
	for _, row := range []struct {
		name   string
		policy venuekey.Policy
		venue  answers
		warn   []time.Duration
		want   []time.Duration // after the sign-in
	}{
		{name: "it never ends", policy: venuekey.Policy{RenewalEnds: venuekey.EndNever}},
		{name: "nobody knows"},
		{name: "three days after the sign-in", policy: days(venuekey.EndAfterLogin), want: usual},
		{name: "the venue repeats the refresh token", policy: days(venuekey.EndAfterIssue), venue: answers{repeats: true}, want: usual},
		{name: "each renewal brings another", policy: days(venuekey.EndAfterIssue)},
		{name: "each renewal prolongs it", policy: days(venuekey.EndAfterUse), venue: answers{repeats: true}},
		{name: "the venue says when", venue: answers{states: 3 * day, repeats: true}, want: usual},
		{name: "as somebody wants them", policy: days(venuekey.EndAfterLogin), warn: []time.Duration{time.Hour, 30 * time.Hour}, want: []time.Duration{42 * time.Hour, 71 * time.Hour, 72 * time.Hour}},
		{name: "as the venue knows them", policy: venuekey.Policy{RenewalEnds: venuekey.EndAfterLogin, RenewalLife: 3 * day, Warn: []time.Duration{time.Hour}}, want: []time.Duration{71 * time.Hour, 72 * time.Hour}},
		{name: "nobody wants them", policy: days(venuekey.EndAfterLogin), warn: []time.Duration{}},
		{name: "not as soon as it begins", policy: venuekey.Policy{RenewalEnds: venuekey.EndAfterLogin, RenewalLife: 36 * time.Hour}, want: []time.Duration{12 * time.Hour, 18 * time.Hour, 34 * time.Hour, 36 * time.Hour}},
		{name: "nothing renews it", venue: answers{none: true}, want: []time.Duration{keepertest.Life / 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &answering{answers: row.venue}
				venue.Terms = row.policy
				keeper := keepertest.New(t, &memory.Store{}, venue)
				keeper.Warn = row.warn
				begun := time.Now()
				if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				events := keepertest.Listen(t, keeper)
				time.Sleep(time.Second) // nothing is asked for at the moment of an end
				for time.Since(begun) < 3*day+keepertest.Life {
					time.Sleep(keepertest.Life * 9 / 10)
					if _, err := keeper.Token(t.Context(), keepertest.Alice); err != nil && !row.venue.none {
						t.Fatal(err)
					}
				}
				var got []time.Duration
				for _, event := range events.Take() {
					if event.Kind == venuekey.EventWarning {
						got = append(got, event.At.Sub(begun).Round(time.Minute))
						if event.Remedy != "venuekey login stage/alice" || !strings.Contains(event.Reason, "the sign-in end") {
							t.Errorf("%q, %q", event.Reason, event.Remedy)
						}
					}
				}
				if !slices.Equal(got, row.want) {
					t.Fatalf("warned after %v, want %v", got, row.want)
				}
			})
		})
	}
}

// A sign-in that the venue ended is told of, and its last token, which is served
// while it lives, is warned of; until somebody signs in.
func TestWarningsOfADyingToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Monthly{}
		store := &memory.Store{}
		keeper := keepertest.New(t, store, venue)
		id := keepertest.Populate(t, keeper, 1)[0]
		venue.Before = fails(venuekey.ClassRefused, "revoked")
		if _, err := keeper.Refresh(t.Context(), id); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		events := keepertest.Listen(t, keeper)
		events.Want("trouble needs sign-in")
		time.Sleep(27 * day)
		events.Want()
		time.Sleep(day + time.Minute)
		if got := events.Want("warning needs sign-in")[0]; !strings.HasPrefix(got.Reason, "the sign-in ends in 48 h, at ") {
			t.Fatal(got.Reason)
		}
		// A program that starts now says it as well, once.
		late := keepertest.Listen(t, keepertest.New(t, store, venue))
		late.Want("trouble needs sign-in")
		time.Sleep(2 * day)
		for _, h := range []*keepertest.Heard{events, late} {
			h.Want("warning needs sign-in", "warning needs sign-in", "warning needs sign-in")
		}
		if _, err := keeper.SignIn(t.Context(), id, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		events.Want("recovered fresh")
	})
}

func TestAWarningEndsWithASignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &answering{}
		venue.Terms = venuekey.Policy{RenewalEnds: venuekey.EndAfterLogin, RenewalLife: 2 * day}
		store := &memory.Store{}
		keeper := keepertest.New(t, store, venue)
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		go func() { _ = keeper.Run(t.Context()) }()
		time.Sleep(34 * time.Hour)
		events := keepertest.Listen(t, keepertest.New(t, store, venue))
		events.Want("found fresh", "warning fresh")
		time.Sleep(9 * time.Hour)
		for _, event := range events.Take() {
			if event.Kind != venuekey.EventRenewed {
				t.Fatalf("told %s again", event.Kind)
			}
		}
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		events.Want("recovered fresh")
	})
}

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
