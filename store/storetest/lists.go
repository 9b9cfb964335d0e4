package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
)

// lists.go owns the tests of List: order, prefix and pages.

var lists = []test{
	{"the order is that of the keys' bytes", byteOrder},
	{"a prefix is text, not a pattern", prefixes},
	{"pages join without a gap or a repeat", pages},
	{"a page may begin anywhere", beginnings},
	{"listed records are whole", wholeRecords},
}

func byteOrder(s *subject) {
	keys := []string{"a", "B", "a/b", "a.b", "a-b", "a_b", "aa", "Z", "z", "0", "~", "!", "a/B", "a/b/c", "10", "9", "A"}
	for i, key := range keys {
		s.mustPut(due(key, i)) // their due times do not matter
	}
	slices.Sort(keys)
	s.keys("list", s.mustList("", "", 100), keys)
}

func prefixes(s *subject) {
	keys := []string{"a", "a%", "a%b", "a_", "a_b", "ab", "abc", "a\\", "A", "Ab", "b", "a*", "a[b]", "a~", "a~~", "token/ttp/x", "token/ttp2/x"}
	slices.Sort(keys)
	for _, key := range keys {
		s.mustPut(due(key, 1))
	}
	for _, prefix := range []string{"", "a", "a%", "a_", "ab", "A", "a\\", "a[", "a*", "a~", "token/ttp/", "nothing", "abcd"} {
		var want []string
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		s.keys(fmt.Sprintf("list %q", prefix), s.mustList(prefix, "", 100), want)
	}
	s.keys("claim", keysOf(s.mustClaim("a_", "a", aLease, 100)), []string{"a_", "a_b"})
}

func pages(s *subject) {
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("token/%02d", i)
		want = append(want, key)
		s.mustPut(venuekey.Record{Key: key})
		s.mustPut(venuekey.Record{Key: fmt.Sprintf("app/%02d", i)})
		s.mustPut(venuekey.Record{Key: fmt.Sprintf("zzz/%02d", i)})
	}
	for _, size := range []int{1, 7, 25, 1000} {
		var got []string
		after := ""
		for range 2 * len(want) { // a store that goes in circles must fail, not hang
			page := s.mustList("token/", after, size)
			if len(page) == 0 {
				break
			}
			if len(page) > size {
				s.Fatalf("page of %d keys, want at most %d", len(page), size)
			}
			got = append(got, page...)
			after = page[len(page)-1]
		}
		s.keys(fmt.Sprintf("pages of %d", size), got, want)
	}
}

func beginnings(s *subject) {
	for _, key := range []string{"a/1", "b", "b/1", "b/2", "b/3", "c/1"} {
		s.mustPut(venuekey.Record{Key: key})
	}
	for _, test := range []struct {
		prefix, after string
		limit         int
		want          []string
	}{
		{"b/", "", 10, []string{"b/1", "b/2", "b/3"}},
		{"b/", "a", 10, []string{"b/1", "b/2", "b/3"}},
		{"b/", "b/", 10, []string{"b/1", "b/2", "b/3"}},
		{"b/", "b/2", 10, []string{"b/3"}},
		{"b/", "b/2x", 10, []string{"b/3"}},
		{"b/", "b/3", 10, nil},
		{"b/", "c", 10, nil},
		{"b", "b", 10, []string{"b/1", "b/2", "b/3"}},
		{"b", "a", 2, []string{"b", "b/1"}},
		{"", "b", 2, []string{"b/1", "b/2"}},
		{"", "", 0, nil},
		{"", "", -1, nil},
	} {
		s.keys(fmt.Sprintf("list %q after %q", test.prefix, test.after), s.mustList(test.prefix, test.after, test.limit), test.want)
	}
}

func wholeRecords(s *subject) {
	var want []venuekey.Record
	for _, key := range []string{"a", "b", "c"} {
		want = append(want, s.mustPut(full(key)))
	}
	got, err := s.List(s.Context(), "", "", 10)
	if err != nil || len(got) != len(want) {
		s.Fatalf("list: %d records, %v", len(got), err)
	}
	for i := range got {
		s.same(got[i], want[i])
		if got[i].ReadAt.IsZero() {
			s.Errorf("record %q does not say when it was read", got[i].Key)
		}
	}
}
