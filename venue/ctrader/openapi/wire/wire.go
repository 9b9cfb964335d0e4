// Package wire carries the envelopes of the cTrader Open API, for the client and
// for the server: as frames over a stream (four bytes of length, and the envelope),
// or as messages of a WebSocket; in protobuf or in JSON.
//
// A client dials, and a server makes a Conn of what it accepted:
//
//	conn, err := wire.Dial(ctx, wire.Endpoint{Address: "demo.ctraderapi.com:5035"}, wire.Options{})
//	conn := wire.New(accepted, wire.Options{})     // of a net.Listener: TLS, TCP, a Unix socket
//	conn, err := wire.Accept(w, r, wire.Options{}) // of an http.Handler
//
// A Conn does not look into what it carries: payloads are bytes, with every field
// that the sender put there. It keeps no connection alive, matches no answers and
// counts no requests. Package openapi does that for the client's side.
package wire

import (
	"fmt"
	"net"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// Options say what a side takes, in which form. The zero value is ready.
type Options struct {
	// JSON takes the place of protobuf. The service does not document what
	// separates JSON messages on a stream; the frames of protobuf are used there.
	JSON bool
	// MaxFrame is the longest envelope that is taken, in bytes. Zero means
	// message.DefaultMax.
	MaxFrame int
	// BeforeRead is called before every read from the stream, which may wait, and
	// AfterRead after it with the number of bytes that came, on the goroutine that
	// reads. So a slow peer can be distinguished from a slow reader. Either may be nil.
	BeforeRead func()
	AfterRead  func(n int)
}

func (o Options) maxFrame() int {
	if o.MaxFrame > 0 {
		return o.MaxFrame
	}
	return message.DefaultMax
}

// Conn carries envelopes both ways. One goroutine at a time may read, and one may
// write; Close and the deadlines are for any.
type Conn struct {
	carrier carrier
	json    bool
	out     []byte
}

// carrier is a stream with frames, or a WebSocket.
type carrier interface {
	// read returns an envelope's bytes, which are valid until the next call.
	read() ([]byte, error)
	// begin returns an empty buffer's beginning, to which the envelope is appended.
	begin(b []byte) []byte
	// write sends what begin began.
	write(b []byte) error
	// drained reports whether it holds nothing that has arrived.
	drained() bool
	// stream has the deadlines.
	stream() net.Conn
	// shutdown says goodbye, and reads and drops what comes until the peer did, too.
	shutdown() error
	close()
}

// EnvelopeError is a message that is no envelope. What follows it can be read: the
// service itself answers one and then closes.
type EnvelopeError struct{ Err error }

// Error implements error.
func (e *EnvelopeError) Error() string { return "what came is no envelope: " + e.Err.Error() }

// Unwrap returns what is wrong with it, in most cases a *message.DecodeError.
func (e *EnvelopeError) Unwrap() error { return e.Err }

// Read waits for the next envelope and overwrites e with it. The payload is valid
// until the next Read.
//
// The error is io.EOF if the stream ends between two envelopes,
// io.ErrUnexpectedEOF if it ends inside one, a *CloseError if the peer closed a
// WebSocket, a *message.FrameTooLongError, or an *EnvelopeError. Reading can go on
// after the last, and after a deadline if the Conn is Interruptible; after any other,
// close it.
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

// Write sends an envelope. A JSON payload is sent as it is: a program that got it
// elsewhere has to check that it is JSON. After an error, close the Conn: part of the
// envelope may have been sent. Nothing of the payload is kept.
func (c *Conn) Write(e message.Envelope) error {
	b := c.carrier.begin(c.out[:0])
	if c.json {
		b = e.AppendJSON(b)
	} else {
		b = e.AppendBinary(b)
	}
	err := c.carrier.write(b)
	clear(b) // there may be a secret in it
	if c.out = b; cap(b) > idleRoom {
		c.out = nil
	}
	return err
}

// SetReadDeadline has reads that wait at a time, or would later, fail with an error
// that is os.ErrDeadlineExceeded. The zero time is never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.carrier.stream().SetReadDeadline(t) }

// SetWriteDeadline does the same for writes, of which part may have been sent.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.carrier.stream().SetWriteDeadline(t) }

// Interruptible reports whether a Read goes on where the one before it was ended by
// a deadline, in the middle of an envelope, too. So it is with frames; a WebSocket
// is over after that.
func (c *Conn) Interruptible() bool {
	_, ok := c.carrier.(*framed)
	return ok
}

// Drained reports whether everything that was read from the stream was returned, as
// far as is known: what TLS holds back is not, and a WebSocket never says so.
func (c *Conn) Drained() bool { return c.carrier.drained() }

// Shutdown ends the connection so that what was written arrives: it says goodbye,
// drops what the peer still sends until that has closed too, for no longer than
// the time given, and closes. Nobody may read or write meanwhile. A server that
// refuses a client ends so: closed at once, with something unread, a TCP connection
// may lose the refusal (RFC 1122 §4.2.2.13).
func (c *Conn) Shutdown(within time.Duration) error {
	defer c.carrier.close()
	if err := c.carrier.stream().SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	return c.carrier.shutdown()
}

// Format implements fmt.Formatter: a Conn prints as its name alone, since what lies in
// its buffers may be secret.
func (c *Conn) Format(f fmt.State, _ rune) { fmt.Fprint(f, "wire.Conn") }

// Close ends the connection at once and without a goodbye. Reads and writes return.
func (c *Conn) Close() error {
	c.carrier.close()
	return nil
}
