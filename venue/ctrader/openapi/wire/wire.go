// Package wire reads and writes the envelopes of the cTrader Open API, for clients and
// servers: as length-prefixed frames over a stream or as WebSocket messages, each in
// protobuf or JSON.
//
// A client dials. A server wraps the connections that it accepts:
//
//	conn, err := wire.Dial(ctx, wire.Endpoint{Address: "demo.ctraderapi.com:5035"}, wire.Options{})
//	conn := wire.New(accepted, wire.Options{})     // of a net.Listener: TLS, TCP, a Unix socket
//	conn, err := wire.Accept(w, r, wire.Options{}) // of an http.Handler
//
// A Conn does not interpret payloads: they are bytes, with every field that the sender
// put there. It sends no heartbeats, does not match answers to requests, and enforces no
// rate limits; package openapi does that for clients.
package wire

import (
	"fmt"
	"net"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// Options are the encoding and the limits of one side. The zero value is ready to use.
type Options struct {
	// JSON selects JSON instead of protobuf. The service does not document how JSON
	// messages are separated on a stream; this package uses the frames of protobuf.
	JSON bool
	// MaxFrame is the longest envelope that is accepted, in bytes. Zero means
	// message.DefaultMax.
	MaxFrame int
	// BeforeRead is called before every read from the stream, which may block, and
	// AfterRead after it with the number of bytes read, both on the goroutine that
	// reads. They make it possible to tell a slow peer from a slow reader. Either may be
	// nil.
	BeforeRead func()
	AfterRead  func(n int)
}

func (o Options) maxFrame() int {
	if o.MaxFrame > 0 {
		return o.MaxFrame
	}
	return message.DefaultMax
}

// Conn is a connection that carries envelopes both ways. One goroutine at a time may call
// Read, and one Write. Close and the methods that set deadlines may be called at any time.
type Conn struct {
	carrier carrier
	json    bool
	out     []byte
}

// carrier is a stream with frames, or a WebSocket.
type carrier interface {
	// read returns an envelope's bytes, which are valid until the next call.
	read() ([]byte, error)
	// begin prepares an empty buffer for the envelope, which is then appended.
	begin(b []byte) []byte
	// write sends a buffer that begin prepared.
	write(b []byte) error
	// drained reports whether it buffers nothing that has arrived.
	drained() bool
	// stream returns the connection that has the deadlines.
	stream() net.Conn
	// shutdown says goodbye, and reads and drops data until the peer has closed too.
	shutdown() error
	close()
}

// EnvelopeError reports a message that is not an envelope. The messages after it can
// still be read: the service itself answers such a message before it closes.
type EnvelopeError struct{ Err error }

// Error implements error.
func (e *EnvelopeError) Error() string { return "message is not an envelope: " + e.Err.Error() }

// Unwrap returns Err, in most cases a *message.DecodeError.
func (e *EnvelopeError) Unwrap() error { return e.Err }

// Read waits for the next envelope and overwrites e with it. The payload is valid
// until the next Read.
//
// The error is io.EOF if the stream ended between two envelopes, io.ErrUnexpectedEOF if
// it ended inside one, a *CloseError if the peer closed a WebSocket, a
// *message.FrameTooLongError, an *EnvelopeError, or what the stream returned. After an
// *EnvelopeError reading can continue, and so it can after a deadline if the Conn is
// Interruptible. After any other error, close the Conn.
func (c *Conn) Read(e *message.Envelope) error {
	b, err := c.carrier.read()
	if err != nil {
		return err
	}
	if c.json {
		err = e.UnmarshalJSON(b)
	} else {
		err = e.UnmarshalBinary(b)
	}
	if err != nil {
		return &EnvelopeError{foreign.Error(err)}
	}
	return nil
}

// Write sends an envelope. A JSON payload is sent as is: a program that got it from
// elsewhere must check that it is a JSON object. After an error, close the Conn, since
// part of the envelope may have been sent. Write does not retain the payload, and clears
// its own copy.
func (c *Conn) Write(e message.Envelope) error {
	b := c.carrier.begin(c.out[:0])
	if c.json {
		b = e.AppendJSON(b)
	} else {
		b = e.AppendBinary(b)
	}
	err := c.carrier.write(b)
	clear(b) // it may hold a secret
	if c.out = b; cap(b) > idleRoom {
		c.out = nil
	}
	return err
}

// SetReadDeadline sets the time after which a blocked Read, and any later one, fails with
// os.ErrDeadlineExceeded. The zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.carrier.stream().SetReadDeadline(t) }

// SetWriteDeadline does the same for Write. Part of the envelope may have been sent.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.carrier.stream().SetWriteDeadline(t) }

// Interruptible reports whether reading can continue after a deadline has interrupted a
// Read, even in the middle of an envelope. That is so for frames, but not for a
// WebSocket.
func (c *Conn) Interruptible() bool {
	_, ok := c.carrier.(*framed)
	return ok
}

// Drained reports whether everything that was read from the stream has been returned by
// Read, as far as the Conn knows: it does not see what TLS buffers. It is always false
// for a WebSocket.
func (c *Conn) Drained() bool { return c.carrier.drained() }

// Shutdown ends the connection gracefully, so that everything written arrives: it says
// goodbye, drops what the peer still sends until the peer closes too or within has
// passed, and closes. Read and Write must not be called meanwhile. A server that refuses
// a client should end the connection this way: if TCP is closed with data unread, the
// refusal may be lost (RFC 1122 §4.2.2.13).
func (c *Conn) Shutdown(within time.Duration) error {
	defer c.carrier.close()
	if err := c.carrier.stream().SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	return c.carrier.shutdown()
}

// Format implements fmt.Formatter: a Conn prints as its type name, since its buffers may
// hold secrets.
func (c *Conn) Format(f fmt.State, _ rune) { fmt.Fprint(f, "wire.Conn") }

// Close ends the connection at once, without a goodbye. Blocked calls of Read and Write
// return. Close always returns nil.
func (c *Conn) Close() error {
	c.carrier.close()
	return nil
}
