package message_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func TestJSONForms(t *testing.T) {
	want := &message.NewOrderReq{CtidTraderAccountID: 9223372036854775807, SymbolID: 1, OrderType: message.OrderTypeLimit,
		TradeSide: message.TradeSideBuy, Volume: 1000, LimitPrice: message.Some(1.25), Comment: message.Some("a\"b")}
	text, err := want.MarshalJSON()
	if err != nil || string(text) != `{"ctidTraderAccountId":9223372036854775807,"symbolId":1,"orderType":2,"tradeSide":1,"volume":1000,"limitPrice":1.25,"comment":"a\"b"}` {
		t.Errorf("%s, %v", text, err)
	}
	for _, form := range []string{
		string(text),
		`{"ctidTraderAccountId":"9223372036854775807","symbolId":"1","orderType":"LIMIT","tradeSide":"buy","volume":"1000","limitPrice":"1.25","comment":"a\u0022b"}`,
		` { "payloadType" : "PROTO_OA_NEW_ORDER_REQ" , "tradeSide":"1","symbolId":1,"orderType":"2","label":null,
		    "ctidTraderAccountId":9223372036854775807,"volume":1000,"limitPrice":125e-2,"comment":"a\"b" } `,
	} {
		if m, err := message.StrictJSON(message.TypeNewOrderReq, []byte(form)); err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %+v, %v", form, m, err)
		}
	}
	loose := `{"ctidTraderAccountId":7,"new":{"a":[1,{"b":null}],"c":true},"payloadType":{}}`
	if m, err := message.DecodeJSON(message.TypeTraderReq, []byte(loose)); err != nil || m.(*message.TraderReq).CtidTraderAccountID != 7 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, empty := range []string{"", " ", "null", "{}"} {
		if m, err := message.DecodeJSON(message.TypeVersionReq, []byte(empty)); err != nil || m == nil {
			t.Errorf("%q: %v", empty, err)
		}
	}
	var status message.PositionStatus
	if err := json.Unmarshal([]byte(`"closed"`), &status); err != nil || status != message.PositionStatusClosed {
		t.Errorf("%v, %v", status, err)
	}
	if text, _ := json.Marshal(message.Trader{Balance: 1}); !strings.HasPrefix(string(text), `{"ctidTraderAccountId":0,"balance":1`) {
		t.Errorf("a message that is no pointer: %s", text)
	}
}

func TestBrokenJSON(t *testing.T) {
	for _, c := range []struct {
		text, complain string
		strictOnly     bool
	}{
		{`{"returnProtectionOrder":true,"ctidTraderAccountId":7}`, "message ReconcileReq: field returnProtectionOrder is not one of this message; did you mean returnProtectionOrders? (at byte 25)", true},
		{`{"traderAccountId":7}`, "required", false},
		{`{"ctidTraderAccountId":7,"ctidTraderAccountId":8}`, "field ctidTraderAccountId is duplicated", true},
		{`{"ctidTraderAccountId":7,"payloadType":2121}`, "field payloadType is that of another message", true},
		{`{}`, "message ReconcileReq: field ctidTraderAccountId is required and missing", false},
		{`{"ctidTraderAccountId":null}`, "field ctidTraderAccountId is required and missing", false},
		{`{"ctidTraderAccountId":`, "field ctidTraderAccountId is cut off (at byte 23)", false},
		{`{"ctidTraderAccountId":7`, "is cut off", false},
		{`{"ctidTraderAccountId":7}x`, "has data after its end (at byte 25)", false},
		{`{"ctidTraderAccountId":7,}`, "followed by a key in quotes", false},
		{`{"ctidTraderAccountId" 7}`, "followed by a colon", false},
		{`{"ctidTraderAccountId":1.5}`, "field ctidTraderAccountId is not a whole number", false},
		{`{"ctidTraderAccountId":"abc"}`, "field ctidTraderAccountId is not a whole number (at byte 23)", false},
		{`{"ctidTraderAccountId":9223372036854775808}`, "field ctidTraderAccountId does not fit into 64 bits", false},
		{`{"ctidTraderAccountId":07}`, "field ctidTraderAccountId is not a whole number", false},
		{`{"ctidTraderAccountId":7,"returnProtectionOrders":"yes"}`, "field returnProtectionOrders is not true or false", false},
		{`{"ctidTraderAccountId":7,"x":` + strings.Repeat("[", 200), "nested too deep", false},
		{`{"ctidTraderAccountId":7,"x":[1 2]}`, "followed by a comma or the end of the list", false},
		{`{"ctidTraderAccountId":7,"x":nul}`, "field x is not a value", false},
		{`{"ctidTraderAccountId":7,"x":1.}`, "field x is not a value", false},
		{`[]`, "message ReconcileReq is not an object (at byte 0)", false},
		{"{\"a\nb\":1}", "has a control character", false},
		{`{"\x":1}`, "has an escape in a text that JSON does not have", false},
	} {
		_, loose := message.DecodeJSON(message.TypeReconcileReq, []byte(c.text))
		_, strict := message.StrictJSON(message.TypeReconcileReq, []byte(c.text))
		if strict == nil || c.strictOnly != (loose == nil) {
			t.Errorf("%s: loosely %v, strictly %v", c.text, loose, strict)
			continue
		}
		judged := loose
		if c.strictOnly {
			judged = strict
		}
		var decode *message.DecodeError
		if !errors.As(judged, &decode) || decode.Offset < 0 || !strings.Contains(judged.Error(), c.complain) {
			t.Errorf("%s: %v, not %s", c.text, judged, c.complain)
		}
	}
}

func TestBrokenValuesInJSON(t *testing.T) {
	order := func(field string) string {
		return `{"ctidTraderAccountId":7,"symbolId":1,"orderType":"MARKET","tradeSide":"BUY","volume":1000,` + field + `}`
	}
	for field, complain := range map[string]string{
		`"timeInForce":"GOOD_TIL_CANCEL"`: "field timeInForce has no such value; did you mean GOOD_TILL_CANCEL?",
		`"stopLoss":"NaN"`:                "field stopLoss is not a number",
		`"stopLoss":1e999`:                "field stopLoss is too large for a number",
		`"positionId":-`:                  "field positionId is not a whole number",
		`"guaranteedStopLoss":tru`:        "field guaranteedStopLoss is not true or false",
		`"timeInForce":"A`:                "field timeInForce is cut off",
		`"slippageInPoints":4294967296`:   "field slippageInPoints does not fit into 32 bits",
	} {
		if _, err := message.DecodeJSON(message.TypeNewOrderReq, []byte(order(field))); err == nil || !strings.Contains(err.Error(), complain) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestNumbersThatJSONDoesNotHave(t *testing.T) {
	for _, value := range []float64{math.NaN(), math.Inf(1)} {
		_, err := (&message.TrailingSLChangedEvent{StopPrice: value}).MarshalJSON()
		if err == nil || !strings.Contains(err.Error(), "field stopPrice is a number that JSON does not have") {
			t.Error(err)
		}
	}
}

func TestJSONErrorsHoldNoValues(t *testing.T) {
	for _, text := range []string{`{"clientId":"a","clientSecret":"hidden`, `{"clientId":"a","clientSecret":hidden}`, `{"clientId":"a","clientSecret":["hidden"]}`} {
		if _, err := message.StrictJSON(message.TypeApplicationAuthReq, []byte(text)); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Error(err)
		}
	}
}

func TestEnvelopeInJSON(t *testing.T) {
	for want, e := range map[string]message.Envelope{
		`{"payloadType":2101}`: {Type: message.TypeApplicationAuthRes, Payload: []byte("{}")},
		`{"payloadType":51}`:   {Type: message.TypeHeartbeatEvent},
		`{"clientMsgId":"cm_id_2","payloadType":2121,"payload":{"ctidTraderAccountId":7}}`: {
			Type: message.TypeTraderReq, ID: "cm_id_2", Payload: []byte(`{"ctidTraderAccountId":7}`)},
	} {
		text, err := json.Marshal(e)
		if err != nil {
			t.Error(err)
		}
		if string(text) != want {
			t.Errorf("%s, not %s", text, want)
		}
		var again message.Envelope
		if err := again.UnmarshalJSON(text); err != nil || again.Type != e.Type || again.ID != e.ID {
			t.Errorf("%s: %+v, %v", text, again, err)
		}
		if string(again.Payload) != string(e.Payload) && string(e.Payload) != "{}" {
			t.Errorf("%s: payload %s", text, again.Payload)
		}
	}
	var e message.Envelope
	if err := json.Unmarshal([]byte(`{"payload":{"a":1},"x":[],"payloadType":"ProtoOAErrorRes","clientMsgId":null}`), &e); err != nil ||
		e.Type != message.TypeErrorRes || string(e.Payload) != `{"a":1}` {
		t.Errorf("%+v, %v", e, err)
	}
	for _, text := range []string{``, `{}`, `{"payloadType":"x"}`, `{"payloadType":51,"payload":{`, `{"payloadType":51,"clientMsgId":1}`, `{"payloadType":3000000000}`} {
		if err := e.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestOptional(t *testing.T) {
	var none message.Optional[int64]
	some := message.Some[int64](0)
	if _, ok := none.Get(); ok || none.Or(5) != 5 || !none.IsZero() || none.String() != "absent" {
		t.Error(none)
	}
	if value, ok := some.Get(); !ok || value != 0 || some.Or(5) != 0 || some.IsZero() || some.String() != "0" || some == none {
		t.Error(some)
	}
	pair := struct {
		A message.Optional[int64] `json:"a,omitzero"`
		B message.Optional[int64] `json:"b"`
		C message.Optional[int64] `json:"c"`
	}{C: some}
	text, err := json.Marshal(pair)
	if err != nil || string(text) != `{"b":null,"c":0}` {
		t.Errorf("%s, %v", text, err)
	}
	again := pair
	again.B = message.Some[int64](1)
	if err := json.Unmarshal(text, &again); err != nil || again != pair {
		t.Errorf("%+v, %v", again, err)
	}
}
