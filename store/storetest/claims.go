package storetest

import (
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
)

// claims.go owns the tests of Claim: who may have which record, and for how long.

var claims = []test{
	{"the longest due come first", longestDueFirst},
	{"a record without a next refresh is never due", neverDue},
	{"a record is not due before its time", notYetDue},
	{"a prefix bounds a claim", claimPrefix},
	{"a limit bounds a claim", claimLimit},
	{"a claim sets an owner, an end and a version, and nothing else", whatAClaimDoes},
	{"a lease excludes every other claim", leaseHolds},
	{"leased records do not use up the limit", leasedArePassedOver},
	{"an expired lease excludes nothing", leaseEnded},
	{"a lease without owner or end is none", halfALease},
	{"a put releases a lease", givenBack},
	{"a claim needs an owner and a lease", claimNeedsOwner},
}

func longestDueFirst(s *subject) {
	for _, record := range []venuekey.Record{due("c", 1), due("a", 3), due("d", 9), due("b", 2), due("e", 9999)} {
		s.mustPut(record)
	}
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 10)), []string{"e", "d", "a", "b", "c"})
}

func neverDue(s *subject) {
	s.mustPut(venuekey.Record{Key: "never"})
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 10)), nil)
	once := s.mustPut(due("once", 1))
	once.NextRefresh = time.Time{}
	s.mustPut(once)
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 10)), nil)
}

func notYetDue(s *subject) {
	later := s.mustPut(venuekey.Record{Key: "k", NextRefresh: future()})
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 10)), nil)
	later.NextRefresh = past()
	s.mustPut(later)
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 10)), []string{"k"})
}

func claimPrefix(s *subject) {
	for _, key := range []string{"token/a", "token/b", "app/a", "tokens"} {
		s.mustPut(due(key, 1))
	}
	s.keys("claim", keysOf(s.mustClaim("none/", "a", aLease, 10)), nil)
	if got := s.mustClaim("token/", "a", aLease, 10); len(got) != 2 {
		s.Errorf("claim: %q, want the two under token/", keysOf(got))
	}
	for _, key := range []string{"app/a", "tokens"} {
		if got := s.mustGet(key); got.LeaseOwner != "" {
			s.Errorf("record %q was leased by a claim for another prefix", key)
		}
	}
}

func claimLimit(s *subject) {
	for i := range 5 {
		s.mustPut(due(fmt.Sprint(i), 10-i))
	}
	s.keys("claim of none", keysOf(s.mustClaim("", "a", aLease, 0)), nil)
	s.keys("claim of less", keysOf(s.mustClaim("", "a", aLease, -1)), nil)
	s.keys("claim of two", keysOf(s.mustClaim("", "a", aLease, 2)), []string{"0", "1"})
	s.keys("claim of two more", keysOf(s.mustClaim("", "a", aLease, 2)), []string{"2", "3"})
	s.keys("claim of the rest", keysOf(s.mustClaim("", "a", aLease, 2)), []string{"4"})
	s.keys("claim of nothing", keysOf(s.mustClaim("", "a", aLease, 2)), nil)
}

func whatAClaimDoes(s *subject) {
	before := full("k")
	before.NextRefresh, before.LeaseUntil = past(), past()
	before = s.mustPut(before)
	claimed := s.mustClaim("", "new owner", aLease, 1)
	if len(claimed) != 1 {
		s.Fatalf("claim: %d records, want one", len(claimed))
	}
	got := claimed[0]
	if got.Version <= before.Version {
		s.Errorf("version went from %d to %d, want a greater one", before.Version, got.Version)
	}
	if got.LeaseOwner != "new owner" || !got.Leased() {
		s.Errorf("lease: owner %q until %v, read at %v", got.LeaseOwner, got.LeaseUntil, got.ReadAt)
	}
	// Both times are from the store's clock, so they differ by exactly the lease, except
	// for the duration of the call.
	if rest := got.LeaseUntil.Sub(got.ReadAt); rest > aLease || rest < aLease-time.Minute {
		s.Errorf("lease has %v to go, want %v", rest, aLease)
	}
	want := before
	want.Version, want.LeaseOwner, want.LeaseUntil = got.Version, got.LeaseOwner, got.LeaseUntil
	s.same(got, want)
	s.same(s.mustGet("k"), want)
	_, err := s.Put(s.Context(), before)
	s.want("put of the version before the claim", err, venuekey.ErrConflict)
}

func leaseHolds(s *subject) {
	s.mustPut(due("k", 1))
	s.mustClaim("", "first", aLease, 1)
	for _, owner := range []string{"second", "first"} {
		s.keys("claim by "+owner, keysOf(s.mustClaim("", owner, aLease, 1)), nil)
	}
	if got := s.mustGet("k"); got.LeaseOwner != "first" || !got.Leased() {
		s.Errorf("lease is with %q until %v", got.LeaseOwner, got.LeaseUntil)
	}
}

func leasedArePassedOver(s *subject) {
	for i := range 6 {
		record := due(fmt.Sprint(i), 10-i)
		if i%2 == 0 {
			record.LeaseOwner, record.LeaseUntil = "other", future()
		}
		s.mustPut(record)
	}
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 2)), []string{"1", "3"})
}

func leaseEnded(s *subject) {
	dead := due("dead", 2)
	dead.LeaseOwner, dead.LeaseUntil = "crashed", past()
	s.mustPut(dead)
	s.mustPut(due("short", 1))
	// The shortest possible lease has expired when the call returns.
	s.keys("claim", keysOf(s.mustClaim("short", "a", time.Nanosecond, 1)), []string{"short"})
	s.keys("claim", keysOf(s.mustClaim("", "b", aLease, 10)), []string{"dead", "short"})
}

func halfALease(s *subject) {
	ownerless, endless := due("ownerless", 2), due("endless", 1)
	ownerless.LeaseUntil, endless.LeaseOwner = future(), "somebody"
	s.mustPut(ownerless)
	s.mustPut(endless)
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 10)), []string{"ownerless", "endless"})
}

func givenBack(s *subject) {
	s.mustPut(due("k", 1))
	claimed := s.mustClaim("", "first", aLease, 1)[0]
	claimed.LeaseOwner, claimed.LeaseUntil = "", time.Time{}
	s.mustPut(claimed)
	s.keys("claim", keysOf(s.mustClaim("", "second", aLease, 1)), []string{"k"})
}

func claimNeedsOwner(s *subject) {
	s.mustPut(due("k", 1))
	for _, test := range []struct {
		owner string
		lease time.Duration
	}{{"", aLease}, {"a", 0}, {"a", -aLease}} {
		got, err := s.Claim(s.Context(), "", test.owner, test.lease, 1)
		if err == nil || len(got) > 0 {
			s.Errorf("claim by %q for %v: %q, want an error", test.owner, test.lease, keysOf(got))
		}
	}
	if got := s.mustGet("k"); got.Leased() {
		s.Error("record was leased by an invalid claim")
	}
}
