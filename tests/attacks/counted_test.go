package attacks_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// counted_test.go owns what somebody can do who writes beside the seals.

// scribble changes alice's record as somebody does who can write the store and
// has no key.
func scribble(t *testing.T, store venuekey.Store, key string, change func(*venuekey.Record)) {
	t.Helper()
	record, err := store.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	change(&record)
	if _, err := store.Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
}

// Another generation than the seal's does not open, and the sign-in that takes its
// place counts from what is real: one above the greatest number there is would run
// over, and be older than everything.
func TestAttackAGenerationThatNobodyCountedTo(t *testing.T) {
	for _, absurd := range []int64{math.MaxInt64, 1<<52 + 1, -1, math.MinInt64} {
		synctest.Test(t, func(t *testing.T) {
			venue := &keepertest.Venue{}
			keeper, store := keepertest.SignedIn(t, venue)
			keeper.Marks = t.TempDir()
			_, before, err := keepertest.Kept(t.Context(), keeper.Vault, keepertest.Alice)
			if err != nil {
				t.Fatal(err)
			}
			scribble(t, store, before.Key, func(r *venuekey.Record) { r.Generation = absurd })
			fresh := keepertest.New(t, store, venue)
			fresh.Marks = keeper.Marks
			if _, err := fresh.Token(t.Context(), keepertest.Alice); venuekey.ClassOf(err) != venuekey.ClassDamaged {
				t.Errorf("generation %d opens: %v", absurd, err)
			}
			if _, err := fresh.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
				t.Fatal(err)
			}
			_, after, err := keepertest.Kept(t.Context(), fresh.Vault, keepertest.Alice)
			if err != nil || after.Generation <= before.Generation || after.Generation > 1<<52 {
				t.Errorf("after generation %d, which was made %d: %d, %v", before.Generation, absurd, after.Generation, err)
			}
			if _, err := fresh.Refresh(t.Context(), keepertest.Alice); err != nil {
				t.Error(err)
			}
			keepertest.WantState(t, fresh, venuekey.StateFresh, "")
		})
	}
}

// A forged mark makes no real record look old.
func TestAMarkThatNobodyCountedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		keeper.Marks = t.TempDir()
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(keeper.Marks, "*"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(string(text))
		words[2] = "9223372036854775807"
		if err := os.WriteFile(files[0], []byte(strings.Join(words, " ")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		keepertest.WantToken(t, keeper, "access-3")
	})
}

// What stands beside the seal is absurd: the sign-in is renewed all the same, by
// Run and by who asks, and the status says that somebody else writes there.
func TestAttackAbsurdValuesBesideTheSeal(t *testing.T) {
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		change func(*venuekey.Record)
		says   string
	}{
		"a lease for ever":             {func(r *venuekey.Record) { r.LeaseOwner, r.LeaseUntil = "x", far }, "leased until 9999"},
		"a lease and an intent":        {func(r *venuekey.Record) { r.LeaseOwner, r.LeaseUntil, r.IntentAt = "x", far, r.ReadAt }, "leased until 9999"},
		"due in the year 9999":         {func(r *venuekey.Record) { r.NextRefresh = far }, "due on 9999"},
		"an intent of the future":      {func(r *venuekey.Record) { r.IntentAt, r.Attempt = far, 1 }, "in the future"},
		"more attempts than there are": {func(r *venuekey.Record) { r.Attempt = math.MaxInt }, "was presented"},
		"fewer attempts than none":     {func(r *venuekey.Record) { r.Attempt = math.MinInt }, "was presented"},
		"failures without end":         {func(r *venuekey.Record) { r.Failures = math.MaxInt }, "failed"},
		"fewer failures than none":     {func(r *venuekey.Record) { r.Failures = math.MinInt }, "failed"},
		"a condition of its own":       {func(r *venuekey.Record) { r.Condition = "hopeless" }, "its condition is unknown"},
	} {
		for _, how := range []string{"asked", "run"} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused}}
					_, store := keepertest.SignedIn(t, venue)
					scribble(t, store, "token/stage/alice", test.change)
					keeper := keepertest.New(t, store, venue)
					status, err := keeper.Status(t.Context(), keepertest.Alice)
					if err != nil || !strings.Contains(status.Odd, test.says) || !strings.HasPrefix(status.Reason, status.Odd) {
						t.Errorf("status: odd %q, reason %q, %v, want one that says %q", status.Odd, status.Reason, err, test.says)
					}
					if status.State == venuekey.StateRefreshing {
						t.Error("somebody is said to renew it")
					}
					if how == "run" {
						ctx, end := context.WithTimeout(t.Context(), 2*keepertest.Life+time.Minute)
						defer end()
						_ = keeper.Run(ctx)
					} else {
						time.Sleep(keepertest.Life + time.Minute)
						if _, err := keeper.Token(t.Context(), keepertest.Alice); err != nil {
							t.Fatalf("token: %v", err)
						}
					}
					if _, total := venue.Shown(); total == 0 {
						t.Error("it is not renewed")
					}
					if status, err = keeper.Status(t.Context(), keepertest.Alice); err != nil || status.Odd != "" || status.State != venuekey.StateFresh && how == "asked" {
						t.Errorf("after it: %s, odd %q, %v", status.State, status.Odd, err)
					}
				})
			})
		}
	}
}

// A forged budget does not delay every renewal of an app.
func TestAttackABudgetForEver(t *testing.T) {
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		time.Sleep(keepertest.Life + time.Minute)
		keepertest.WantToken(t, keeper, "access-2")
		budgets, err := store.List(t.Context(), "budget/", "", 10)
		if err != nil || len(budgets) != 1 {
			t.Fatal(len(budgets), err)
		}
		scribble(t, store, budgets[0].Key, func(r *venuekey.Record) { r.IntentAt, r.LeaseUntil, r.NextRefresh = far, far, far })
		keeper = keepertest.New(t, store, venue)
		if status, err := keeper.Status(t.Context(), keepertest.Alice); err != nil || !status.LeftAloneUntil.IsZero() {
			t.Errorf("left alone until %s, %v", status.LeftAloneUntil, err)
		}
		time.Sleep(keepertest.Life + time.Minute)
		keepertest.WantToken(t, keeper, "access-3")
	})
}
