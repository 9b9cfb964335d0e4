package message_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func frames(sizes ...int) (stream []byte, want []message.Envelope) {
	for i, size := range sizes {
		e := message.Envelope{Type: message.TypeSpotEvent, Payload: bytes.Repeat([]byte{byte(i)}, size)}
		want = append(want, e)
		stream = message.AppendFrame(stream, e)
	}
	return stream, want
}

func TestFramesOverAnyReader(t *testing.T) {
	stream, want := frames(1, 4000, 100, 70000, 5, 8192, 3_000_000, 7, 8)
	for name, reader := range map[string]io.Reader{
		"whole":          bytes.NewReader(stream),
		"halves":         iotest.HalfReader(bytes.NewReader(stream)),
		"data with EOF":  iotest.DataErrReader(bytes.NewReader(stream)),
		"byte for byte":  iotest.OneByteReader(bytes.NewReader(stream)),
		"now and then 0": &stutter{r: bytes.NewReader(stream)},
	} {
		in := message.FrameReader{Reader: reader}
		for i, e := range want {
			frame, err := in.Next()
			if err != nil {
				t.Fatalf("%s: frame %d: %v", name, i, err)
			}
			var got message.Envelope
			if err := got.UnmarshalBinary(frame); err != nil || got.Type != e.Type || !bytes.Equal(got.Payload, e.Payload) {
				t.Fatalf("%s: frame %d has become another", name, i)
			}
		}
		if _, err := in.Next(); err != io.EOF {
			t.Errorf("%s: %v at the end", name, err)
		}
	}
}

// stutter reads nothing every other time.
type stutter struct {
	r    io.Reader
	idle bool
}

func (s *stutter) Read(b []byte) (int, error) {
	if s.idle = !s.idle; s.idle {
		return 0, nil
	}
	return s.r.Read(b)
}

func TestAStreamThatEndsInsideAFrame(t *testing.T) {
	stream, _ := frames(10)
	for n := 1; n < len(stream); n++ {
		in := message.FrameReader{Reader: bytes.NewReader(stream[:n])}
		if _, err := in.Next(); err != io.ErrUnexpectedEOF {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	in := message.FrameReader{Reader: bytes.NewReader(nil)}
	if _, err := in.Next(); err != io.EOF {
		t.Error(err)
	}
}

func TestLongFrames(t *testing.T) {
	var long *message.FrameTooLongError
	in := message.FrameReader{Reader: bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0})}
	if _, err := in.Next(); !errors.As(err, &long) || long.Length != 1<<32-1 || long.Max != message.DefaultMax || err.Error() != "frame of 4294967295 bytes is longer than the maximum of 15000000" {
		t.Error(err)
	}
	stream, _ := frames(100)
	exact := message.FrameReader{Reader: bytes.NewReader(stream), Max: len(stream) - 4}
	if _, err := exact.Next(); err != nil {
		t.Error(err)
	}
	short := message.FrameReader{Reader: bytes.NewReader(stream), Max: len(stream) - 5}
	if _, err := short.Next(); !errors.As(err, &long) {
		t.Error(err)
	}
}

// A peer that announces 15 MB and sends nothing costs no 15 MB.
func TestAnAnnouncementTakesNoRoom(t *testing.T) {
	const runs = 100
	silence := errors.New("silence")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		in := message.FrameReader{Reader: io.MultiReader(bytes.NewReader([]byte{0, 0xe0, 0, 0, 1, 2, 3}), iotest.ErrReader(silence))}
		if _, err := in.Next(); err != silence {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / runs; took > 20_000 {
		t.Errorf("%d bytes for a frame that never came", took)
	}
}

// late fails once in the middle, as a read with a deadline does.
type late struct {
	parts [][]byte
}

func (l *late) Read(b []byte) (int, error) {
	if len(l.parts) == 0 {
		return 0, io.EOF
	}
	part := l.parts[0]
	l.parts = l.parts[1:]
	if part == nil {
		return 0, os.ErrDeadlineExceeded
	}
	return copy(b, part), nil
}

func TestATimeoutLosesNothing(t *testing.T) {
	stream, _ := frames(10)
	in := message.FrameReader{Reader: &late{[][]byte{stream[:2], nil, stream[2:7], nil, stream[7:]}}}
	for range 2 {
		if _, err := in.Next(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if frame, err := in.Next(); err != nil || !bytes.Equal(frame, stream[4:]) {
		t.Errorf("% x, %v", frame, err)
	}
}

type deadReader struct{}

func (deadReader) Read([]byte) (int, error) { return 0, nil }

func TestAReaderThatReadsNothing(t *testing.T) {
	in := message.FrameReader{Reader: deadReader{}}
	if _, err := in.Next(); err != io.ErrNoProgress {
		t.Error(err)
	}
}

func TestFramesReuseTheirRoom(t *testing.T) {
	stream, _ := frames(100, 200, 300)
	source := bytes.NewReader(nil)
	in := message.FrameReader{Reader: source}
	if got := testing.AllocsPerRun(50, func() {
		source.Reset(stream)
		for range 3 {
			if _, err := in.Next(); err != nil {
				t.Error(err)
			}
		}
	}); got > 0 {
		t.Errorf("%v allocations", got)
	}
}
