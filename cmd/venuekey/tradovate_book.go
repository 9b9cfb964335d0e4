package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// tradovate_book.go owns the live table of "tradovate stream": the user's state as the
// events make it, drawn on a terminal.

const (
	// drawTick is the least time between two drawings.
	drawTick = 250 * time.Millisecond
	// shownFills is how many fills are shown: the newest.
	shownFills = 5
)

// entity is one entity of a user sync, with the fields that the venue sent.
type entity map[string]any

// book has the newest state of every entity, and the newest quotes.
type book struct {
	p        *program
	mu       sync.Mutex
	entities map[string]map[string]entity // by kind and number
	quotes   map[string]quoteLine         // by symbol
	resynced time.Time                    // zero if nothing was missed
	changed  chan struct{}                // holds one while something is not drawn
}

// quoteLine is a quote as it is shown.
type quoteLine struct{ bid, ask, last, at string }

func newBook(p *program) *book {
	return &book{p: p, entities: map[string]map[string]entity{}, quotes: map[string]quoteLine{}, changed: make(chan struct{}, 1)}
}

func (b *book) touch() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// event implements sink.
func (b *book) event(e socket.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.touch()
	switch e.Kind {
	case socket.EventGap: // the snapshot follows
		b.entities, b.resynced = map[string]map[string]entity{}, e.To
	case socket.EventSnapshot:
		var all map[string]json.RawMessage
		if json.Unmarshal(e.Data, &all) != nil {
			return nil
		}
		for name, several := range all {
			kind := strings.TrimSuffix(name, "s")
			for _, one := range (change{Entity: several}).entities() {
				b.keep(kind, one, false)
			}
		}
	case socket.EventProps:
		change, err := readChange(e.Data)
		if err != nil {
			return nil
		}
		for _, one := range change.entities() {
			b.keep(change.EntityType, one, change.EventType == "Deleted")
		}
	}
	return nil
}

// keep notes an entity, or its end.
func (b *book) keep(kind string, text json.RawMessage, gone bool) {
	var found entity
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // no digit is lost
	if decoder.Decode(&found) != nil || found == nil {
		return
	}
	id := found.text("id")
	if b.entities[kind] == nil {
		b.entities[kind] = map[string]entity{}
	}
	if gone {
		delete(b.entities[kind], id)
		return
	}
	b.entities[kind][id] = found
}

// market implements sink. A quote has the price and size of each of its entries
// (Tradovate facts §5); depth is not shown here.
func (b *book) market(kind, symbol string, _ int64, part json.RawMessage) error {
	if kind != "quote" {
		return nil
	}
	var quote struct {
		Timestamp string `json:"timestamp"`
		Entries   map[string]struct {
			Price json.Number `json:"price"`
		} `json:"entries"`
	}
	if json.Unmarshal(part, &quote) != nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.touch()
	line := b.quotes[symbol]
	line.at = quote.Timestamp
	for name, side := range map[string]*string{"Bid": &line.bid, "Offer": &line.ask, "Trade": &line.last} {
		if price := quote.Entries[name].Price.String(); price != "" {
			*side = price
		}
	}
	b.quotes[symbol] = line
	return nil
}

// draw redraws everything when something changed, until the context ends.
func (b *book) draw(ctx context.Context) error {
	for {
		select {
		case <-b.changed:
		case <-ctx.Done():
			return nil
		}
		var screen bytes.Buffer
		screen.WriteString("\x1b[H\x1b[2J")
		b.mu.Lock()
		b.write(&screen, b.p.style())
		b.mu.Unlock()
		if _, err := b.p.stdout.Write(screen.Bytes()); err != nil {
			return err
		}
		select {
		case <-time.After(drawTick):
		case <-ctx.Done():
			return nil
		}
	}
}

// write writes the tables that have rows.
func (b *book) write(screen *bytes.Buffer, look style) {
	for _, t := range []table{b.accounts(), b.positions(), b.orders(), b.fills(), b.prices()} {
		if len(t.rows) > 0 {
			t.write(screen, look)
			screen.WriteByte('\n')
		}
	}
	if !b.resynced.IsZero() {
		fmt.Fprintf(screen, "connected again at %s; what happened while it was not is in the tables, but not in order\n", b.resynced.Local().Format(time.TimeOnly))
	}
	if screen.Len() < 10 {
		screen.WriteString("nothing yet\n")
	}
}

// of returns the entities of a kind, by their numbers.
func (b *book) of(kind string) []entity {
	return slices.SortedFunc(maps.Values(b.entities[kind]), func(x, y entity) int {
		a, _ := x.number("id").Int64()
		c, _ := y.number("id").Int64()
		return int(a - c)
	})
}

func (b *book) accounts() table {
	t := table{heading: []string{"ACCOUNT", "TYPE", "CASH"}}
	cash := map[string]string{}
	for _, balance := range b.of("cashBalance") {
		cash[balance.text("accountId")] = balance.text("amount")
	}
	for _, a := range b.of("account") {
		t.add(cell{a.text("name"), bold}, text(orDash(a.text("accountType"))), text(orDash(cash[a.text("id")])))
	}
	return t
}

func (b *book) positions() table {
	t := table{heading: []string{"POSITION", "ACCOUNT", "NET", "PRICE"}}
	for _, position := range b.of("position") {
		net := position.text("netPos")
		if net == "0" {
			continue
		}
		colour := green
		if strings.HasPrefix(net, "-") {
			colour = red
		}
		t.add(cell{b.name("contract", position.text("contractId")), bold}, text(b.name("account", position.text("accountId"))), cell{net, colour}, text(orDash(position.text("netPrice"))))
	}
	return t
}

func (b *book) orders() table {
	t := table{heading: []string{"ORDER", "ACCOUNT", "SYMBOL", "ACTION", "STATUS"}}
	for _, order := range b.of("order") {
		t.add(text(order.text("id")), text(b.name("account", order.text("accountId"))), cell{b.name("contract", order.text("contractId")), bold}, text(order.text("action")), text(order.text("ordStatus")))
	}
	return t
}

func (b *book) fills() table {
	t := table{heading: []string{"FILL", "SYMBOL", "ACTION", "QTY", "PRICE", "TIME"}}
	fills := b.of("fill")
	for _, fill := range fills[max(0, len(fills)-shownFills):] {
		t.add(text(fill.text("id")), cell{b.name("contract", fill.text("contractId")), bold}, text(fill.text("action")), text(fill.text("qty")), text(fill.text("price")), cell{fill.text("timestamp"), faint})
	}
	return t
}

func (b *book) prices() table {
	t := table{heading: []string{"SYMBOL", "BID", "ASK", "LAST", "TIME"}}
	for _, symbol := range slices.Sorted(maps.Keys(b.quotes)) {
		q := b.quotes[symbol]
		t.add(cell{symbol, bold}, cell{orDash(q.bid), red}, cell{orDash(q.ask), green}, text(orDash(q.last)), cell{q.at, faint})
	}
	return t
}

// name is that of another entity, or its number if it is not known.
func (b *book) name(kind, id string) string {
	if named := b.entities[kind][id].text("name"); named != "" {
		return named
	}
	return id
}

// text is a field for a person; "" if there is none.
func (e entity) text(field string) string {
	value, ok := e[field]
	if !ok || value == nil {
		return ""
	}
	return forPerson(value)
}

func (e entity) number(field string) json.Number {
	number, _ := e[field].(json.Number)
	return number
}
