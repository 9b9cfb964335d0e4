package message_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func TestGoldenBytes(t *testing.T) {
	inner, err := (&message.ApplicationAuthReq{ClientID: "cid", ClientSecret: "sec"}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	envelope := message.Envelope{Type: message.TypeApplicationAuthReq, Payload: inner, ID: "1"}
	heartbeat := message.Envelope{Type: message.TypeHeartbeatEvent}
	for name, pair := range map[string]struct {
		got  []byte
		want string
	}{
		"message":            {inner, "12036369641a03736563"},
		"envelope":           {envelope.AppendBinary(nil), "08b410120a12036369641a037365631a0131"},
		"frame":              {message.AppendFrame(nil, envelope), "0000001208b410120a12036369641a037365631a0131"},
		"heartbeat":          {heartbeat.AppendBinary(nil), "0833"},
		"empty payload":      {message.Envelope{Type: message.TypeHeartbeatEvent, Payload: []byte{}}.AppendBinary(nil), "08331200"},
		"frame of heartbeat": {message.AppendFrame([]byte{7}, heartbeat), "07000000020833"},
	} {
		if got := hex.EncodeToString(pair.got); got != pair.want {
			t.Errorf("%s: %s, not %s", name, got, pair.want)
		}
	}
	for _, text := range []string{"0833", "08331200"} { // the second as the Python client sends it
		raw, _ := hex.DecodeString(text)
		var e message.Envelope
		if err := e.UnmarshalBinary(raw); err != nil || e.Type != message.TypeHeartbeatEvent || len(e.Payload) != 0 {
			t.Errorf("%s: %+v, %v", text, e, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for kind := range messages {
		for seed := range uint64(seeds) {
			m := filled(kind, seed)
			binary, err := m.AppendBinary([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			again, err := message.Decode(kind, binary[len("before"):])
			if err != nil || !reflect.DeepEqual(m, again) {
				t.Errorf("%v in binary: %+v became %+v, %v", kind, m, again, err)
			}
			text, err := m.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			again, err = message.StrictJSON(kind, text)
			if err != nil || !reflect.DeepEqual(m, again) {
				t.Errorf("%v in JSON: %s became %+v, %v", kind, text, again, err)
			}
			if m.PayloadType() != kind {
				t.Errorf("%v says that it is %v", kind, m.PayloadType())
			}
		}
	}
}

// The trap that two published clients fell into: an error decodes as a success
// if the type is ignored.
func TestTheTypeDecidesWhatBytesMean(t *testing.T) {
	payload, _ := (&message.ErrorRes{CtidTraderAccountID: message.Some[int64](7), ErrorCode: "CH_ACCESS_TOKEN_INVALID"}).AppendBinary(nil)
	for _, wrong := range []message.Message{new(message.ApplicationAuthRes), new(message.AccountAuthRes)} {
		if err := wrong.UnmarshalBinary(payload); err != nil {
			t.Errorf("the trap has closed by itself: %v", err)
		}
	}
	m, err := message.Decode(message.TypeErrorRes, payload)
	if e, ok := m.(*message.ErrorRes); err != nil || !ok || e.ErrorCode != "CH_ACCESS_TOKEN_INVALID" {
		t.Errorf("%+v, %v", m, err)
	}
	var unknown *message.UnknownTypeError
	for _, none := range []message.PayloadType{0, message.TypeMessage, 2189, -1} {
		if _, err := message.StrictJSON(none, nil); !errors.As(err, &unknown) {
			t.Errorf("%d: %v", none, err)
		}
		if _, err := message.Decode(none, nil); !errors.As(err, &unknown) || unknown.Type != none || !strings.HasSuffix(err.Error(), "has no message") {
			t.Errorf("%d: %v", none, err)
		}
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	spot := message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1, Bid: message.Some[uint64](123000), Ask: message.Some[uint64](123010)}
	quote, _ := spot.AppendBinary(nil)
	spot.Trendbar = []message.Trendbar{{Volume: 1, Low: message.Some[int64](5)}, {Volume: 2}}
	bars, _ := spot.AppendBinary(nil)
	depth := message.DepthEvent{NewQuotes: []message.DepthQuote{{ID: 1, Size: 2}}, DeletedQuotes: []uint64{1, 2, 3}}
	quotes, _ := depth.AppendBinary(nil)
	var kept message.SpotEvent
	var envelope message.Envelope
	framed := message.Envelope{Type: message.TypeSpotEvent, Payload: quote}.AppendBinary(nil)
	buffer := make([]byte, 0, 1024)
	for name, step := range map[string]struct {
		most float64
		do   func() error
	}{
		"the same spot event again":     {0, func() error { return kept.UnmarshalBinary(bars) }},
		"the same depth event again":    {0, func() error { return depth.UnmarshalBinary(quotes) }},
		"an envelope":                   {0, func() error { return envelope.UnmarshalBinary(framed) }},
		"a new spot event":              {1, func() error { _, err := message.Decode(message.TypeSpotEvent, quote); return err }},
		"writing into room":             {0, func() error { _, err := spot.AppendBinary(buffer); return err }},
		"writing a frame into room":     {0, func() error { message.AppendFrame(buffer, envelope); return nil }},
		"writing JSON into room":        {0, func() error { _, err := spot.AppendJSON(buffer); return err }},
		"the name of a payload type":    {0, func() error { _ = message.TypeSpotEvent.String(); return nil }},
		"what a request is answered by": {0, func() error { _, _ = message.Answer(message.TypeTraderReq); return nil }},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := testing.AllocsPerRun(100, func() { step.do() }); got > step.most {
			t.Errorf("%s: %v allocations, not %v", name, got, step.most)
		}
	}
}

func TestNothingOfTheInputIsKept(t *testing.T) {
	for kind := range messages {
		m := filled(kind, 0)
		payload, _ := m.AppendBinary(nil)
		again, err := message.Decode(kind, payload)
		clear(payload)
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Errorf("%v changed with its input: %v", kind, err)
		}
	}
}

func TestReadingEmptiesFirst(t *testing.T) {
	for kind := range messages {
		full, _ := filled(kind, 0).AppendBinary(nil)
		sparse, _ := filled(kind, 3).AppendBinary(nil)
		m := message.New(kind)
		if err := errors.Join(m.UnmarshalBinary(full), m.UnmarshalBinary(sparse)); err != nil {
			t.Fatal(err)
		}
		if got, _ := m.AppendBinary(nil); !bytes.Equal(got, sparse) {
			t.Errorf("%v: something was left of the message before", kind)
		}
	}
}

func TestPackedAndUnpacked(t *testing.T) {
	want := []int64{1, 300, -1}
	for _, raw := range []string{
		"1007" + "1801" + "18ac02" + "18ffffffffffffffffff01",
		"1007" + "1a0d" + "01" + "ac02" + "ffffffffffffffffff01",
		"1007" + "1801" + "1a0c" + "ac02" + "ffffffffffffffffff01" + "1a00",
	} {
		payload, _ := hex.DecodeString(raw)
		m, err := message.Decode(message.TypeSubscribeSpotsReq, payload)
		if err != nil || !slices.Equal(m.(*message.SubscribeSpotsReq).SymbolID, want) {
			t.Errorf("%s: %+v, %v", raw, m, err)
		}
	}
}

func TestBrokenBytes(t *testing.T) {
	for _, c := range []struct {
		kind     message.PayloadType
		raw      string
		complain string
	}{
		{message.TypeTraderReq, "", "message TraderReq: field ctidTraderAccountId is required and missing"},
		{message.TypeTraderReq, "1500000000", "message TraderReq: field ctidTraderAccountId is required and has another wire type"},
		{message.TypeTraderReq, "10", "message TraderReq: field ctidTraderAccountId is cut off"},
		{message.TypeTraderReq, "10ffffffffffffffffff02", "field ctidTraderAccountId has a number of more than 64 bits"},
		{message.TypeTraderReq, "10ffffffffffffffffffff01", "field ctidTraderAccountId has a number of more than 64 bits"},
		{message.TypeTraderReq, "80", "message TraderReq is cut off"},
		{message.TypeTraderReq, "00", "message TraderReq has an invalid field number"},
		{message.TypeTraderReq, "f8ffffffffffffffff01", "message TraderReq has an invalid field number"},
		{message.TypeTraderReq, "7f", "field number 15 has an unknown wire type"},
		{message.TypeTraderReq, "7c", "field number 15 ends a group that did not begin"},
		{message.TypeTraderReq, "7b", "field number 15 is cut off"},
		{message.TypeTraderReq, "7b84017c", "field number 15 ends a group that did not begin"},
		{message.TypeTraderReq, strings.Repeat("7b", 101), "field number 15 has groups nested too deep"},
		{message.TypeVersionRes, "120561", "message VersionRes: field version is cut off"},
		{message.TypeVersionRes, "12ffffffffffffffffff01", "message VersionRes: field version is cut off"},
		{message.TypeTrailingSLChangedEvent, "2900", "field stopPrice is cut off"},
		{message.TypeSubscribeSpotsReq, "10071a02ac82", "message SubscribeSpotsReq: field symbolId is cut off"},
		{message.TypeTraderRes, "10071a0408071005", "message TraderRes: field trader.depositAssetId is required and missing"},
		{message.TypeSpotEvent, "100718013200", "message SpotEvent: field trendbar.volume is required and missing"},
	} {
		payload, err := hex.DecodeString(c.raw)
		if err != nil {
			t.Fatal(err)
		}
		_, err = message.Decode(c.kind, payload)
		var decode *message.DecodeError
		if !errors.As(err, &decode) || !strings.Contains(err.Error(), c.complain) {
			t.Errorf("%v %s: %v, not %s", c.kind, c.raw, err, c.complain)
		}
	}
}

func TestUnknownThingsArePassedOver(t *testing.T) {
	payload, _ := hex.DecodeString("0800" + "1007" + "7b0801" + "83018401" + "7c" + "f80101" + "fa0103616263")
	m, err := message.Decode(message.TypeTraderReq, payload)
	if err != nil || m.(*message.TraderReq).CtidTraderAccountID != 7 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestARequiredEnumHasToBeSet(t *testing.T) {
	order := &message.NewOrderReq{CtidTraderAccountID: 7, SymbolID: 1, OrderType: message.OrderTypeMarket, Volume: 1000}
	_, inBinary := order.AppendBinary(nil)
	_, inJSON := order.MarshalJSON()
	for _, err := range []error{inBinary, inJSON} {
		var encode *message.EncodeError
		if !errors.As(err, &encode) || err.Error() != "message NewOrderReq: field tradeSide is required and not set" {
			t.Error(err)
		}
	}
	nested := &message.ReconcileRes{Position: []message.Position{{}}}
	if _, err := nested.AppendBinary(nil); err == nil || !strings.Contains(err.Error(), "message ReconcileRes: field position.tradeData.tradeSide") {
		t.Error(err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	m := &message.ApplicationAuthReq{ClientID: "cid", ClientSecret: "hidden"}
	if text := fmt.Sprintf("%v %+v %#v", m, *m, m); strings.Contains(text, "hidden") {
		t.Error(text)
	}
	if text, _ := m.MarshalJSON(); !strings.Contains(string(text), "hidden") {
		t.Errorf("the wire got %s", text)
	}
}

func TestLongMessagesInside(t *testing.T) {
	for _, n := range []int{0, 100, 127, 128, 16383, 16384, 1 << 20} {
		m := &message.SymbolsListRes{Symbol: []message.LightSymbol{{SymbolID: 1, Description: message.Some(strings.Repeat("x", n))}, {SymbolID: 2}}}
		payload, err := m.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := message.Decode(message.TypeSymbolsListRes, payload); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func BenchmarkDecodeSpot(b *testing.B) {
	payload, _ := (&message.SpotEvent{CtidTraderAccountID: 12345678, SymbolID: 1, Bid: message.Some[uint64](123000),
		Ask: message.Some[uint64](123010), Timestamp: message.Some[int64](1790000000000)}).AppendBinary(nil)
	var m message.SpotEvent
	b.ReportAllocs()
	for b.Loop() {
		if err := m.UnmarshalBinary(payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeSpotJSON(b *testing.B) {
	payload, _ := (&message.SpotEvent{CtidTraderAccountID: 12345678, SymbolID: 1, Bid: message.Some[uint64](123000),
		Ask: message.Some[uint64](123010), Timestamp: message.Some[int64](1790000000000)}).MarshalJSON()
	var m message.SpotEvent
	b.ReportAllocs()
	for b.Loop() {
		if err := m.UnmarshalJSON(payload); err != nil {
			b.Fatal(err)
		}
	}
}
