package storetest

import (
	"context"
	"errors"

	"github.com/venuekey/venuekey"
)

// calls.go owns the tests that hold for every method: an ended context and a closed store
// make it return an error and do nothing.

var calls = []test{
	{"a cancelled context stops every call", cancelledCalls},
	{"a closed store returns errors", closedStore},
}

// everyCall makes each call on a store that holds one due record.
func (s *subject) everyCall(ctx context.Context, held venuekey.Record) map[string]error {
	_, get := s.Get(ctx, held.Key)
	_, create := s.Put(ctx, venuekey.Record{Key: "new"})
	_, put := s.Put(ctx, held)
	_, list := s.List(ctx, "", "", 10)
	_, claim := s.Claim(ctx, "", "a", aLease, 10)
	return map[string]error{
		"get": get, "create": create, "put": put, "list": list, "claim": claim,
		"delete": s.Delete(ctx, held.Key, held.Version),
	}
}

func cancelledCalls(s *subject) {
	held := s.mustPut(due("k", 1))
	for call, err := range s.everyCall(cancelled(), held) {
		s.want(call, err, context.Canceled)
	}
	s.same(s.mustGet("k"), held)
	s.keys("list", s.mustList("", "", 10), []string{"k"})
	// The ended context of one call does not affect the next.
	s.mustPut(held)
}

func closedStore(s *subject) {
	held := s.mustPut(due("k", 1))
	for range 2 {
		if err := s.Close(); err != nil {
			s.Fatalf("close: %v", err)
		}
	}
	for call, err := range s.everyCall(s.Context(), held) {
		if err == nil || errors.Is(err, venuekey.ErrNotFound) || errors.Is(err, venuekey.ErrConflict) {
			s.Errorf("%s on a closed store: %v, want an error that is neither nil, ErrNotFound nor ErrConflict", call, err)
		}
	}
}
