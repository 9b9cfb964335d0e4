package wire

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// framed.go owns frames over a stream: a big-endian length of four bytes, and an envelope.

const (
	prefix   = 4
	idleRoom = 1 << 16 // a larger buffer is not kept
)

type framed struct {
	nc     net.Conn
	frames message.FrameReader
}

// New returns a Conn that carries frames over a stream, on either side of it. It takes
// over the stream. With a tls.Server, the handshake happens in the first Read or Write.
func New(stream net.Conn, o Options) *Conn {
	return &Conn{json: o.JSON, carrier: &framed{nc: stream, frames: message.FrameReader{Reader: metered(stream, o), Max: o.maxFrame()}}}
}

func (f *framed) read() ([]byte, error) { return f.frames.Next() }
func (f *framed) begin(b []byte) []byte { return append(b, 0, 0, 0, 0) }
func (f *framed) drained() bool         { return f.frames.Drained() }
func (f *framed) stream() net.Conn      { return f.nc }
func (f *framed) close()                { closeBelow(f.nc) }

func (f *framed) write(b []byte) error {
	binary.BigEndian.PutUint32(b, uint32(len(b)-prefix))
	_, err := f.nc.Write(b)
	return err
}

func (f *framed) shutdown() error {
	half, ok := f.nc.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, f.nc)
	return err
}

// closeBelow closes the connection below TLS, at once. tls.Conn.Close would first try to
// send an alert, for up to 5 s.
func closeBelow(nc net.Conn) {
	if secured, ok := nc.(*tls.Conn); ok {
		nc = secured.NetConn()
	}
	_ = nc.Close()
}

// meter is a stream that reports its reads.
type meter struct {
	net.Conn
	before func()
	after  func(int)
}

// metered returns a stream whose reads call the functions of the options, if there are
// any.
func metered(nc net.Conn, o Options) net.Conn {
	if o.BeforeRead == nil && o.AfterRead == nil {
		return nc
	}
	m := &meter{nc, o.BeforeRead, o.AfterRead}
	if m.before == nil {
		m.before = func() {}
	}
	if m.after == nil {
		m.after = func(int) {}
	}
	return m
}

func (m *meter) Read(b []byte) (int, error) {
	m.before()
	n, err := m.Conn.Read(b)
	m.after(n)
	return n, err
}
