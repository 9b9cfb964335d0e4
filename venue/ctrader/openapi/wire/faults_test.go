package wire_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// faults_test.go owns peers that do not keep to the protocol, below it and in it.

// good is an envelope that can be read, as a frame, and bare in both forms.
var (
	good     = message.AppendFrame(nil, message.Envelope{Type: message.TypeVersionReq, ID: "1"})
	goodBare = good[4:]
	goodJSON = []byte(`{"clientMsgId":"1","payloadType":2104}`)
)

// isGarbage, isTooLong and ends say what a Read returned.
func isGarbage(err error) bool {
	return errors.As(err, new(*wire.EnvelopeError)) && strings.Contains(err.Error(), "is not an envelope")
}

func isTooLong(err error) bool {
	long := (*message.FrameTooLongError)(nil)
	return errors.As(err, &long) && long.Max == 1000
}

func ends(with error) func(error) bool { return func(err error) bool { return errors.Is(err, with) } }

func TestFaultsOfFrames(t *testing.T) {
	for name, row := range map[string]struct {
		json   bool
		sent   string
		wants  func(error) bool
		goesOn bool
	}{
		"the end":                     {false, "", ends(io.EOF), false},
		"cut in the length":           {false, string(good[:3]), ends(io.ErrUnexpectedEOF), false},
		"cut in the envelope":         {false, string(good[:len(good)-1]), ends(io.ErrUnexpectedEOF), false},
		"too long":                    {false, "\x00\x00\x03\xe9", isTooLong, false},
		"endless":                     {false, "\xff\xff\xff\xff" + string(good), isTooLong, false},
		"a request of HTTP":           {false, "GET / HTTP/1.1\r\n\r\n", isTooLong, false},
		"empty":                       {false, "\x00\x00\x00\x00" + string(good), isGarbage, true},
		"garbage":                     {false, "\x00\x00\x00\x02\xff\xff" + string(good), isGarbage, true},
		"JSON where protobuf is due":  {false, "\x00\x00\x00\x02{}" + string(good), isGarbage, true},
		"protobuf where JSON is due":  {true, string(good) + "\x00\x00\x00\x26" + string(goodJSON), isGarbage, true},
		"JSON without a payload type": {true, "\x00\x00\x00\x02{}" + "\x00\x00\x00\x26" + string(goodJSON), isGarbage, true},
		"JSON that is cut":            {true, "\x00\x00\x00\x01{" + "\x00\x00\x00\x26" + string(goodJSON), isGarbage, true},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() {
				_, _ = theirs.Write([]byte(row.sent))
				theirs.Close()
			}()
			c := wire.New(ours, wire.Options{JSON: row.json, MaxFrame: 1000})
			var e message.Envelope
			if err := c.Read(&e); !row.wants(err) {
				t.Fatal(err)
			}
			if !row.goesOn {
				return
			}
			if err := c.Read(&e); err != nil || e.Type != message.TypeVersionReq || e.ID != "1" {
				t.Error(e, err)
			}
		})
	}
}

func TestFaultsOfWebSockets(t *testing.T) {
	for name, row := range map[string]struct {
		json   bool
		sends  func(ctx context.Context, ws *websocket.Conn)
		wants  func(error) bool
		goesOn bool
	}{
		"closed with a reason": {false, func(_ context.Context, ws *websocket.Conn) {
			go ws.Close(4001, "no \x1b[2J client")
		}, func(err error) bool {
			closed := (*wire.CloseError)(nil)
			return errors.As(err, &closed) && closed.Code == 4001 && closed.Reason == "no client"
		}, false},
		"cut": {false, func(_ context.Context, ws *websocket.Conn) { _ = ws.CloseNow() }, ends(io.EOF), false},
		"cut in a message": {false, func(ctx context.Context, ws *websocket.Conn) {
			w, err := ws.Writer(ctx, websocket.MessageBinary)
			if err == nil {
				_, _ = w.Write(make([]byte, 900))
			}
			_ = ws.CloseNow()
		}, func(err error) bool { return err != nil }, false},
		"too long":                   {false, sends(make([]byte, 1001)), isTooLong, false},
		"empty":                      {false, sends(nil, goodBare), isGarbage, true},
		"garbage":                    {false, sends([]byte{0xff, 0xff}, goodBare), isGarbage, true},
		"a frame":                    {false, sends(good, goodBare), isGarbage, true},
		"protobuf where JSON is due": {true, sends(goodBare, goodJSON), isGarbage, true},
	} {
		t.Run(name, func(t *testing.T) {
			read, served := make(chan struct{}), make(chan struct{})
			e := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(served)
				ws, err := websocket.Accept(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				row.sends(r.Context(), ws)
				<-read
				_ = ws.CloseNow()
			})
			c := dial(t, e, wire.Options{JSON: row.json, MaxFrame: 1000})
			defer func() {
				c.Close()
				close(read)
				<-served
			}()
			_ = c.SetReadDeadline(time.Now().Add(long))
			var got message.Envelope
			if err := c.Read(&got); !row.wants(err) {
				t.Fatal(err)
			}
			if !row.goesOn {
				return
			}
			if err := c.Read(&got); err != nil || got.Type != message.TypeVersionReq || got.ID != "1" {
				t.Error(got, err)
			}
		})
	}
}

// sends gives each text as a message.
func sends(texts ...[]byte) func(context.Context, *websocket.Conn) {
	return func(ctx context.Context, ws *websocket.Conn) {
		for _, text := range texts {
			_ = ws.Write(ctx, websocket.MessageBinary, text)
		}
	}
}

func TestADialThatFails(t *testing.T) {
	_, trusting := identity(t)
	for name, row := range map[string]struct {
		serve func(net.Conn)
		tls   *tls.Config
		says  string
	}{
		"speaks no TLS": {func(nc net.Conn) { _, _ = nc.Write([]byte("220 mail.example.org ready\r\n")) }, trusting, "does not speak TLS"},
		"hangs up":      {func(nc net.Conn) { _, _ = nc.Read(make([]byte, 1<<12)) }, trusting, "closed the connection during the TLS handshake"},
		"is silent":     {func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) }, trusting, "deadline exceeded"},
		"is another": {func(nc net.Conn) {
			ours, _ := identity(t)
			_ = tls.Server(nc, ours).Handshake()
		}, nil, "does not verify"},
	} {
		for _, webSocket := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				ctx := within(t)
				if row.says == "deadline exceeded" {
					short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
					defer cancel()
					ctx = short
				}
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				go func() {
					nc, err := l.Accept()
					if err != nil {
						t.Error(err)
						return
					}
					row.serve(nc)
					nc.Close()
				}()
				e := wire.Endpoint{Address: l.Addr().String(), WebSocket: webSocket, TLS: row.tls}
				if _, err := wire.Dial(ctx, e, wire.Options{}); err == nil || !strings.Contains(err.Error(), row.says) {
					t.Error(err)
				}
			})
		}
	}
}

func TestWhatIsNoRequestForAWebSocketIsRefused(t *testing.T) {
	refused := make(chan error, 1)
	e := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := wire.Accept(w, r, wire.Options{})
		refused <- err
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: e.TLS}}
	defer client.CloseIdleConnections()
	for name, row := range map[string]struct {
		header http.Header
		status int
	}{
		"a plain request": {http.Header{}, http.StatusUpgradeRequired},
		"a page of somebody else": {http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Origin": {"https://example.org"},
		}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+e.Address+"/", nil)
			req.Header = row.header
			answer, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if err := <-refused; err == nil || answer.StatusCode != row.status {
				t.Error(answer.Status, err)
			}
		})
	}
	// And a server that has none.
	none := serveHTTP(t, http.NotFound)
	if _, err := wire.Dial(t.Context(), none, wire.Options{}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
}
