package openapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// websocket.go owns WebSocket: each message of the protocol is one WebSocket message without
// a length, binary for protobuf and text for JSON (cTrader facts §3.2).

type socketWire struct {
	socket *websocket.Conn
	kind   websocket.MessageType
}

// upgrade answers the request that opens a WebSocket.
func upgrade(out *stream, in *bufio.Reader, c *conn) (wire, error) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, err
	}
	socket, err := websocket.Accept(&hijacked{out: out, in: in, header: make(http.Header)}, r, &websocket.AcceptOptions{
		// A ping keeps a connection alive as a message does (cTrader facts §3.4).
		OnPingReceived:     func(context.Context, []byte) bool { c.heard(); return true },
		InsecureSkipVerify: true, // no browser has a session here that could be abused
	})
	if err != nil {
		return nil, err
	}
	socket.SetReadLimit(-1) // read has its own limit, and answers before it closes
	c.webSocket = true
	kind := websocket.MessageBinary
	if c.json {
		kind = websocket.MessageText
	}
	return &socketWire{socket, kind}, nil
}

func (w *socketWire) read(max int) ([]byte, error) {
	_, r, err := w.socket.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(max)+1))
	if len(body) > max {
		return nil, errTooLong
	}
	return body, err
}

func (w *socketWire) write(body []byte) error {
	return w.socket.Write(context.Background(), w.kind, body)
}

func (w *socketWire) huge() []byte {
	return []byte{0x80 | byte(w.kind), 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{'}
}

func (w *socketWire) bye() error { return w.socket.Close(websocket.StatusNormalClosure, "Bye") }

func (w *socketWire) drain() {
	for {
		_, r, err := w.socket.Reader(context.Background())
		if err != nil {
			return
		}
		io.Copy(io.Discard, r)
	}
}

// hijacked is the minimum of an http.ResponseWriter that an upgrade needs.
type hijacked struct {
	out    *stream
	in     *bufio.Reader
	header http.Header
	wrote  bool
}

func (h *hijacked) Header() http.Header { return h.header }

func (h *hijacked) WriteHeader(status int) {
	if h.wrote {
		return
	}
	h.wrote = true
	if status != http.StatusSwitchingProtocols {
		h.header.Set("Connection", "close")
	}
	buffer := bufio.NewWriter(h.out)
	fmt.Fprintf(buffer, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	h.header.Write(buffer)
	buffer.WriteString("\r\n")
	buffer.Flush()
}

func (h *hijacked) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.out.Write(p)
}

// Hijack implements http.Hijacker.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.out, bufio.NewReadWriter(h.in, bufio.NewWriter(h.out)), nil
}
