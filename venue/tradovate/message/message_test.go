package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"
)

const quoteText = `{"timestamp":"2026-11-03T15:04:05.678Z","contractId":9007199254740993,"entries":{` +
	`"Bid":{"price":18405.25,"size":7},"TotalTradeVolume":{"size":4118},"Offer":{"price":18405.5,"size":0}}}`

// A quote tells what is absent from what is zero, and keeps what it does not know.
func ExampleQuote_Decode() {
	var q Quote
	err := q.Decode([]byte(`{"contractId":5,"entries":{"Bid":{"price":1.25,"size":0},"Mid":{"price":2}}}`))
	fmt.Println(err, q.Bid.Size.Set, q.Offer.Size.Set, q.Unknown[0].Name, string(q.Unknown[0].Value))
	fmt.Println(q.Decode([]byte(`{"entries":{"Bid":{"price":"x"}}}`)))
	// Output:
	// <nil> true false entries.Mid {"price":2}
	// field entries.Bid.price: a value is missing (at byte 27)
}

// The best price of a side comes first.
func ExampleDepth_Decode() {
	var d Depth
	err := d.Decode([]byte(`{"contractId":5,"bids":[{"price":2,"size":3},{"price":1,"size":9}],"offers":[]}`))
	fmt.Println(err, d.Bids[0].Price.Value, len(d.Bids), len(d.Offers))
	// Output: <nil> 2 2 0
}

func TestAQuoteCostsNoMemory(t *testing.T) {
	var q Quote
	text := []byte(quoteText)
	if n := testing.AllocsPerRun(100, func() {
		if err := q.Decode(text); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a quote into a reused value, want none", n)
	}
	want := time.Date(2026, 11, 3, 15, 4, 5, 678e6, time.UTC)
	if q.ContractID != 9007199254740993 || !q.Timestamp.Equal(want) || q.Offer.Size != (Number{0, true}) || q.Trade.Price.Set {
		t.Errorf("read %+v", q)
	}
}

func BenchmarkQuote(b *testing.B) {
	var q Quote
	text := []byte(quoteText)
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

// A list of quotes costs no memory either, once there is room for them.
func TestQuotesCostNoMemory(t *testing.T) {
	text := []byte(`[` + quoteText + `, {"contractId":4,"x":1}]}`)
	quotes, rest, err := Quotes(text, nil)
	if err != nil || len(quotes) != 2 || string(rest) != "}" || quotes[0].Bid.Size.Value != 7 || quotes[1].Unknown[0].Name != "x" {
		t.Fatalf("%+v %q %v", quotes, rest, err)
	}
	plain := []byte(`[` + quoteText + `]`)
	if n := testing.AllocsPerRun(100, func() {
		if quotes, _, err = Quotes(plain, quotes); err != nil || len(quotes) != 1 {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if _, _, err := Quotes([]byte(`[`+quoteText+`,{"contractId":"x"}]`), nil); err == nil {
		t.Error("a contract that is no number is taken")
	}
}

// FuzzScan lets encoding/json judge what is JSON.
func FuzzScan(f *testing.F) {
	for _, text := range []string{quoteText, `[1e5,-0,0.1E-7,"\ud83d\ude00",null,true,false,{}]`,
		"01", "1.", "-", `"\x"`, "\"\t\"", "[1,]",
		`{"a":1,}`, `{"a" 1}`, "[", "nul", " 1 ", "1 2", "", "\x00", "\u00a01", `"\ud800"`, "[}", "\"\xff\""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{text: text}
		_, err := s.value()
		if err == nil {
			err = s.end()
		}
		var deep *Error
		if errors.As(err, &deep) && deep.Reason == "it is nested too deep" {
			return
		}
		if valid := json.Valid(text); valid != (err == nil) {
			t.Errorf("%q: %v, encoding/json says %t", text, err, valid)
		}
	})
}

// FuzzNumber lets encoding/json judge the values of a level.
func FuzzNumber(f *testing.F) {
	for _, text := range []string{"0", "-0", "1.25", "0.1", "1e400", "123456789012345678", "999999999999999", "0.000000000000001", "null", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want *float64
		judge := json.Unmarshal([]byte(text), &want)
		var got Number
		s := scanner{text: []byte(text)}
		err := s.float(&got)
		if err == nil {
			err = s.end()
		}
		if (judge == nil) != (err == nil) {
			t.Fatalf("%q: %v, encoding/json says %v", text, err, judge)
		}
		if err == nil && (got.Set != (want != nil) || got.Set && got.Value != *want) {
			t.Errorf("%q: %v, encoding/json says %v", text, got, want)
		}
	})
}

// FuzzQuote lets encoding/json judge which text that is read is JSON.
func FuzzQuote(f *testing.F) {
	f.Add([]byte(quoteText))
	f.Add([]byte(`{"entries":null,"timestamp":"2026-11-03T15:04Z","contract\u0049d":3}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var q Quote
		if q.Decode(text) == nil && !json.Valid(text) {
			t.Errorf("%q was read and is not JSON", text)
		}
		var d Depth
		if d.Decode(text) == nil && !json.Valid(text) {
			t.Errorf("%q was read as depth and is not JSON", text)
		}
	})
}
