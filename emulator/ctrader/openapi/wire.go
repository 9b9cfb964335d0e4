package openapi

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// wire.go owns the wires without WebSocket: how messages are separated over TCP.

// wire reads and writes whole messages.
type wire interface {
	// read returns the next message, which is valid until the next call.
	read(max int) ([]byte, error)
	write(body []byte) error
	// huge returns the start of a message that announces a huge length.
	huge() []byte
	// bye closes the sending side gracefully.
	bye() error
	// drain reads and drops data until the end.
	drain()
}

var errTooLong = errors.New("openapi: message is too long")

// frameWire sends a length of four bytes before each message.
type frameWire struct {
	stream *stream
	in     *bufio.Reader
	frames message.FrameReader
}

func (w *frameWire) read(max int) ([]byte, error) {
	w.frames.Reader, w.frames.Max = w.in, max
	body, err := w.frames.Next()
	if long := (*message.FrameTooLongError)(nil); errors.As(err, &long) {
		return nil, errTooLong
	}
	return body, err
}

func (w *frameWire) write(body []byte) error {
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	_, err := w.stream.Write(append(frame, body...))
	return err
}

func (w *frameWire) huge() []byte { return []byte{0x7f, 0xff, 0xff, 0xff, 0x08, 0x33} }

func (w *frameWire) bye() error { return w.stream.closeWrite() }

func (w *frameWire) drain() { io.Copy(io.Discard, w.stream) }

// bareWire sends nothing, or a line feed, after each JSON message.
type bareWire struct {
	stream *stream
	in     *bufio.Reader
	json   *json.Decoder
	line   bool
	body   json.RawMessage
}

func jsonWire(f Framing, out *stream, in *bufio.Reader) wire {
	if f == FramingLength {
		return &frameWire{stream: out, in: in}
	}
	return &bareWire{stream: out, in: in, json: json.NewDecoder(in), line: f == FramingLine}
}

func (w *bareWire) read(max int) ([]byte, error) {
	if w.line {
		return w.readLine(max)
	}
	w.body = w.body[:0]
	err := w.json.Decode(&w.body)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return []byte("?"), nil // malformed, whatever it was
	}
	if len(w.body) > max {
		return nil, errTooLong
	}
	return w.body, err
}

func (w *bareWire) readLine(max int) ([]byte, error) {
	w.body = w.body[:0]
	for {
		part, err := w.in.ReadSlice('\n')
		w.body = append(w.body, part...)
		switch {
		case len(w.body) > max:
			return nil, errTooLong
		case err == nil:
			return w.body[:len(w.body)-1], nil
		case err == io.EOF && len(w.body) > 0:
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func (w *bareWire) write(body []byte) error {
	if w.line {
		body = append(body[:len(body):len(body)], '\n')
	}
	_, err := w.stream.Write(body)
	return err
}

func (w *bareWire) huge() []byte { return []byte(`{"payloadType":51,"payload":{"x":"`) }

func (w *bareWire) bye() error { return w.stream.closeWrite() }

func (w *bareWire) drain() { io.Copy(io.Discard, w.stream) }
