package tradovate

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// socketmarket.go owns market data: quotes, depth, histograms and charts, in the shapes
// that the documentation of subscriptions has. Prices are made up.

// The events of market data.
const (
	Subscribed   emulator.EventKind = "subscribed"
	Unsubscribed emulator.EventKind = "unsubscribed"
)

// contract is something to trade.
type contract struct {
	id          int64
	name        string
	price, tick float64
}

var contracts = []contract{
	{3001, "ESZ6", 6850, 0.25},
	{3002, "NQZ6", 25300, 0.25},
	{3003, "CLF7", 58.4, 0.01},
}

func (x contract) fields() map[string]any {
	return map[string]any{"id": x.id, "name": x.name, "contractMaturityId": x.id + 1000, "status": "DefinitionChecked", "providerTickSize": x.tick}
}

// contractBy finds a contract by its name or its number.
func contractBy(symbol string) (contract, bool) {
	for _, one := range contracts {
		if strings.EqualFold(one.name, symbol) || strconv.FormatInt(one.id, 10) == symbol {
			return one, true
		}
	}
	return contract{}, false
}

// topic is one subscription of a socket.
type topic struct {
	kind     string // quote, dom, histogram or chart
	contract int64
	chart    int64 // the number of a chart, of which a contract may have many
	ticks    bool  // the chart is of ticks, and not of bars
}

// market carries out a request at the host of market data.
func (c *socket) market(r request) answered {
	name, ok := strings.CutPrefix(r.endpoint, "md/")
	if !ok {
		return refused(http.StatusNotFound, "Not found: "+r.endpoint)
	}
	if c.server.Current().Socket.QuotesDenied {
		return refused(http.StatusUnauthorized, "Access is denied")
	}
	var body struct {
		Symbol         json.RawMessage `json:"symbol"` // a name or a number
		SubscriptionID int64           `json:"subscriptionId"`
		Chart          struct {
			UnderlyingType string `json:"underlyingType"`
		} `json:"chartDescription"`
	}
	if !r.read(&body) {
		return refused(http.StatusBadRequest, "Bad request")
	}
	found, known := contractBy(strings.Trim(string(body.Symbol), `"`))
	kind, subscribes := strings.CutPrefix(name, "subscribe")
	switch {
	case name == "cancelchart":
		return c.cancelChart(body.SubscriptionID)
	case !known:
		return answered{http.StatusOK, map[string]any{"errorText": "Unknown symbol", "errorCode": "UnknownSymbol", "mode": "None"}}
	case name == "getchart":
		return c.chart(found, body.Chart.UnderlyingType == "Tick")
	case subscribes && isFeed(kind):
		return c.subscribe(topic{kind: kind, contract: found.id})
	}
	if kind, ends := strings.CutPrefix(name, "unsubscribe"); ends && isFeed(kind) {
		return c.unsubscribe(topic{kind: kind, contract: found.id})
	}
	return refused(http.StatusNotFound, "Not found: "+r.endpoint)
}

func isFeed(kind string) bool { return kind == "quote" || kind == "dom" || kind == "histogram" }

func (c *socket) subscribe(t topic) answered {
	c.mu.Lock()
	c.topics[t] = 0
	c.mu.Unlock()
	c.server.core.Record(emulator.Event{Kind: Subscribed, Status: http.StatusOK, Detail: t.kind + " " + strconv.FormatInt(t.contract, 10)})
	return answered{http.StatusOK, map[string]any{"mode": "RealTime"}}
}

func (c *socket) unsubscribe(t topic) answered {
	c.mu.Lock()
	delete(c.topics, t)
	c.mu.Unlock()
	c.server.core.Record(emulator.Event{Kind: Unsubscribed, Status: http.StatusOK, Detail: t.kind + " " + strconv.FormatInt(t.contract, 10)})
	return answered{http.StatusOK, map[string]any{}}
}

// chart answers with the numbers under which what was and what is will come. The first
// part of what was comes at once, and its end behind it.
func (c *socket) chart(of contract, ticks bool) answered {
	past, now := c.server.sockets.nextID(), c.server.sockets.nextID()
	t := topic{kind: "chart", contract: of.id, chart: now, ticks: ticks}
	c.subscribe(t)
	c.mu.Lock()
	c.topics[t] = past
	c.mu.Unlock()
	return answered{http.StatusOK, map[string]any{"historicalId": past, "realtimeId": now}}
}

func (c *socket) cancelChart(id int64) answered {
	c.mu.Lock()
	var found topic
	for t, past := range c.topics {
		if t.kind == "chart" && (t.chart == id || past == id) {
			found = t
		}
	}
	c.mu.Unlock()
	if found.kind == "" {
		return refused(http.StatusNotFound, "Not found")
	}
	return c.unsubscribe(found)
}

// streams reports whether market data flows on the socket.
func (c *socket) streams() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.topics) > 0
}

// quote sends what there is for each subscription.
func (c *socket) quote() {
	now := c.server.core.Clock.Now().UTC()
	c.mu.Lock()
	var list []any
	for t, past := range c.topics {
		of, _ := contractBy(strconv.FormatInt(t.contract, 10))
		of.price += of.tick * float64(now.Unix()%8)
		if t.kind == "chart" && past != 0 {
			list = append(list, chartEvent(past, of, t.ticks, now), packet(map[string]any{"id": past, "eoh": true}))
			c.topics[t] = 0
		}
		list = append(list, of.event(t, now))
	}
	c.mu.Unlock()
	if len(list) > 0 {
		c.tell(list...)
	}
}

// event is one event of a subscription.
func (x contract) event(t topic, now time.Time) any {
	at := now.Format(timeFormat)
	md := func(list string, one map[string]any) any {
		one["contractId"], one["timestamp"] = x.id, at
		return map[string]any{"e": "md", "d": map[string]any{list: []any{one}}}
	}
	level := func(price float64, size int) map[string]any { return map[string]any{"price": price, "size": size} }
	switch t.kind {
	case "quote":
		return md("quotes", map[string]any{"entries": map[string]any{
			"Bid": level(x.price-x.tick, 33), "Offer": level(x.price, 21), "Trade": level(x.price, 2),
			"TotalTradeVolume": map[string]any{"size": 4118}, "HighPrice": map[string]any{"price": x.price + 8*x.tick},
			"LowPrice": map[string]any{"price": x.price - 8*x.tick}, "OpeningPrice": map[string]any{"price": x.price},
			"OpenInterest": map[string]any{"size": 40702}, "SettlementPrice": map[string]any{"price": x.price},
		}})
	case "dom":
		return md("doms", map[string]any{
			"bids":   []any{level(x.price-x.tick, 33), level(x.price-2*x.tick, 40)},
			"offers": []any{level(x.price, 21), level(x.price+x.tick, 17)},
		})
	case "histogram":
		return md("histograms", map[string]any{
			"tradeDate": map[string]any{"year": now.Year(), "month": int(now.Month()), "day": now.Day()},
			"base":      x.price, "items": map[string]any{"-14": 5906.67, "2": 1234.5}, "refresh": false,
		})
	}
	return chartEvent(t.chart, x, t.ticks, now)
}

func chartEvent(id int64, x contract, ticks bool, now time.Time) any {
	day := now.Year()*10000 + int(now.Month())*100 + now.Day()
	if ticks {
		return packet(map[string]any{"id": id, "s": "db", "td": day, "bp": math.Round(x.price / x.tick), "bt": now.Add(-time.Second).UnixMilli(), "ts": x.tick,
			"tks": []any{
				map[string]any{"t": 0, "p": 0, "s": 3, "b": -1, "a": 0, "bs": 122, "as": 28, "id": 2 * now.UnixMilli()},
				map[string]any{"t": 400, "p": 1, "s": 1, "id": 2*now.UnixMilli() + 1},
			}})
	}
	bar := map[string]any{
		"timestamp": now.Truncate(time.Minute).Format(timeFormat), "open": x.price, "high": x.price + x.tick, "low": x.price - x.tick, "close": x.price,
		"upVolume": 4712.2, "downVolume": 201.1, "upTicks": 1333.5, "downTicks": 82.8, "bidVolume": 2857.1, "offerVolume": 2056.2,
	}
	return packet(map[string]any{"id": id, "td": day, "bars": []any{bar}})
}

// packet is an event with one packet of a chart.
func packet(of map[string]any) any {
	return map[string]any{"e": "chart", "d": map[string]any{"charts": []any{of}}}
}
