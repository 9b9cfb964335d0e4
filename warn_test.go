package venuekey_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
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
		{name: "nobody wants them", policy: days(venuekey.EndAfterLogin), warn: []time.Duration{}},
		{name: "not as soon as it begins", policy: venuekey.Policy{RenewalEnds: venuekey.EndAfterLogin, RenewalLife: 36 * time.Hour}, want: []time.Duration{12 * time.Hour, 18 * time.Hour, 34 * time.Hour, 36 * time.Hour}},
		{name: "nothing renews it", venue: answers{none: true}, want: []time.Duration{life / 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &answering{answers: row.venue}
				venue.policy = row.policy
				keeper := newKeeper(t, &memory.Store{}, venue)
				keeper.Warn = row.warn
				begun := time.Now()
				if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
					t.Fatal(err)
				}
				events := listen(t, keeper)
				time.Sleep(time.Second) // nothing is asked for at the moment of an end
				for time.Since(begun) < 3*day+life {
					time.Sleep(life * 9 / 10)
					if _, err := keeper.Token(t.Context(), alice); err != nil && !row.venue.none {
						t.Fatal(err)
					}
				}
				var got []time.Duration
				for _, event := range events.take() {
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
		venue := &monthly{}
		store := &memory.Store{}
		keeper := newKeeper(t, store, venue)
		id := populate(t, keeper, 1)[0]
		venue.before = fails(venuekey.ClassRefused, "revoked")
		if _, err := keeper.Refresh(t.Context(), id); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		events := listen(t, keeper)
		events.want("trouble needs sign-in")
		time.Sleep(27 * day)
		events.want()
		time.Sleep(day + time.Minute)
		if got := events.want("warning needs sign-in")[0]; !strings.HasPrefix(got.Reason, "the sign-in ends in 48 h, at ") {
			t.Fatal(got.Reason)
		}
		// A program that starts now says it as well, once.
		late := listen(t, newKeeper(t, store, venue))
		late.want("trouble needs sign-in")
		time.Sleep(2 * day)
		for _, h := range []*heard{events, late} {
			h.want("warning needs sign-in", "warning needs sign-in", "warning needs sign-in")
		}
		if _, err := keeper.SignIn(t.Context(), id, silent{}); err != nil {
			t.Fatal(err)
		}
		events.want("recovered fresh")
	})
}

func TestAWarningEndsWithASignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &answering{}
		venue.policy = venuekey.Policy{RenewalEnds: venuekey.EndAfterLogin, RenewalLife: 2 * day}
		store := &memory.Store{}
		keeper := newKeeper(t, store, venue)
		if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
			t.Fatal(err)
		}
		go func() { _ = keeper.Run(t.Context()) }()
		time.Sleep(34 * time.Hour)
		events := listen(t, newKeeper(t, store, venue))
		events.want("found fresh", "warning fresh")
		time.Sleep(9 * time.Hour)
		for _, event := range events.take() {
			if event.Kind != venuekey.EventRenewed {
				t.Fatalf("told %s again", event.Kind)
			}
		}
		if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
			t.Fatal(err)
		}
		events.want("recovered fresh")
	})
}
