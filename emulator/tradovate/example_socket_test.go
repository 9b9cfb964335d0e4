package tradovate_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/emulator/tradovate"
)

// A WebSocket by hand: frames are text, requests are lines.
func ExampleServer_ShutDown() {
	venue := new(tradovate.Server)
	web := httptest.NewServer(venue)
	defer web.Close()
	defer venue.CloseSockets()
	ctx := context.Background()
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(web.URL, "http")+"/v1/websocket", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.CloseNow()
	show := func() {
		_, frame, err := socket.Read(ctx)
		fmt.Println(websocket.CloseStatus(err), string(frame))
	}
	show()
	_ = socket.Write(ctx, websocket.MessageText, []byte("authorize\n1\n\nno-such-token"))
	show()
	venue.Change("alice", "order", "Updated", nil) // nobody asked to hear of it
	venue.Say("h")
	show()
	venue.ShutDown(tradovate.ShutdownMaintenance, "")
	show()
	show()
	// Output:
	// StatusCode(-1) o
	// StatusCode(-1) a[{"d":"Invalid access token","i":1,"s":401}]
	// StatusCode(-1) h
	// StatusCode(-1) a[{"d":{"reasonCode":"Maintenance"},"e":"shutdown"}]
	// StatusNormalClosure
}

// What can go wrong on the socket of market data: a fault with one request, or with all
// that is open.
func ExampleServer_MarketData() {
	venue := new(tradovate.Server)
	web := httptest.NewServer(venue.MarketData())
	defer web.Close()
	defer venue.CloseSockets()
	ctx := context.Background()
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(web.URL, "http")+"/v1/websocket", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.CloseNow()
	fault := tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, On: "md/subscribeQuote", Status: 429}
	fmt.Println(len(tradovate.SocketFaultKinds()), fault.Valid())
	venue.InjectSocket(fault)
	_ = socket.Write(ctx, websocket.MessageText, []byte("md/subscribeQuote\n7\n\n{\"symbol\":\"ESZ6\"}"))
	for range 2 {
		_, frame, _ := socket.Read(ctx)
		fmt.Println(string(frame))
	}
	fmt.Println(venue.Sockets())
	venue.MuteSockets() // nothing is sent any more
	venue.CutSockets()
	_, _, err = socket.Read(ctx)
	fmt.Println(err != nil)
	// Output:
	// 13 <nil>
	// o
	// a[{"i":7,"s":429}]
	// 1
	// true
}
