package socket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/message"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// typed_test.go tests the streams that carry types: the same as the venue sends, whichever way
// a frame goes through the reader, and nothing lost that cannot be read.

// Quotes arrive the same whatever else is in a frame and whoever else listens; one that cannot
// be read is left out, said in the log, and costs nothing else.
func TestTypedQuotes(t *testing.T) {
	const one, two = `{"contractId":3001,"entries":{"Bid":{"price":1.25,"size":2}},"odd":[1]}`, `{"entries":{"Bid":{"price":1.5,"size":3}},"contractId":3001}`
	for _, row := range []struct {
		name   string
		frames []string
		logged bool
	}{
		{"alone", []string{`a[{"e":"md","d":{"quotes":[` + one + `]}}]`, `a[{"e":"md","d":{"quotes":[` + two + `]}}]`}, false},
		{"together", []string{`a[{"e":"md","d":{"quotes":[` + one + `,` + two + `]}}]`}, false},
		{"in another order", []string{`a[{"d":{"quotes":[` + one + `, ` + two + `]},"e":"md"}]`}, false},
		{"with white space", []string{`a[ {"e":"md", "d":{"quotes":[` + one + `,` + two + ` ] } } ]`}, false},
		{"with other feeds", []string{`a[{"e":"md","d":{"quotes":[` + one + `],"doms":[{"contractId":3001,"bids":[]}]}},{"e":"md","d":{"quotes":[` + two + `]}}]`}, false},
		{"beside one of another contract", []string{`a[{"e":"md","d":{"quotes":[{"contractId":9},` + one + `,` + two + `]}}]`}, false},
		{"beside one that cannot be read", []string{`a[{"e":"md","d":{"quotes":[` + one + `,{"contractId":3001,"entries":{"Bid":{"price":"x"}}},` + two + `]}}]`}, true},
	} {
		for _, raw := range []bool{false, true} {
			t.Run(fmt.Sprint(row.name, " ", raw), func(t *testing.T) {
				play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
					s.follow(true, func(v script) {
						if id, ok := v.asked("md/subscribeQuote"); ok {
							v.say(`a[{"s":200,"i":` + id + `,"d":{}}]`)
							v.say(row.frames...)
						}
						v.drain()
					})
					p := newProgram(s, scripted)
					p.Sync = nil
					var text *socket.Stream[socket.Event]
					if raw {
						text = p.Events(socket.Buffer{}, socket.EventMarket)
					}
					p.run()
					defer p.quit()
					quotes, err := p.Quotes(t.Context(), 3001)
					if err != nil {
						t.Fatal(err)
					}
					first, second := next(t, quotes), next(t, quotes)
					if first.Bid.Price.Value != 1.25 || first.Unknown[0].Name != "odd" || second.Bid.Size.Value != 3 || len(second.Unknown) != 0 {
						t.Errorf("%+v, %+v", first, second)
					}
					if raw && !strings.Contains(string(next(t, text).Data), `"odd":[1]`) {
						t.Error("who wants the text did not get it")
					}
					if logged := strings.Contains(s.log.String(), "market data could not be read"); logged != row.logged {
						t.Errorf("logged: %t", logged)
					}
				})
			})
		}
	}
}

// All feeds of the emulated venue can be read, with nothing unknown in them.
func TestTypedFeeds(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.MarketDataHost)
		p.run()
		defer p.quit()
		depth, err := p.Depth(t.Context(), 3001)
		if err != nil {
			t.Fatal(err)
		}
		if d, e := next(t, depth), next(t, depth); d.ContractID != 3001 || len(d.Bids) == 0 || !d.Bids[0].Price.Set || len(d.Unknown) > 0 || &d.Bids[0] == &e.Bids[0] {
			t.Errorf("%+v", d)
		}
		histogram, err := p.Histograms(t.Context(), 3001)
		if err != nil {
			t.Fatal(err)
		}
		if h := next(t, histogram); h.ContractID != 3001 || len(h.Items) == 0 || len(h.Unknown) > 0 {
			t.Errorf("%+v", h)
		}
		for _, kind := range []string{"MinuteBar", "Tick"} {
			chart, err := p.Chart(t.Context(), 3001, socket.Chart{Description: map[string]any{"underlyingType": kind}, TimeRange: map[string]any{"asMuchAsElements": 5}})
			if err != nil {
				t.Fatal(err)
			}
			c := next(t, chart)
			for c.EndOfHistory {
				c = next(t, chart)
			}
			if len(c.Unknown) > 0 || kind == "MinuteBar" && (len(c.Bars) == 0 || c.Bars[0].Timestamp.IsZero()) || kind == "Tick" && (len(c.Ticks) == 0 || !c.Ticks[0].Trade.Price.Set) {
				t.Errorf("%s: %+v", kind, c)
			}
			chart.Close()
		}
	})
}

// A user sync as entities: what was there, an order's life, and what happens after a gap.
func TestTypedChanges(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.DemoHost)
		p.Sync.EntityTypes = []string{"user", "order", "orderVersion", "fill", "position"}
		changes := p.Changes(socket.Buffer{})
		p.run()
		defer p.quit()
		user, ok := next(t, changes).Entity.(*message.User)
		if !ok || user.Name != "alice" || user.Status != message.UserStatusActive {
			t.Fatalf("%+v", user)
		}
		market := socket.Request{Endpoint: "order/placeorder", Body: map[string]any{"accountId": 5001, "action": "Buy", "symbol": "ESZ6", "orderQty": 1, "orderType": "Market"}}
		if _, err := p.Do(t.Context(), market); err != nil {
			t.Fatal(err)
		}
		seen := map[string]message.Kind{}
		var last socket.Change
		for last.Entity == nil || last.Entity.EntityType() != "position" {
			last = next(t, changes)
			if _, odd := last.Entity.(*message.Other); odd {
				t.Errorf("%+v", last.Entity)
			}
			seen[last.Entity.EntityType()] = last.Kind
		}
		if position := last.Entity.(*message.Position); position.NetPos.Value != 1 || position.AccountID == 0 || position.Timestamp.IsZero() {
			t.Errorf("%+v", position)
		}
		if seen["order"] != message.Updated || seen["fill"] != message.Created {
			t.Error(seen)
		}
		time.Sleep(time.Second)
		s.CutSockets()
		gap := next(t, changes)
		if gap.Kind != socket.KindGap || gap.Entity != nil || !gap.To.After(gap.From) {
			t.Errorf("%+v", gap)
		}
		if again := next(t, changes); again.Kind != message.InSnapshot {
			t.Errorf("%+v", again)
		}
	})
}
