package message_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func TestNames(t *testing.T) {
	all := message.All()
	if len(all) != 92 || !slices.IsSorted(all) {
		t.Errorf("%d types: %v", len(all), all)
	}
	for _, kind := range all {
		for _, name := range []string{message.Name(kind), kind.String(), strings.ToLower(message.Name(kind))} {
			if got, ok := message.ByName(name); !ok || got != kind {
				t.Errorf("%s is %d, not %d", name, got, kind)
			}
		}
		if (message.New(kind) == nil) != (kind == message.TypeMessage) {
			t.Errorf("%v has a message or has none", kind)
		}
	}
	for name, want := range map[string]message.PayloadType{
		"TraderReq": message.TypeTraderReq, "traderreq": message.TypeTraderReq, "2121": message.TypeTraderReq,
		"TRADER_REQ": message.TypeTraderReq, "OATraderReq": message.TypeTraderReq,
		"ErrorRes": message.TypeErrorRes, "ERROR_RES": message.TypeCommonErrorRes, "CommonErrorRes": message.TypeCommonErrorRes,
		"SymbolByID" + "Req": message.TypeSymbolByIDReq, "PROTO_OA_GET_TICKDATA_REQ": message.TypeGetTickDataReq,
	} {
		if got, ok := message.ByName(name); !ok || got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
	for _, name := range []string{"", "Trader", "9999", "-1", "ProtoOA"} {
		if got, ok := message.ByName(name); ok {
			t.Errorf("%q is %v", name, got)
		}
	}
	if message.PayloadType(9999).String() != "9999" || message.Name(9999) != "" {
		t.Error("an unknown number has a name")
	}
	for typed, want := range map[string]string{"TradrReq": "TraderReq", "PROTO_OA_TRADERREQ": "TraderReq", "ProtoOASpotEvnt": "SpotEvent", "GetTrendbars": "GetTrendbarsReq"} {
		if got := message.Nearest(typed); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %v", typed, got)
		}
	}
	if got := message.Nearest(strings.Repeat("x", 1<<20)); len(got) > 0 {
		t.Error(got)
	}
}

func TestWhoAnswersWhom(t *testing.T) {
	for _, kind := range message.All() {
		name := message.Name(kind)
		if message.IsRequest(kind) != strings.HasSuffix(name, "Req") || message.IsEvent(kind) != strings.HasSuffix(name, "Event") {
			t.Errorf("%s is taken for something else", name)
		}
		answer, ok := message.Answer(kind)
		want := strings.TrimSuffix(name, "Req") + "Res"
		if message.IsOrder(kind) {
			want = "ProtoOAExecutionEvent"
		}
		if ok != message.IsRequest(kind) || ok && message.Name(answer) != want {
			t.Errorf("%s is answered by %v, %v", name, answer, ok)
		}
	}
	for req, want := range map[message.PayloadType]message.PayloadType{2100: 2101, 2135: 2165, 2136: 2166, 2106: 2126, 2108: 2126, 2109: 2126, 2110: 2126, 2111: 2126, 2187: 2188} {
		if got, ok := message.Answer(req); !ok || got != want {
			t.Errorf("%d is answered by %d", req, got)
		}
	}
	for kind, want := range map[message.PayloadType]bool{2137: true, 2145: true, 2133: true, 2175: false, 2121: false} {
		if message.Historical(kind) != want {
			t.Errorf("%v: historical is not %v", kind, want)
		}
	}
}

func TestEnums(t *testing.T) {
	for text, want := range map[string]message.OrderStatus{"ORDER_STATUS_FILLED": 2, "filled": 2, "2": 2, "77": 77} {
		if got, err := message.ParseOrderStatus(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if _, err := message.ParseTradeSide("BUYY"); err == nil || err.Error() != `enum TradeSide has no value "BUYY"; did you mean BUY?` {
		t.Error(err)
	}
	if message.OrderStatusFilled.String() != "ORDER_STATUS_FILLED" || message.OrderStatus(77).String() != "77" {
		t.Error("names of values")
	}
	if message.ErrorCodeAlreadyLoggedIn.String() != "ALREADY_LOGGED_IN" || message.CommonErrorCodeCantRouteRequest.String() != "CANT_ROUTE_REQUEST" {
		t.Error("names of error codes")
	}
}
