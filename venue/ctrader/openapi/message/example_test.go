package message_test

import (
	"fmt"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// A limit order of 10000 units, encoded as a frame of the TCP transport, and what StrictJSON
// says to a misspelt key.
func Example() {
	volume, _ := message.ParseVolume("10000")
	order := &message.NewOrderReq{
		CtidTraderAccountID: 12345678,
		SymbolID:            1,
		OrderType:           message.OrderTypeLimit,
		TradeSide:           message.TradeSideBuy,
		Volume:              volume,
		LimitPrice:          message.Some(1.0785),
	}
	payload, err := order.AppendBinary(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	frame := message.AppendFrame(nil, message.Envelope{Type: order.PayloadType(), Payload: payload, ID: "1"})
	fmt.Println(len(frame), "bytes")

	_, err = message.StrictJSON(message.TypeNewOrderReq, []byte(`{"limitprice": 1.0785}`))
	fmt.Println(err)
	// Output:
	// 36 bytes
	// message NewOrderReq: field limitprice is not one of this message; did you mean limitPrice? (at byte 14)
}

// A quote contains what changed: an absent side is unchanged.
func ExampleDecode() {
	payload, _ := (&message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1, Bid: message.Some[uint64](107853)}).AppendBinary(nil)

	m, err := message.Decode(message.TypeSpotEvent, payload)
	if err != nil {
		fmt.Println(err)
		return
	}
	spot := m.(*message.SpotEvent)
	if bid, ok := spot.Bid.Get(); ok {
		fmt.Println("bid", message.FormatPrice(bid))
	}
	fmt.Println("ask", spot.Ask)
	// Output:
	// bid 1.07853
	// ask absent
}
