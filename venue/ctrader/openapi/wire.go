package openapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// wire.go owns the transports: frames on TLS, or messages of a WebSocket.

// wire carries envelopes. One goroutine reads, one at a time writes.
type wire interface {
	// read returns an envelope's bytes, which are valid until the next call.
	read() ([]byte, error)
	// write sends what frame began and the caller appended to.
	write(b []byte) error
	// frame begins a frame on an empty buffer.
	frame(b []byte) []byte
	close()
}

// connect makes a wire. begin is called before every read that may wait, end
// after it with how much came.
func connect(ctx context.Context, e Endpoint, o Options, begin func(), end func(int)) (wire, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if !e.WebSocket {
		f := &framed{}
		nc, err := e.dialTLS(ctx, func(nc net.Conn) net.Conn {
			nc, f.watch = overlooking(nc)
			return nc
		})
		if err != nil {
			return nil, err
		}
		f.nc, f.frames = nc, message.FrameReader{Reader: &meter{nc, begin, end}, Max: o.MaxFrame}
		return f, nil
	}
	// The names of the parameters of DialTLSContext do not matter: everything
	// needed is in the endpoint.
	transport := &http.Transport{DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		nc, err := e.dialTLS(ctx, nil)
		if err != nil {
			return nil, err
		}
		return &meter{nc, begin, end}, nil
	}}
	_, address := e.hostPort()
	ws, _, err := websocket.Dial(ctx, "wss://"+address+"/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		transport.CloseIdleConnections()
		return nil, unwrapped(err)
	}
	ws.SetReadLimit(int64(o.MaxFrame))
	kind := websocket.MessageBinary
	if e.JSON {
		kind = websocket.MessageText
	}
	return &socket{ws: ws, kind: kind, max: o.MaxFrame}, nil
}

// dialTLS connects and verifies the server. What lies below TLS can be replaced.
func (e Endpoint) dialTLS(ctx context.Context, below func(net.Conn) net.Conn) (net.Conn, error) {
	dial := e.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	_, address := e.hostPort()
	nc, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if below != nil {
		nc = below(nc)
	}
	secured := tls.Client(nc, e.tlsConfig())
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, handshakeError(err)
	}
	return secured, nil
}

func handshakeError(err error) error {
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, new(tls.RecordHeaderError)):
		return errors.New("the server does not speak TLS")
	case errors.As(err, &verification):
		return fmt.Errorf("the server's certificate does not verify: %w", verification.Err)
	case errors.As(err, new(x509.HostnameError)), errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("the server's certificate does not verify: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server closed the connection during the TLS handshake")
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

// meter tells when a read waits, so that silence is told from a slow reader of
// our own.
type meter struct {
	net.Conn
	begin func()
	end   func(int)
}

func (m *meter) Read(b []byte) (int, error) {
	m.begin()
	n, err := m.Conn.Read(b)
	m.end(n)
	return n, err
}

// Close is for the WebSocket, which knows only this.
func (m *meter) Close() error {
	closeBelow(m.Conn)
	return nil
}

// framed is TCP: four bytes of length, the most significant first.
type framed struct {
	nc     net.Conn
	watch  watch // may be nil
	frames message.FrameReader
}

const prefix = 4

func (f *framed) read() ([]byte, error) { return f.frames.Next() }

// drained reports whether nothing can lie in our own buffers.
func (f *framed) drained() bool { return f.watch.single() && f.frames.Drained() }

func (f *framed) frame(b []byte) []byte   { return append(b, 0, 0, 0, 0) }
func (f *framed) until(t time.Time) error { return f.nc.SetReadDeadline(t) }
func (f *framed) close()                  { closeBelow(f.nc) }
func (f *framed) write(b []byte) error {
	binary.BigEndian.PutUint32(b, uint32(len(b)-prefix))
	_, err := f.nc.Write(b)
	return err
}

// closeBelow closes at once. tls.Conn.Close would first wait, up to 5 s, for
// room to say goodbye in.
func closeBelow(nc net.Conn) {
	if secured, ok := nc.(*tls.Conn); ok {
		nc = secured.NetConn()
	}
	_ = nc.Close()
}

// socket is a WebSocket: one envelope a message, without a length.
type socket struct {
	ws   *websocket.Conn
	kind websocket.MessageType
	max  int
	room []byte
}

const idleRoom = 1 << 16

func (s *socket) read() ([]byte, error) {
	_, r, err := s.ws.Reader(context.Background())
	if err != nil {
		return nil, unwrapped(err)
	}
	if cap(s.room) > idleRoom {
		s.room = nil // one huge message is no reason to keep its room
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
			return nil, unwrapped(err)
		}
	}
}

func (s *socket) frame(b []byte) []byte { return b }
func (s *socket) close()                { _ = s.ws.CloseNow() }
func (s *socket) write(b []byte) error {
	return s.ws.Write(context.Background(), s.kind, b)
}

// unwrapped gives errors of a WebSocket the words that TCP has for them.
func unwrapped(err error) error {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return fmt.Errorf("the server closed the WebSocket with code %d %q", int(closed.Code), closed.Reason)
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return err
}
