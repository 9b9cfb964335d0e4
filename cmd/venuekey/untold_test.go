package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/venuekey/venuekey"
)

// untold_test.go tests that nobody who tells events holds up those who take them in.

func TestAttackAnAgentWhoseWordsNobodyReads(t *testing.T) {
	var u untold
	at := func(name string, i int, kind venuekey.EventKind) venuekey.Event {
		return venuekey.Event{Kind: kind, Reason: fmt.Sprint(i), Status: venuekey.Status{ID: venuekey.ID{Venue: "ctrader", Name: name}}}
	}
	for i := range 100_000 { // and nobody reads
		u.add(at([]string{"alice", "bob"}[i%2], i, venuekey.EventTrouble))
		u.add(at("carol", i, venuekey.EventRenewed))
	}
	if len(u.last) != 2 || len(u.order) != 2 {
		t.Errorf("%d and %d are kept", len(u.last), len(u.order))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var told []string
	for event := range u.all(ctx) {
		told = append(told, event.Status.ID.Name+" "+event.Reason)
		switch len(told) {
		case 2:
			u.add(at("carol", 7, venuekey.EventRecovered))
		case 3:
			cancel()
		}
	}
	if fmt.Sprint(told) != "[alice 99998 bob 99999 carol 7]" {
		t.Error(told)
	}
}
