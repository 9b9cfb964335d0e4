package storetest

import (
	"bytes"
	"math"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// records.go owns the tests of single records: a record comes back as it was put, and can
// be changed only by a caller that knows its version.

var records = []test{
	{"what was never put is not found", neverPut},
	{"every field comes back", everyField},
	{"zero fields come back as zero", zeroFields},
	{"times keep their microseconds", preciseTimes},
	{"text comes back as it was", texts},
	{"sealed bytes may be a mebibyte", bigSeals},
	{"sealed bytes are copied", ownBytes},
	{"keys may hold every letter, digit and punctuation mark", allKeys},
	{"a put needs the stored version", putNeedsVersion},
	{"a delete needs the stored version", deleteNeedsVersion},
	{"a version is never reused", versionsNeverReturn},
	{"a condition means nothing to the store", meaningless},
}

// full returns a record with a different value in every field.
func full(key string) venuekey.Record {
	at := time.Date(2031, 5, 17, 13, 45, 59, 123456000, time.UTC)
	return venuekey.Record{
		Key:         key,
		Generation:  math.MaxInt64,
		NextRefresh: at,
		LeaseOwner:  "host-1/4711",
		LeaseUntil:  at.Add(time.Minute),
		Attempt:     3,
		IntentAt:    at.Add(-time.Second),
		Condition:   venuekey.ConditionUncertain,
		Failures:    7,
		Text:        "the answer was lost",
		Sealed:      []byte{0, 1, 2, 0xfe, 0xff, 0},
	}
}

func neverPut(s *subject) {
	_, err := s.Get(s.Context(), "token/none")
	s.want("get", err, venuekey.ErrNotFound)
	s.want("delete", s.Delete(s.Context(), "token/none", 0), venuekey.ErrNotFound)
	s.want("delete", s.Delete(s.Context(), "token/none", 1), venuekey.ErrNotFound)
	s.keys("list", s.mustList("", "", 10), nil)
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 10)), nil)
}

func everyField(s *subject) {
	first := s.mustPut(full("token/full"))
	got := s.mustGet("token/full")
	s.same(got, first)
	if got.ReadAt.IsZero() {
		s.Error("record does not say when it was read")
	}

	second := first
	second.Generation, second.Attempt, second.Failures = -1, 0, 1
	second.NextRefresh, second.LeaseOwner, second.LeaseUntil = future(), "", time.Time{}
	second.IntentAt, second.Condition, second.Text = time.Time{}, venuekey.ConditionDead, ""
	second.Sealed = []byte("another")
	second.ReadAt = past() // is ignored
	second = s.mustPut(second)
	again := s.mustGet("token/full")
	s.same(again, second)
	if again.ReadAt.Before(got.ReadAt) {
		s.Errorf("record was read at %v and then at %v, which is before", got.ReadAt, again.ReadAt)
	}
}

func zeroFields(s *subject) {
	put := s.mustPut(venuekey.Record{Key: "k"})
	got := s.mustGet("k")
	s.same(got, put)
	if !got.NextRefresh.IsZero() || !got.LeaseUntil.IsZero() || !got.IntentAt.IsZero() {
		s.Errorf("times of an empty record: %v, %v, %v, want zero", got.NextRefresh, got.LeaseUntil, got.IntentAt)
	}
}

func preciseTimes(s *subject) {
	for name, at := range map[string]time.Time{
		"a microsecond":     time.Date(2026, 1, 2, 3, 4, 5, 1000, time.UTC),
		"the last one":      time.Date(2026, 12, 31, 23, 59, 59, 999999000, time.UTC),
		"nanoseconds":       time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC),
		"1970":              time.Unix(0, 0),
		"before 1970":       time.Date(1912, 6, 23, 1, 2, 3, 4000, time.UTC),
		"far away":          time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		"another time zone": time.Date(2026, 7, 1, 0, 30, 0, 5000, time.FixedZone("", 5*3600+1800)),
		"monotonic":         time.Now(),
	} {
		key := "time/" + strings.ReplaceAll(name, " ", "-")
		s.same(s.mustGet(s.mustPut(venuekey.Record{Key: key, NextRefresh: at, LeaseUntil: at, IntentAt: at}).Key),
			venuekey.Record{Key: key, Version: s.mustGet(key).Version, NextRefresh: at, LeaseUntil: at, IntentAt: at})
	}
}

func texts(s *subject) {
	for i, text := range []string{"", " ", "'; DROP TABLE record; --", `"\%_*?[]`, "zwei\nZeilen\t", "Ünïcødé 取引 🐢", strings.Repeat("long ", 2000)} {
		key := string(rune('a' + i))
		put := s.mustPut(venuekey.Record{Key: key, LeaseOwner: text, Text: text, Condition: venuekey.Condition(text)})
		s.same(s.mustGet(key), put)
	}
}

func bigSeals(s *subject) {
	big := make([]byte, 1<<20)
	for i := range big {
		big[i] = byte(i>>8) ^ byte(i*7)
	}
	put := s.mustPut(venuekey.Record{Key: "big", Sealed: big, NextRefresh: past()})
	s.same(s.mustGet("big"), put)
	claimed := s.mustClaim("", "a", aLease, 1)
	if len(claimed) != 1 || !bytes.Equal(claimed[0].Sealed, big) {
		s.Error("claim of a big record returned other bytes")
	}
	put = s.mustGet("big")
	put.Sealed = big[:100]
	put = s.mustPut(put)
	s.same(s.mustGet("big"), put)
}

func ownBytes(s *subject) {
	given := []byte("sealed")
	s.mustPut(venuekey.Record{Key: "k", Sealed: given, NextRefresh: past()})
	given[0] = 'X'
	s.mustGet("k").Sealed[1] = 'X'
	records, err := s.List(s.Context(), "", "", 1)
	if err != nil || len(records) != 1 {
		s.Fatalf("list: %d records, %v", len(records), err)
	}
	records[0].Sealed[2] = 'X'
	s.mustClaim("", "a", aLease, 1)[0].Sealed[3] = 'X'
	if got := s.mustGet("k").Sealed; string(got) != "sealed" {
		s.Errorf("sealed bytes became %q when the caller changed its own", got)
	}
}

func allKeys(s *subject) {
	var keys []string
	for c := byte('!'); c <= '~'; c++ {
		keys = append(keys, "k/"+string(c))
	}
	keys = append(keys, strings.Repeat("k", 255), strings.Repeat("k", 254)+"l", "k", "K")
	for _, key := range keys {
		s.mustPut(venuekey.Record{Key: key, Text: key})
	}
	for _, key := range keys {
		if got := s.mustGet(key); got.Key != key || got.Text != key {
			s.Errorf("key %q holds the record of %q", key, got.Text)
		}
	}
	_, err := s.Get(s.Context(), strings.Repeat("k", 253))
	s.want("get of a part of a key", err, venuekey.ErrNotFound)
}

func putNeedsVersion(s *subject) {
	put := func(version int64) error {
		_, err := s.Put(s.Context(), venuekey.Record{Key: "k", Version: version, Text: "intruder"})
		return err
	}
	s.want("put of a later version of nothing", put(1), venuekey.ErrConflict)
	first := s.mustPut(venuekey.Record{Key: "k", Text: "first"})
	s.want("second creation", put(0), venuekey.ErrConflict)
	s.want("put of a future version", put(first.Version+1), venuekey.ErrConflict)
	s.want("put of a negative version", put(-1), venuekey.ErrConflict)
	second := first
	second.Text = "second"
	second = s.mustPut(second)
	s.want("put of an old version", put(first.Version), venuekey.ErrConflict)
	s.same(s.mustGet("k"), second)
}

func deleteNeedsVersion(s *subject) {
	first := s.mustPut(venuekey.Record{Key: "k"})
	second := s.mustPut(first)
	other := s.mustPut(venuekey.Record{Key: "kk"})
	for _, version := range []int64{0, -1, first.Version, second.Version + 1000} {
		s.want("delete of another version", s.Delete(s.Context(), "k", version), venuekey.ErrConflict)
	}
	s.mustDelete("k", second.Version)
	_, err := s.Get(s.Context(), "k")
	s.want("get of the deleted", err, venuekey.ErrNotFound)
	s.want("second delete", s.Delete(s.Context(), "k", second.Version), venuekey.ErrNotFound)
	_, err = s.Put(s.Context(), second)
	s.want("put of the deleted", err, venuekey.ErrConflict)
	s.same(s.mustGet("kk"), other)
	s.keys("list", s.mustList("", "", 10), []string{"kk"})
}

// A caller that still holds a record from before it was deleted and created again must
// not be able to change the new record.
func versionsNeverReturn(s *subject) {
	seen := map[int64]bool{}
	var last venuekey.Record
	for range 5 {
		last = s.mustPut(venuekey.Record{Key: "k", Text: "made"})
		for range 3 {
			if seen[last.Version] {
				s.Fatalf("version %d was reused", last.Version)
			}
			seen[last.Version] = true
			last = s.mustPut(last)
		}
		seen[last.Version] = true
		s.mustDelete("k", last.Version)
	}
	reborn := s.mustPut(venuekey.Record{Key: "k", Text: "reborn"})
	for version := range seen {
		_, err := s.Put(s.Context(), venuekey.Record{Key: "k", Version: version, Text: "ghost"})
		s.want("put of a version of the deleted record", err, venuekey.ErrConflict)
		s.want("delete of a version of the deleted record", s.Delete(s.Context(), "k", version), venuekey.ErrConflict)
		if version >= reborn.Version {
			s.Errorf("version %d of a new record is not greater than the former %d", reborn.Version, version)
		}
	}
	s.same(s.mustGet("k"), reborn)
}

func meaningless(s *subject) {
	dead := due("k", 1)
	dead.Condition, dead.Failures, dead.IntentAt = venuekey.ConditionDead, 99, past()
	s.mustPut(dead)
	s.keys("claim", keysOf(s.mustClaim("", "a", aLease, 1)), []string{"k"})
}
