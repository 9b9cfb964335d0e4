package message

import (
	"encoding/json"
	"fmt"
	"testing"
)

// A histogram counts from its base, in ticks.
func ExampleHistogram_Decode() {
	var h Histogram
	err := h.Decode([]byte(`{"contractId":5,"base":18400,"items":{"-14":5906.67,"2":1},` +
		`"tradeDate":{"year":2026,"month":11,"day":3},"refresh":true}`))
	fmt.Println(err, h.Items[0].Ticks, h.Items[0].Size.Value, h.TradeDate.Year, h.Refresh)
	// Output: <nil> -14 5906.67 2026 true
}

// A packet has bars, or ticks, whose prices and times the venue tells from a base.
func ExampleChart_Decode() {
	var c Chart
	err := c.Decode([]byte(`{"id":9,"td":20261103,"bars":[{"timestamp":"2026-11-03T15:04Z","open":1.5,"close":0}]}`))
	fmt.Println(err, c.Bars[0].Open.Value, c.Bars[0].Close.Set, c.Bars[0].High.Set)
	err = c.Decode([]byte(`{"id":9,"s":"db","td":20190718,"tks":[{"t":7,"p":1,"s":3,"b":-1,"bs":122,"id":11768401}],"bp":11917,"bt":1563421179735,"ts":0.25}`))
	tick := c.Ticks[0]
	fmt.Println(err, tick.ID, tick.Timestamp.Format("15:04:05.000"), tick.Trade.Price.Value, tick.Bid.Price.Value, tick.Offer.Price.Set)
	// Output:
	// <nil> 1.5 true false
	// <nil> 11768401 03:39:39.742 2979.5 2979 false
}

// FuzzChart lets encoding/json judge whether what is read as a chart or histogram is JSON.
func FuzzChart(f *testing.F) {
	f.Add([]byte(`{"id":9,"eoh":true,"bars":[{"open":1.5}]}`))
	f.Add([]byte(`{"bt":1,"tks":[{"t":1,"p":-1,"a":null,"x":1}],"ts":"x"}`))
	f.Add([]byte(`{"base":1,"items":{"-1":2,"x":[]},"tradeDate":null,"refresh":false}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Chart
		if c.Decode(text) == nil && !json.Valid(text) {
			t.Errorf("%q was read as a chart and is not JSON", text)
		}
		var h Histogram
		if h.Decode(text) == nil && !json.Valid(text) {
			t.Errorf("%q was read as a histogram and is not JSON", text)
		}
	})
}
