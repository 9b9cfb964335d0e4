package venuekey_test

import (
	"context"
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
)

// A Venue whose answer asks for a wait keeps the ticket, and presents it with the same
// request later, in whatever program. In Login and Refresh the context leads to the vault;
// elsewhere, as here, nothing is kept.
func ExampleTicketsIn() {
	ctx := context.Background()
	tickets := venuekey.TicketsIn(ctx)
	const place = "login alice"
	request := venuekey.TicketFor("login", "alice", "wonderland")

	_, found := tickets.Find(ctx, place)
	fmt.Println(found)
	ticket := venuekey.Ticket{Value: "t", For: request, NotBefore: time.Now().Add(time.Minute), Wait: time.Minute}
	tickets.Keep(ctx, place, ticket)
	fmt.Println(ticket.Left().Round(time.Second), tickets.Take(ctx, place, ticket))
	// Output:
	// false
	// 1m0s true
}
