package openapi_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The accounts of the standard users: alice has the first two, bob the third.
const demo, live, bobs = 5001, 5002, 5003

// quiet are knobs with which nothing is sent that was not asked for.
func quiet() openapi.Knobs { return openapi.Knobs{QuoteEvery: -1} }

func newServer(k openapi.Knobs) *openapi.Server {
	return &openapi.Server{Venue: new(ctrader.Server), Knobs: k}
}

// inBubble runs the test in virtual time with a server that is closed after it.
func inBubble(t *testing.T, k openapi.Knobs, test func(t *testing.T, s *openapi.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(k)
		defer s.Close()
		test(t, s)
	})
}

func token(s *openapi.Server, scope string) emulator.Pair {
	return s.Venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: scope})
}

// client is the least of a client: it writes envelopes and reads them.
type client struct {
	t      *testing.T
	conn   net.Conn
	json   bool
	socket *websocket.Conn
	frames message.FrameReader
	nextID int
	token  string
}

func newClient(t *testing.T, conn net.Conn, json bool) *client {
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn, json: json, frames: message.FrameReader{Reader: conn}}
}

// pipe connects without TLS.
func pipe(t *testing.T, s *openapi.Server, live, json bool) *client {
	ours, theirs := net.Pipe()
	go s.ServeConn(theirs, live, json)
	return newClient(t, ours, json)
}

// signedIn is connected to the host of the account and has authorised both app
// and account.
func signedIn(t *testing.T, s *openapi.Server, account int64) *client {
	t.Helper()
	c := pipe(t, s, account == live, false)
	c.signIn(token(s, "trading").Access, account)
	return c
}

func (c *client) signIn(access string, account int64) {
	c.t.Helper()
	c.token = access
	c.app()
	want[*message.AccountAuthRes](c.t, c.ask(accountAuth(account, access)))
}

func (c *client) app() {
	c.t.Helper()
	want[*message.ApplicationAuthRes](c.t, c.ask(&message.ApplicationAuthReq{ClientID: "demo-client", ClientSecret: "demo-secret"}))
}

func (c *client) writeBody(body []byte) {
	c.t.Helper()
	var err error
	if c.socket != nil {
		kind := websocket.MessageBinary
		if c.json {
			kind = websocket.MessageText
		}
		err = c.socket.Write(c.t.Context(), kind, body)
	} else {
		frame := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		_, err = c.conn.Write(append(frame, body...))
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) send(m message.Message, id string) {
	c.t.Helper()
	e := message.Envelope{Type: m.PayloadType(), ID: id}
	var err error
	var body []byte
	if c.json {
		e.Payload, err = m.MarshalJSON()
		body = e.AppendJSON(nil)
	} else {
		e.Payload, err = m.AppendBinary(nil)
		body = e.AppendBinary(nil)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.writeBody(body)
}

func (c *client) readBody() ([]byte, error) {
	if c.socket != nil {
		_, body, err := c.socket.Read(context.Background())
		return body, err
	}
	return c.frames.Next()
}

func (c *client) read() (message.Message, string, error) {
	body, err := c.readBody()
	if err != nil {
		return nil, "", err
	}
	var e message.Envelope
	if c.json {
		if err := e.UnmarshalJSON(body); err != nil {
			return nil, "", err
		}
		m, err := message.DecodeJSON(e.Type, e.Payload)
		return m, e.ID, err
	}
	if err := e.UnmarshalBinary(body); err != nil {
		return nil, "", err
	}
	m, err := message.Decode(e.Type, e.Payload)
	return m, e.ID, err
}

// next is the next message and its ID.
func (c *client) next() (message.Message, string) {
	c.t.Helper()
	m, id, err := c.read()
	if err != nil {
		c.t.Fatalf("nothing came: %v", err)
	}
	return m, id
}

// event is the next message, which is unsolicited.
func event[M message.Message](c *client) M {
	c.t.Helper()
	m, id := c.next()
	if id != "" {
		c.t.Errorf("%T came with the ID %s", m, id)
	}
	return want[M](c.t, m)
}

// ask waits for the answer; events before it are lost.
func (c *client) ask(m message.Message) message.Message {
	c.t.Helper()
	c.nextID++
	id := strconv.Itoa(c.nextID)
	c.send(m, id)
	for {
		if answer, got := c.next(); got == id {
			return answer
		}
	}
}

// gone waits until the connection has ended.
func (c *client) gone() error {
	c.t.Helper()
	for {
		if _, _, err := c.read(); err != nil {
			return err
		}
	}
}

func want[M message.Message](t *testing.T, m message.Message) M {
	t.Helper()
	right, ok := m.(M)
	if !ok {
		text, _ := json.Marshal(m)
		t.Fatalf("got %T %s, want %T", m, text, right)
	}
	return right
}

// wantCode is for errors of all three kinds.
func wantCode(t *testing.T, m message.Message, code, text string) {
	t.Helper()
	var gotCode string
	var gotText message.Optional[string]
	switch e := m.(type) {
	case *message.ErrorRes:
		gotCode, gotText = e.ErrorCode, e.Description
	case *message.OrderErrorEvent:
		gotCode, gotText = e.ErrorCode, e.Description
	case *message.CommonErrorRes:
		gotCode, gotText = e.ErrorCode, e.Description
	default:
		t.Fatalf("got %T, want %s", m, code)
	}
	if gotCode != code || text != "" && gotText.Or("") != text {
		t.Errorf("got %s %q, want %s %q", gotCode, gotText, code, text)
	}
}

// put fills a token's field without the package that its type is from.
func put[T ~string](to *T, s string) { *to = T(s) }

// dial connects over TLS, which is verified.
func dial(t *testing.T, s *openapi.Server, address string, json bool) *client {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: s.CA()})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return newClient(t, conn, json)
}

func details(s *openapi.Server, kind openapi.Kind) []string {
	var list []string
	for _, e := range s.Events() {
		if e.Kind == kind {
			list = append(list, e.Detail)
		}
	}
	return list
}

func wantDetails(t *testing.T, s *openapi.Server, kind openapi.Kind, list ...string) {
	t.Helper()
	if got := details(s, kind); !slices.Equal(got, list) {
		t.Errorf("%s: got %q, want %q", kind, got, list)
	}
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}
