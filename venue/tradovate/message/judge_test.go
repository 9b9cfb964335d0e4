package message

import (
	"encoding/json"
	"testing"
)

// judge reads the bid and the contract of a quote by encoding/json, by exact keys, of
// which the last counts.
func judge(t *testing.T, text []byte) (contract int64, bid [2]*float64) {
	take := func(from json.RawMessage, to any) {
		if from == nil {
			return
		}
		if err := json.Unmarshal(from, to); err != nil {
			t.Fatalf("%q was read, and encoding/json says %v", text, err)
		}
	}
	var quote, entries, level map[string]json.RawMessage
	take(text, &quote)
	take(quote["contractId"], &contract)
	take(quote["entries"], &entries)
	take(entries["Bid"], &level)
	take(level["price"], &bid[0])
	take(level["size"], &bid[1])
	return contract, bid
}

// FuzzQuoteValues lets encoding/json judge the values of a quote.
func FuzzQuoteValues(f *testing.F) {
	for _, text := range []string{
		quoteText,
		`{"entries":{"Bid":{"price":1,"price":null,"size":1e2},"Bid":{"size":-0.5}}}`,
		`{"entries":{"Bid":{"price":1}},"entries":{}}`,
		`{"entries":{"Bid":{"price":1}},"entries":null,"contractId":9223372036854775807}`,
		`{"\u0065ntries":{"B\u0069d":{"price":0.1}}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var q Quote
		if q.Decode(text) != nil {
			return
		}
		contract, bid := judge(t, text)
		if q.ContractID != contract {
			t.Errorf("%q: contract %d, encoding/json says %d", text, q.ContractID, contract)
		}
		for i, got := range []Number{q.Bid.Price, q.Bid.Size} {
			if want := bid[i]; got.Set != (want != nil) || got.Set && got.Value != *want {
				t.Errorf("%q: %v, encoding/json says %v", text, got, want)
			}
		}
	})
}

// BenchmarkQuoteByEncodingJSON is what a quote costs by encoding/json into structs.
func BenchmarkQuoteByEncodingJSON(b *testing.B) {
	type level struct{ Price, Size *float64 }
	text := []byte(quoteText)
	b.ReportAllocs()
	for b.Loop() {
		var q struct {
			ContractID int64 `json:"contractId"`
			Timestamp  string
			Entries    struct{ Bid, Offer, TotalTradeVolume level }
		}
		if err := json.Unmarshal(text, &q); err != nil {
			b.Fatal(err)
		}
	}
}
