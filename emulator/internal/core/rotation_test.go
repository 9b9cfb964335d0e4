package core

import (
	"errors"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// step is one request in the life of a family. Tokens go by the order in which
// they were issued: 1 is the first pair.
type step struct {
	at      time.Duration // since the sign-in
	refresh int           // present the refresh token of this pair …
	use     int           // … or the access token of this one
	want    error
	gives   int // the refresh answer is this pair; 0: a new one
}

func TestRotation(t *testing.T) {
	t.Parallel()
	minute := time.Minute
	for _, tc := range []struct {
		name  string
		p     Policy
		steps []step
	}{
		{"strict", Policy{}, []step{
			{refresh: 1}, {refresh: 1, want: ErrUsedToken}, {refresh: 2}, {use: 3}, {use: 1},
		}},
		{"strict and the old access token dies", Policy{KillOldAccess: true}, []step{
			{use: 1}, {refresh: 1}, {use: 1, want: ErrRevokedToken}, {use: 2},
		}},
		{"family revoke", Policy{Rotation: emulator.RotationStrictFamilyRevoke}, []step{
			{refresh: 1}, {refresh: 1, want: ErrUsedToken}, {refresh: 2, want: ErrRevokedToken}, {use: 2, want: ErrRevokedToken},
		}},
		{"grace, new pair", Policy{Rotation: emulator.RotationGraceNewPair, Grace: minute}, []step{
			{refresh: 1}, {at: minute, refresh: 1}, {at: minute, refresh: 2}, {at: minute, refresh: 3},
			{at: minute + 1, refresh: 1, want: ErrUsedToken},
		}},
		{"grace, same pair", Policy{Rotation: emulator.RotationGraceSamePair, Grace: minute}, []step{
			{refresh: 1}, {at: minute, refresh: 1, gives: 2}, {at: minute + 1, refresh: 1, want: ErrUsedToken},
		}},
		{"grace, same pair, but that one moved on", Policy{Rotation: emulator.RotationGraceSamePair, Grace: minute}, []step{
			{refresh: 1}, {refresh: 2}, {refresh: 1, want: ErrUsedToken}, {refresh: 2, gives: 3},
		}},
		{"default grace", Policy{Rotation: emulator.RotationGraceNewPair}, []step{
			{refresh: 1}, {at: emulator.DefaultGrace, refresh: 1}, {at: emulator.DefaultGrace + 1, refresh: 1, want: ErrUsedToken},
		}},
		{"previous until the successor is refreshed", Policy{Rotation: emulator.RotationPreviousUntilSuccessorUsed}, []step{
			{refresh: 1}, {refresh: 1}, {refresh: 3}, {refresh: 1, want: ErrUsedToken}, {refresh: 4},
		}},
		{"previous until the successor is used", Policy{Rotation: emulator.RotationPreviousUntilSuccessorUsed}, []step{
			{refresh: 1}, {use: 2}, {refresh: 1, want: ErrUsedToken}, {refresh: 2},
		}},
		{"old stays", Policy{Rotation: emulator.RotationOldStays, RefreshLife: time.Hour}, []step{
			{refresh: 1}, {refresh: 1}, {at: time.Hour - 1, refresh: 2}, {at: time.Hour, refresh: 1, want: ErrExpiredToken},
			{at: time.Hour, refresh: 4},
		}},
		{"no new refresh token", Policy{Rotation: emulator.RotationNoNewRefresh}, []step{{refresh: 1}, {refresh: 1}, {use: 3}}},
		{"no new refresh token, the old dies", Policy{Rotation: emulator.RotationNoNewRefreshOldDies}, []step{
			{refresh: 1}, {refresh: 1, want: ErrUsedToken}, {use: 2},
		}},
		{"expiry", Policy{RefreshLife: time.Hour}, []step{{at: time.Hour, refresh: 1, want: ErrExpiredToken}}},
		{"access expiry", Policy{}, []step{{at: day - 1, use: 1}, {at: day, use: 1, want: ErrExpiredToken}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.p.AccessLife = day
			walk(t, tc.p, tc.steps)
		})
	}
}

const day = 24 * time.Hour

func walk(t *testing.T, p Policy, steps []step) {
	t.Helper()
	start := time.Unix(1_700_000_000, 0)
	var tokens Tokens
	pairs := []emulator.Pair{{}, tokens.Issue(start, emulator.Grant{User: "alice", Client: "app"}, p)}
	for i, s := range steps {
		now := start.Add(s.at)
		if s.use > 0 {
			if _, err := tokens.Use(now, pairs[s.use].Access); !errors.Is(err, s.want) {
				t.Fatalf("step %d: using access token %d: %v, want %v", i+1, s.use, err, s.want)
			}
			continue
		}
		presented := pairs[s.refresh].Refresh
		if alive := tokens.RefreshAlive(now, presented, p); alive != (s.want == nil) {
			t.Fatalf("step %d: RefreshAlive = %v before the outcome %v", i+1, alive, s.want)
		}
		pair, err := tokens.Refresh(now, presented, p, nil)
		if !errors.Is(err, s.want) {
			t.Fatalf("step %d: refresh token %d: %v, want %v", i+1, s.refresh, err, s.want)
		}
		switch {
		case err != nil:
		case s.gives > 0:
			if pair.Access != pairs[s.gives].Access || pair.Refresh != pairs[s.gives].Refresh {
				t.Fatalf("step %d: not pair %d once more", i+1, s.gives)
			}
		default:
			if pair.Generation != len(pairs) {
				t.Fatalf("step %d: generation %d, want %d", i+1, pair.Generation, len(pairs))
			}
			pairs = append(pairs, pair)
		}
	}
}

func TestRotationWithoutNewRefreshGivesNone(t *testing.T) {
	t.Parallel()
	for _, r := range []emulator.Rotation{emulator.RotationNoNewRefresh, emulator.RotationNoNewRefreshOldDies} {
		var tokens Tokens
		p := Policy{Rotation: r, AccessLife: day}
		first := tokens.Issue(time.Now(), emulator.Grant{}, p)
		pair, err := tokens.Refresh(time.Now(), first.Refresh, p, nil)
		if err != nil || pair.Refresh != "" || pair.Access == "" {
			t.Errorf("%v: refresh token given %v, error %v", r, pair.Refresh != "", err)
		}
	}
}

func TestRotationNames(t *testing.T) {
	t.Parallel()
	for r := emulator.RotationStrict; r <= emulator.RotationNoNewRefreshOldDies; r++ {
		var back emulator.Rotation
		text, err := r.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := back.UnmarshalText(text); err != nil || back != r {
			t.Errorf("%s reads back as %v, %v", text, back, err)
		}
	}
	var r emulator.Rotation
	if r.UnmarshalText([]byte("sideways")) == nil {
		t.Error("an unknown rotation was taken")
	}
	if got := emulator.Rotation(99).String(); got != "Rotation(99)" {
		t.Error(got)
	}
}

func TestRefreshCheckLeavesTheTokenAlone(t *testing.T) {
	t.Parallel()
	var tokens Tokens
	p := Policy{AccessLife: day}
	first := tokens.Issue(time.Now(), emulator.Grant{Client: "app"}, p)
	no := errors.New("wrong client")
	if _, err := tokens.Refresh(time.Now(), first.Refresh, p, func(emulator.Grant) error { return no }); !errors.Is(err, no) {
		t.Fatal(err)
	}
	if !tokens.RefreshAlive(time.Now(), first.Refresh, p) {
		t.Fatal("the refused token is used up")
	}
}

func TestRenew(t *testing.T) {
	t.Parallel()
	var tokens Tokens
	now := time.Unix(1_700_000_000, 0)
	p := Policy{AccessLife: time.Hour, NoRefresh: true}
	first := tokens.Issue(now, emulator.Grant{User: "alice"}, p)
	second, err := tokens.Renew(now.Add(30*time.Minute), first.Access, p)
	if err != nil || second.Access == first.Access || second.Refresh != "" || first.Refresh != "" {
		t.Fatalf("renewed: %v", err)
	}
	if !tokens.Alive(now.Add(59*time.Minute), first.Access) || tokens.Alive(now.Add(time.Hour), first.Access) {
		t.Error("the old token must live to its own expiry")
	}
	if _, err := tokens.Renew(now.Add(90*time.Minute), second.Access, p); !errors.Is(err, ErrExpiredToken) {
		t.Errorf("renewing a dead token: %v", err)
	}
	p.KillOldAccess = true
	third, err := tokens.Renew(now.Add(80*time.Minute), second.Access, p)
	if err != nil || tokens.Alive(now.Add(80*time.Minute), second.Access) || !tokens.Alive(now.Add(80*time.Minute), third.Access) {
		t.Errorf("the old token must die of the renewal: %v", err)
	}
	if _, err := tokens.Renew(now, "nonsense", p); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("renewing nonsense: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	p := Policy{AccessLife: day}
	var tokens Tokens
	a := tokens.Issue(now, emulator.Grant{User: "alice"}, p)
	b := tokens.Issue(now, emulator.Grant{User: "bob"}, p)
	if _, ok := tokens.Revoke(a.Access); !ok || tokens.Alive(now, a.Access) || !tokens.RefreshAlive(now, a.Refresh, p) {
		t.Error("revoking an access token ends it alone")
	}
	if got := tokens.Grants(now, func(emulator.Grant) bool { return true }); len(got) != 2 || got[0].User != "alice" {
		t.Errorf("living grants: %v", got)
	}
	if _, ok := tokens.Revoke(b.Refresh); !ok || tokens.Alive(now, b.Access) {
		t.Error("revoking a refresh token ends its family")
	}
	if ended := tokens.EndRefreshWhere(func(g emulator.Grant) bool { return g.User == "alice" }); len(ended) != 1 {
		t.Errorf("ended: %v", ended)
	}
	if got := tokens.Grants(now, func(emulator.Grant) bool { return true }); len(got) != 0 {
		t.Errorf("living grants: %v", got)
	}
	if _, ok := tokens.Revoke("nonsense"); ok {
		t.Error("nonsense was revoked")
	}
}
