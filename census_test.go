package venuekey_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// census_test.go owns what is asked of a vault as a whole, copies of it, and what
// helps a sign-in.

// twoSignIns is a vault with an app and two sign-ins, beside what is none.
func twoSignIns(t *testing.T) *venuekey.Keeper {
	t.Helper()
	vault := &venuekey.Vault{Store: new(memory.Store), Key: venuekey.SealKey{1}}
	if err := vault.SaveApp(t.Context(), venuekey.App{Venue: "acme", ClientID: "x"}); err != nil {
		t.Fatal(err)
	}
	keeper := &venuekey.Keeper{Vault: vault, Venues: []venuekey.Venue{idleVenue{}}}
	for _, name := range []string{"alice", "bob"} {
		token := venuekey.Token{Access: "access-" + venuekey.Secret(name), Refresh: "refresh-" + venuekey.Secret(name), Issued: time.Now(), Expires: time.Now().Add(time.Hour)}
		if _, err := keeper.Adopt(t.Context(), venuekey.ID{Venue: "acme", Name: name}, token); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := vault.Store.Put(t.Context(), venuekey.Record{Key: "budget/acme"}); err != nil {
		t.Fatal(err)
	}
	return keeper
}

func TestAVaultIsCountedAsAWhole(t *testing.T) {
	keeper := twoSignIns(t)
	ctx, vault := t.Context(), keeper.Vault
	if _, err := vault.Store.Put(ctx, venuekey.Record{Key: "token/no sign-in", Sealed: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	var names []string
	damaged := 0
	for id, err := range vault.IDs(ctx) {
		if venuekey.ClassOf(err) == venuekey.ClassDamaged && errors.Is(err, venuekey.ErrNoSignIn) {
			damaged++
			continue
		}
		names = append(names, id.String())
	}
	if !slices.Equal(names, []string{"acme/alice", "acme/bob"}) || damaged != 1 {
		t.Errorf("%v and %d that are none", names, damaged)
	}
	found, err := vault.Check(ctx)
	if err != nil || found.SignIns != 3 || found.Apps != 1 || !slices.Equal(found.Damaged, []string{"token/no sign-in"}) {
		t.Errorf("%+v, %v", found, err)
	}
	folder := t.TempDir()
	for _, name := range []string{vault.Key.ID() + "-1.spill", "0011223344556677-2.spill", ".reserve-x"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keeper.Spills = []string{folder, filepath.Join(folder, "none")}
	counts, err := keeper.Census(ctx)
	want := map[string]venuekey.Sealed{vault.Key.ID(): {Records: 3, Spills: 1}, "0011223344556677": {Spills: 1}}
	if err != nil || len(counts) != len(want) || counts[vault.Key.ID()] != want[vault.Key.ID()] || counts["0011223344556677"].Spills != 1 {
		t.Errorf("%v, %v; want %v", counts, err, want)
	}
	if err := vault.Writable(ctx); err != nil {
		t.Error(err)
	}
}

func TestACopyGoesOnWhereItWasInterrupted(t *testing.T) {
	keeper := twoSignIns(t)
	to := new(memory.Store)
	calls := 0
	done, err := keeper.Vault.Copy(t.Context(), to, func(venuekey.Copied) { calls++ })
	if err != nil || done != (venuekey.Copied{Total: 3, Copied: 3}) || calls != 3 {
		t.Fatalf("%+v, %v, %d calls", done, err, calls)
	}
	if _, err := to.Get(t.Context(), "budget/acme"); !errors.Is(err, venuekey.ErrNotFound) {
		t.Errorf("a budget was copied: %v", err)
	}
	there := &venuekey.Keeper{Vault: &venuekey.Vault{Store: to, Key: venuekey.SealKey{1}}, Venues: keeper.Venues}
	alice := venuekey.ID{Venue: "acme", Name: "alice"}
	if _, err := there.Adopt(t.Context(), alice, venuekey.Token{Access: "newer", Refresh: "newer", Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	done, err = keeper.Vault.Copy(t.Context(), to, nil)
	if err != nil || done != (venuekey.Copied{Total: 3, Same: 2, Newer: 1}) {
		t.Fatalf("%+v, %v", done, err)
	}
	if token, err := there.Token(t.Context(), alice); err != nil || token.Access != "newer" {
		t.Errorf("the newer token gave way: %v", err)
	}
	record, err := keeper.Vault.Store.Get(t.Context(), "token/acme/alice")
	record.LeaseOwner, record.LeaseUntil = "somebody", record.ReadAt.Add(time.Minute)
	if err == nil {
		_, err = keeper.Vault.Store.Put(t.Context(), record)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keeper.Vault.Copy(t.Context(), new(memory.Store), nil); venuekey.ClassOf(err) != venuekey.ClassLater {
		t.Errorf("a token that is being renewed is copied: %v", err)
	}
}

func TestASnapshotIsRestored(t *testing.T) {
	from := twoSignIns(t)
	to := &venuekey.Keeper{Vault: &venuekey.Vault{Store: new(memory.Store), Key: venuekey.SealKey{2}}, Venues: from.Venues}
	restored := func(replace bool, want venuekey.Restored) {
		t.Helper()
		for s, err := range from.Snapshots(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got, err := to.Restore(t.Context(), s, replace)
			if err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", s.ID, got, err, want)
			}
		}
	}
	restored(false, venuekey.Restored{Changed: true})
	restored(false, venuekey.Restored{There: true})
	restored(true, venuekey.Restored{There: true, Changed: true})
	s := venuekey.Snapshot{ID: venuekey.ID{Venue: "acme", Name: "bob"}, Token: venuekey.Token{Access: "a b"}}
	if _, err := to.Restore(t.Context(), s, true); !venuekey.Misconfigured(err) || !venuekey.Misconfigured(s.Check()) {
		t.Errorf("a token that is none is restored: %v", err)
	}
	s.Token = venuekey.Token{Access: "older", Issued: time.Now().Add(-time.Hour), Expires: time.Now()}
	if got, err := to.Restore(t.Context(), s, true); err != nil || !got.Newer {
		t.Errorf("%+v, %v: the newer token gave way silently", got, err)
	}
}

func TestWhatHelpsASignIn(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for _, row := range []struct {
		what   string
		status venuekey.Status
		want   venuekey.Remedy
		ends   bool
	}{
		{"fresh", venuekey.Status{State: venuekey.StateFresh, Left: 1}, "", false},
		{"unreadable", venuekey.Status{State: venuekey.StateNeedsSignIn, Err: errors.New("x")}, venuekey.RemedyExamine, false},
		{"behind", venuekey.Status{State: venuekey.StateNeedsSignIn, Behind: true}, venuekey.RemedyNewestCopy, false},
		{"dead", venuekey.Status{State: venuekey.StateNeedsSignIn, Left: 1}, venuekey.RemedySignIn, false},
		{"being renewed", venuekey.Status{State: venuekey.StateRefreshing}, "", false},
		{"expired", venuekey.Status{State: venuekey.StateExpired}, venuekey.RemedyRefresh, false},
		{"spilled", venuekey.Status{State: venuekey.StateFresh, Left: 1, Spilled: true}, venuekey.RemedyExamine, false},
		{"degraded", venuekey.Status{State: venuekey.StateDegraded, Left: 1}, venuekey.RemedyRefresh, false},
		{"uncertain, with a chance", venuekey.Status{State: venuekey.StateUncertain, Left: 1, NextRefresh: later}, "", false},
		{"uncertain, for ever", venuekey.Status{State: venuekey.StateUncertain, Left: 1}, venuekey.RemedySignInSoon, true},
		{"ending", venuekey.Status{State: venuekey.StateFresh, Left: 1, EndsAnyway: true, SignInEnds: later}, "", true},
		{"ending if not renewed", venuekey.Status{State: venuekey.StateFresh, Left: 1, SignInEnds: later}, "", false},
	} {
		if got, ends := row.status.Remedy(), row.status.EndsWithin(2*time.Hour); got != row.want || ends != row.ends {
			t.Errorf("%s: %q, ends %v; want %q, %v", row.what, got, ends, row.want, row.ends)
		}
	}
}

func TestAnAccessTokenEndsWithItsRefreshToken(t *testing.T) {
	kills := venuekey.Policy{KillsAccess: true}
	dead := venuekey.Status{State: venuekey.StateNeedsSignIn, Left: time.Hour}
	if !dead.AccessEnded(kills) || dead.AccessEnded(venuekey.Policy{}) || (venuekey.Status{State: venuekey.StateFresh, Left: time.Hour}).AccessEnded(kills) {
		t.Error("it ends where a renewal ends the old one, and nowhere else")
	}
}

func TestRivalsAreNamedWhereAVenueKeepsFewSessions(t *testing.T) {
	keeper := twoSignIns(t)
	alice := venuekey.ID{Venue: "acme", Name: "alice"}
	if others, err := keeper.Rivals(t.Context(), alice); err != nil || others != nil {
		t.Errorf("%v, %v", others, err)
	}
	keeper.Venues = []venuekey.Venue{idleVenue{policy: venuekey.Policy{MaxSessions: 2}}}
	others, err := keeper.Rivals(t.Context(), alice)
	if want := []venuekey.ID{{Venue: "acme", Name: "bob"}}; err != nil || !slices.Equal(others, want) {
		t.Errorf("%v, %v; want %v", others, err, want)
	}
}

// idleVenue is never asked.
type idleVenue struct {
	venuekey.Venue
	policy venuekey.Policy
}

func (idleVenue) Name() string              { return "acme" }
func (v idleVenue) Policy() venuekey.Policy { return v.policy }
