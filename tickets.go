package venuekey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// tickets.go owns what a venue gave out to be presented later. A venue that asks for a wait
// may send a ticket, and carry the request out once it comes again with that. It must
// survive the program, or the next attempt waits twice as long.

// ticketPrefix is that of the records, which are sealed.
const ticketPrefix = "ticket/"

// ticketBudget is how long a store may take to keep a ticket.
const ticketBudget = 5 * time.Second

// Ticket is a venue's promise to carry out a request that it did not carry out.
type Ticket struct {
	// Value is what to present; empty if the venue wants no more than the wait.
	Value Secret
	// For identifies the request, which has to be the same again; see TicketFor.
	For string
	// NotBefore is when it may be sent, by this machine's clock. Wait is how long that was
	// from the answer: no clock that was set makes it longer.
	NotBefore time.Time
	Wait      time.Duration
	// Captcha says that no program can present it: a person has to act, or wait.
	Captcha bool
}

// TicketFor returns the identity of a request from everything that is in it. It is a digest
// and lies in the sealed part of a record, since a password may be part of it.
func TicketFor(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// Left returns how long to wait before the request may be sent again.
func (t Ticket) Left() time.Duration {
	return max(0, min(time.Until(t.NotBefore), t.Wait))
}

// Tickets keeps the tickets of one venue, sealed in the vault, for all programs that share
// it. A place names a kind of request and its user, without secrets. The zero value keeps
// none. What the store refuses is not kept either: a wait that is lost costs time only.
type Tickets struct {
	vault *Vault
	venue string
	log   func(error)
}

type ticketsKey struct{}

// TicketsIn is for implementations of Venue: it returns the tickets of the venue whose Login
// or Refresh was called with the context.
func TicketsIn(ctx context.Context) Tickets {
	t, _ := ctx.Value(ticketsKey{}).(Tickets)
	return t
}

// withTickets lends a venue its tickets.
func (k *Keeper) withTickets(ctx context.Context, venue Venue) context.Context {
	return context.WithValue(ctx, ticketsKey{}, Tickets{vault: k.Vault, venue: venue.Name(), log: func(err error) {
		k.log().Error("the ticket of a penalty cannot be kept", "venue", venue.Name(), "error", systemError(err))
	}})
}

// key returns the key of a place. The place may name a user, so it is hashed.
func (t Tickets) key(place string) string {
	hash := sha256.Sum256([]byte(place))
	return ticketPrefix + t.venue + "/" + hex.EncodeToString(hash[:12])
}

// sealedTicket is a Ticket as it is sealed.
type sealedTicket struct {
	Value     string        `json:"value,omitempty"`
	For       string        `json:"for,omitempty"`
	NotBefore time.Time     `json:"not_before"`
	Wait      time.Duration `json:"wait,omitempty"`
	Captcha   bool          `json:"captcha,omitempty"`
}

// Find returns the ticket of a place, if there is one that is not long over.
func (t Tickets) Find(ctx context.Context, place string) (Ticket, bool) {
	found, _, ok := t.read(ctx, place)
	return found, ok
}

// read returns the ticket of a place with its record. One whose wait has been over for an
// hour is of no use to anyone, and deleted.
func (t Tickets) read(ctx context.Context, place string) (Ticket, Record, bool) {
	if t.vault == nil {
		return Ticket{}, Record{}, false
	}
	record, err := t.vault.Store.Get(ctx, t.key(place))
	if err != nil {
		return Ticket{}, Record{}, false
	}
	var form sealedTicket
	if err := t.vault.open(record, &form); err != nil || time.Since(form.NotBefore) > time.Hour {
		_ = t.vault.Store.Delete(ctx, record.Key, record.Version)
		return Ticket{}, Record{}, false
	}
	return Ticket{Secret(form.Value), form.For, form.NotBefore, form.Wait, form.Captcha}, record, true
}

// Keep keeps a ticket in place of an earlier one.
func (t Tickets) Keep(ctx context.Context, place string, ticket Ticket) {
	if t.vault == nil {
		return
	}
	// A sign-in that is interrupted in its wait goes on in the next one.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ticketBudget)
	defer cancel()
	form := sealedTicket{string(ticket.Value), ticket.For, ticket.NotBefore.Round(0).UTC(), ticket.Wait, ticket.Captcha}
	for {
		record, err := t.vault.Store.Get(ctx, t.key(place))
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: t.key(place)}, nil
		}
		if err == nil {
			record.Generation = plausible(record.Generation) + 1
			_, err = t.vault.put(ctx, record, form)
		}
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			t.log(err)
		}
		return
	}
}

// Take removes a ticket, so that it is presented once: of several programs that have waited
// for it, one takes it. It returns false for the others.
func (t Tickets) Take(ctx context.Context, place string, ticket Ticket) bool {
	if t.vault == nil {
		return true
	}
	found, record, ok := t.read(ctx, place)
	if !ok || !found.Value.Equal(ticket.Value) || found.For != ticket.For {
		return false
	}
	return t.vault.Store.Delete(ctx, record.Key, record.Version) == nil
}

// Format implements fmt.Formatter: Tickets print without their vault.
func (t Tickets) Format(f fmt.State, _ rune) { plainly(f, "tickets of "+t.venue) }

// Format implements fmt.Formatter: a Ticket prints without its value.
func (t Ticket) Format(f fmt.State, _ rune) {
	plainly(f, "ticket not before "+t.NotBefore.UTC().Format(time.RFC3339))
}
