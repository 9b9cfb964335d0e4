package wire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// fuzz_test.go owns streams of any bytes.

// tape is a stream that was recorded, given out in pieces of some length.
type tape struct {
	net.Conn
	in    []byte
	piece int
	out   bytes.Buffer
}

func (t *tape) Read(b []byte) (int, error) {
	if len(t.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), t.piece)], t.in)
	t.in = t.in[n:]
	return n, nil
}

func (t *tape) Write(b []byte) (int, error) { return t.out.Write(b) }

// Whatever comes, it is read to its end, and what could be read is the same when it
// is written and read again.
func FuzzFrames(f *testing.F) {
	f.Add(false, byte(3), good)
	f.Add(false, byte(255), append(bytes.Clone(good), good[:7]...))
	f.Add(false, byte(1), []byte("\x00\x00\x00\x02\xff\xff"+string(good)))
	f.Add(true, byte(9), append([]byte{0, 0, 0, byte(len(goodJSON))}, goodJSON...))
	f.Fuzz(func(t *testing.T, json bool, piece byte, stream []byte) {
		in := &tape{in: stream, piece: max(1, int(piece))}
		c := wire.New(in, wire.Options{JSON: json, MaxFrame: 1 << 16})
		for reads := 0; ; reads++ {
			var e, again message.Envelope
			err := c.Read(&e)
			if errors.As(err, new(*wire.EnvelopeError)) {
				continue
			}
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, new(*message.FrameTooLongError)) {
					t.Fatal(err)
				}
				return
			}
			if reads > len(stream) {
				t.Fatal("more envelopes than bytes")
			}
			out := &tape{piece: 1 << 16}
			if err := wire.New(out, wire.Options{JSON: json}).Write(e); err != nil {
				t.Fatal(err)
			}
			out.in = out.out.Bytes()
			if err := wire.New(out, wire.Options{JSON: json}).Read(&again); err != nil {
				t.Fatal(err)
			}
			if json && (len(e.Payload) == 0 || bytes.Equal(e.Payload, []byte("{}"))) {
				e.Payload = nil // as the service does it
			}
			if e.Type != again.Type || e.ID != again.ID || !bytes.Equal(e.Payload, again.Payload) {
				t.Fatalf("%v %q %q, then %v %q %q", e.Type, e.ID, e.Payload, again.Type, again.ID, again.Payload)
			}
		}
	})
}
