package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// websocket.go owns WebSockets: one envelope per message, without a length; binary
// messages for protobuf and text messages for JSON.

// CloseError reports that the peer closed a WebSocket, with its status code and reason
// (RFC 6455 §7.1.5, §7.1.6).
type CloseError struct {
	Code   int
	Reason string
}

// Error implements error.
func (e *CloseError) Error() string {
	return fmt.Sprintf("the peer closed the WebSocket with code %d %q", e.Code, e.Reason)
}

type socket struct {
	ws   *websocket.Conn
	nc   net.Conn // below ws
	kind websocket.MessageType
	max  int
	room []byte
}

func newSocket(ws *websocket.Conn, nc net.Conn, o Options) *Conn {
	s := &socket{ws: ws, nc: nc, kind: websocket.MessageBinary, max: o.maxFrame()}
	ws.SetReadLimit(int64(s.max))
	if o.JSON {
		s.kind = websocket.MessageText
	}
	return &Conn{json: o.JSON, carrier: s}
}

func dialWebSocket(ctx context.Context, e Endpoint, o Options) (*Conn, error) {
	var nc net.Conn
	// The parameters of DialTLSContext do not matter: everything needed is in the
	// endpoint.
	transport := &http.Transport{DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		secured, err := e.dialTLS(ctx)
		if err != nil {
			return nil, err
		}
		nc = closedBelow{metered(secured, o), secured}
		return nc, nil
	}}
	ws, _, err := websocket.Dial(ctx, "wss://"+e.Address+"/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		transport.CloseIdleConnections()
		return nil, inWordsOfTCP(err)
	}
	return newSocket(ws, nc, o), nil
}

// Accept upgrades a client's HTTP request to a WebSocket. If it returns an error, it has
// already sent the error response. It refuses pages of another origin, since browsers let
// any page connect to any server; programs that are not browsers send no Origin.
func Accept(w http.ResponseWriter, r *http.Request, o Options) (*Conn, error) {
	h := &hijacker{ResponseWriter: w, options: o}
	ws, err := websocket.Accept(h, r, nil)
	if err != nil {
		return nil, foreign.Error(err)
	}
	return newSocket(ws, h.nc, o), nil
}

// hijacker keeps the stream below a WebSocket.
type hijacker struct {
	http.ResponseWriter
	options Options
	nc      net.Conn
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.nc = closedBelow{metered(nc, h.options), nc}
	return h.nc, buffered, nil
}

// closedBelow is a stream whose Close is closeBelow.
type closedBelow struct {
	net.Conn
	secured net.Conn
}

func (c closedBelow) Close() error {
	closeBelow(c.secured)
	return nil
}

func (s *socket) read() ([]byte, error) {
	_, r, err := s.ws.Reader(context.Background())
	if err != nil {
		return nil, inWordsOfTCP(err)
	}
	if cap(s.room) > idleRoom {
		s.room = nil // do not keep the memory of one huge message
	}
	s.room = s.room[:0]
	for {
		if len(s.room) == cap(s.room) {
			s.room = append(s.room, 0)[:len(s.room)]
		}
		n, err := r.Read(s.room[len(s.room):cap(s.room)])
		s.room = s.room[:len(s.room)+n]
		switch {
		case err == io.EOF:
			return s.room, nil
		case errors.Is(err, websocket.ErrMessageTooBig):
			return nil, &message.FrameTooLongError{Length: int64(s.max) + 1, Max: s.max}
		case err != nil:
			return nil, inWordsOfTCP(err)
		}
	}
}

func (s *socket) begin(b []byte) []byte { return b }
func (s *socket) drained() bool         { return false }
func (s *socket) stream() net.Conn      { return s.nc }
func (s *socket) close()                { _ = s.ws.CloseNow() }
func (s *socket) write(b []byte) error  { return s.ws.Write(context.Background(), s.kind, b) }

func (s *socket) shutdown() error { return s.ws.Close(websocket.StatusNormalClosure, "") }

// inWordsOfTCP maps errors of a WebSocket to those of a stream.
func inWordsOfTCP(err error) error {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return &CloseError{Code: int(closed.Code), Reason: foreign.Line(closed.Reason)}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return err
}
