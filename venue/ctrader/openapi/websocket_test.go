package openapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// websocket_test.go owns the stories about WebSockets. Their server
// listens on a port of this machine.

// bridge gives a WebSocket the frames that the fake speaks.
type bridge struct {
	net.Conn
	ws      *websocket.Conn
	kind    websocket.MessageType
	waiting bytes.Buffer
}

func (b *bridge) Read(p []byte) (int, error) {
	if b.waiting.Len() == 0 {
		kind, m, err := b.ws.Read(context.Background())
		if err != nil || kind != b.kind {
			return 0, errors.Join(err, net.ErrClosed)
		}
		b.waiting.Write(binary.BigEndian.AppendUint32(nil, uint32(len(m))))
		b.waiting.Write(m)
	}
	return b.waiting.Read(p)
}

func (b *bridge) Write(p []byte) (int, error) {
	return len(p), b.ws.Write(context.Background(), b.kind, p[4:])
}

func (b *bridge) Close() error { return b.ws.Close(websocket.StatusNormalClosure, "Bye") }

func (f *fake) listenWebSocket(t *testing.T) openapi.Endpoint {
	kind := websocket.MessageBinary
	if f.json {
		kind = websocket.MessageText
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		f.plain = true // the TLS is the server's
		f.serve(&bridge{ws: ws, kind: kind})
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{identity().server}}
	server.StartTLS()
	t.Cleanup(server.Close)
	e := f.endpoint()
	e.WebSocket = true
	e.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return e
}

func TestWebSockets(t *testing.T) {
	for name, json := range map[string]bool{"protobuf": false, "json": true} {
		t.Run(name, func(t *testing.T) {
			f := newFake(7)
			f.json = json
			c := &openapi.Client{Endpoint: f.listenWebSocket(t), ClientID: "id", ClientSecret: fakeSecret,
				Token: func(context.Context) (venuekey.Secret, error) { return "access-1", nil }}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- c.Run(ctx) }()
			spots, err := c.Spots(within(t, 10*time.Second), 7, []int64{1})
			if err != nil {
				t.Fatal(err)
			}
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1, Bid: message.Some(uint64(9))})
			if m, err := spots.Next(within(t, 10*time.Second)); err != nil || m.Bid.Or(0) != 9 {
				t.Error(m, err)
			}
			if answer, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); err != nil || answer.Trader.Balance != 42 {
				t.Error(answer, err)
			}
			f.last().nc.Close() // and back
			if answer, err := c.Trader(within(t, 10*time.Second), &message.TraderReq{CtidTraderAccountID: 7}); err != nil || answer.Trader.Balance != 42 {
				t.Error(answer, err)
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

func TestHowAWebSocketEnds(t *testing.T) {
	f := newFake()
	met := func(n int) *peer {
		for f.connections() < n {
			time.Sleep(time.Millisecond)
		}
		return f.last()
	}
	c, err := openapi.Dial(t.Context(), f.listenWebSocket(t), openapi.Options{MaxFrame: 1000})
	if err != nil {
		t.Fatal(err)
	}
	met(1).send("", &message.VersionRes{Version: strings.Repeat("x", 1001)})
	<-c.Done()
	if !strings.Contains(c.Err().Error(), "longer than the maximum of 1000") {
		t.Error(c.Err())
	}
	c, err = openapi.Dial(t.Context(), f.listenWebSocket(t), openapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	go met(2).nc.Close()
	<-c.Done()
	if !strings.Contains(c.Err().Error(), `code 1000 "Bye"`) {
		t.Error(c.Err())
	}
}

func TestAServerWithoutWebSockets(t *testing.T) {
	f := newFake()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{identity().server}}
	server.StartTLS()
	defer server.Close()
	e := f.endpoint()
	e.WebSocket = true
	e.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	_, err := openapi.Dial(t.Context(), e, openapi.Options{})
	if err == nil || venuekey.ClassOf(err) != venuekey.ClassNotSent || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
}
