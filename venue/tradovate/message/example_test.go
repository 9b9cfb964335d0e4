package message_test

import (
	"fmt"

	"github.com/venuekey/venuekey/venue/tradovate/message"
)

// A user sync tells of entities one by one, or several of a type at once.
func ExampleChanges() {
	changes, err := message.Changes([]byte(`{"entityType":"order","eventType":"Updated","entity":` +
		`{"id":31,"accountId":7,"action":"Buy","ordStatus":"Filled","timestamp":"2026-11-03T15:04:05.678Z","venue":"CME"}}`))
	if err != nil {
		fmt.Println(err)
	}
	for _, change := range changes {
		fmt.Println(change.Kind, change.Entity.EntityType(), change.Entity.EntityID())
		switch entity := change.Entity.(type) {
		case *message.Order:
			fmt.Println(entity.AccountID, entity.OrdStatus == message.OrderStatusFilled, entity.Unknown[0].Name)
		case *message.Other:
			fmt.Println("not read:", entity.Type, entity.Err)
		}
	}
	// Output:
	// Updated order 31
	// 7 true venue
}

// What a snapshot has that nobody knows stays as it came.
func ExampleSnapshot() {
	changes, err := message.Snapshot([]byte(`{"positions":[{"id":1,"netPos":-2,"netPrice":null}],"moons":[{"id":5}],"orders":[{"id":"x"}]}`))
	for _, change := range changes {
		switch entity := change.Entity.(type) {
		case *message.Position:
			fmt.Println(entity.NetPos.Value, entity.NetPrice.Set)
		case *message.Other:
			fmt.Println(entity.Type, entity.Err, string(entity.Raw))
		}
	}
	fmt.Println(err)
	// Output:
	// -2 false
	// moons <nil> [{"id":5}]
	// order field id: it is no whole number of 64 bits (at byte 9) {"id":"x"}
	// <nil>
}

// A program that reads frames itself uses the room of the last ones again.
func ExampleQuotes() {
	var room []message.Quote
	quotes, rest, err := message.Quotes([]byte(`[{"contractId":5,"entries":{"Bid":{"price":1.25,"size":3}}}]}}]`), room)
	fmt.Println(quotes[0].ContractID, quotes[0].Bid.Price.Value, string(rest), err)
	// Output: 5 1.25 }}] <nil>
}
