package openapi_test

// interop_test.go owns interoperability with a client written by others:
// @reiryoku/ctrader-layer from npm, a library for the real servers, as it is.
// testdata/interop pins it and drives it; what the server saw is judged here.

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/internal/npmtest"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// What the server has to take from this client, and to give it:
//
//   - the length and the message come in one write, and the payload has no
//     payloadType in it, neither in requests nor in heartbeats
//   - a message without fields comes with a payload that is there and empty, and
//     is needed so too: an answer or a heartbeat whose envelope has no payload
//     ends this client with an exception
//   - a heartbeat has an ID, an empty payload, and expects no answer
//   - an ID is a UUID as text; it has to come back unchanged, and must be missing
//     in events
//   - repeated numbers come unpacked
//   - an order has no answer of its own, only events
//   - a payload type that it does not know ends it, so that nothing newer than
//     its messages may be sent unasked
func TestAClientThatIsNotOurs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	folder := npmtest.Install(ctx, t, "testdata/interop")

	s := started(t, openapi.Knobs{QuoteEvery: 50 * time.Millisecond, Heartbeat: 200 * time.Millisecond})
	steps := runInterop(ctx, t, s, folder)
	for _, want := range []struct{ step, got string }{
		{"open", `{}`},
		{"too early", `"errorCode":"CH_CLIENT_NOT_AUTHENTICATED"`},
		{"ProtoOAVersionReq", `"version":"`},
		{"ProtoOAApplicationAuthReq", `"PROTO_OA_APPLICATION_AUTH_RES"`},
		{"ProtoOAGetAccountListByAccessTokenReq", `"permissionScope":"SCOPE_TRADE"`},
		{"ProtoOAGetAccountListByAccessTokenReq", `"ctidTraderAccountId":"5001","isLive":false`},
		{"ProtoOAGetAccountListByAccessTokenReq", `"ctidTraderAccountId":"5002","isLive":true`},
		{"wrong host", `"errorCode":"CANT_ROUTE_REQUEST"`},
		{"ProtoOAAccountAuthReq", `"ctidTraderAccountId":"5001"`},
		{"ProtoOATraderReq", `"balance":"1000000"`},
		{"ProtoOASymbolsListReq", `"symbolName":"EURUSD"`},
		{"ProtoOASubscribeSpotsReq", `"ctidTraderAccountId":"5001"`},
		{"first spot", `"bid":"108`}, // and what follows: on a busy machine the price has moved by then
		{"first spot", `"ask":"108`},
		{"next spot", `"symbolId":"1"`},
		{"ProtoHeartbeatEvent", `"HEARTBEAT_EVENT"`},
		{"filled", `"executionType":"ORDER_FILLED"`},
		{"ProtoOAReconcileReq", `"volume":"100000","tradeSide":"BUY"`},
		{"ProtoOAAccountsTokenInvalidatedEvent", `"ctidTraderAccountIds":["5001"]`},
		{"ProtoOARefreshTokenReq", `"tokenType":"bearer"`},
		{"after the refresh", `"errorCode":"INVALID_REQUEST"`},
		{"old token", `"errorCode":"CH_ACCESS_TOKEN_INVALID"`},
		{"signed in again", `"ctidTraderAccountId":"5001"`},
		{"trader again", `"moneyDigits":2`},
	} {
		if got := steps[want.step]; !strings.Contains(got, want.got) {
			t.Errorf("%s: %s came, not %s", want.step, got, want.got)
		}
	}
	for kind, want := range map[openapi.Kind]int{
		openapi.Connected: 1, openapi.AppAuthorized: 1, openapi.AccountAuthorized: 2, openapi.Subscribed: 1,
		openapi.TokensRefreshed: 1, openapi.Refused: 4,
	} {
		if got := s.Log().Count(kind); got != want {
			t.Errorf("%s: %d times, not %d", kind, got, want)
		}
	}
	if got := s.Log().Count(openapi.Received, message.TypeHeartbeatEvent); got != 1 {
		t.Errorf("%d heartbeats were received", got)
	}
}

// runInterop is what came at each step of the script, as JSON.
func runInterop(ctx context.Context, t *testing.T, s *openapi.Server, folder string) map[string]string {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addresses().DemoProtobuf)
	if err != nil {
		t.Fatal(err)
	}
	pair := token(s, "trading")
	return npmtest.Run(ctx, t, folder, s.CAPEM(), map[string]any{
		"host": host, "port": json.Number(port), "account": demo, "liveAccount": live, "access": pair.Access, "refresh": pair.Refresh,
	})
}
