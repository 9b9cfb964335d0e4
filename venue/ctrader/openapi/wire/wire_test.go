package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// wire_test.go owns what is true of every carrier: what goes in comes out, and a
// peer that falls silent, leaves or does not read is noticed.

// unknown is a VersionReq with a field that no table has: in protobuf field 99, a
// varint of 7.
func unknown(json bool) []byte {
	if json {
		return []byte(`{"ofAnotherYear":7}`)
	}
	return []byte{0x98, 0x06, 0x07}
}

func samples(json bool) []message.Envelope {
	list := []message.Envelope{
		{Type: message.TypeVersionReq, ID: "1"},
		{Type: message.TypeHeartbeatEvent},
		{Type: message.TypeVersionReq, Payload: unknown(json), ID: "é \"\\ \n"},
		{Type: 64000, Payload: unknown(json)},
	}
	if json {
		return append(list, message.Envelope{Type: message.TypeVersionRes, Payload: []byte(`{"version":"` + strings.Repeat("9", 300_000) + `"}`)})
	}
	return append(list,
		message.Envelope{Type: message.TypeVersionRes, Payload: []byte{}},
		message.Envelope{Type: message.TypeVersionRes, Payload: bytes.Repeat([]byte{0x98, 0x06, 0x07}, 100_000)})
}

func same(a, b message.Envelope) bool {
	return a.Type == b.Type && a.ID == b.ID && bytes.Equal(a.Payload, b.Payload) && (a.Payload == nil) == (b.Payload == nil)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	each(t, wire.Options{}, func(t *testing.T, json bool, c, s *wire.Conn) {
		for _, way := range [][2]*wire.Conn{{c, s}, {s, c}} {
			written := make(chan error, 1)
			go func() {
				for _, e := range samples(json) {
					if err := way[0].Write(e); err != nil {
						written <- err
						return
					}
				}
				written <- nil
			}()
			var got message.Envelope
			for _, want := range samples(json) {
				if err := way[1].Read(&got); err != nil || !same(got, want) {
					t.Fatalf("%v %q of %d bytes, %v; want %v %q of %d bytes", got.Type, got.ID, len(got.Payload), err, want.Type, want.ID, len(want.Payload))
				}
			}
			if err := <-written; err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A deadline interrupts a blocked read. With frames, reading can continue.
func TestAPeerThatIsSilent(t *testing.T) {
	each(t, wire.Options{}, func(t *testing.T, json bool, c, s *wire.Conn) {
		for _, way := range [][2]*wire.Conn{{c, s}, {s, c}} {
			ended := make(chan error, 1)
			go func() { ended <- way[0].Read(new(message.Envelope)) }()
			if err := way[0].SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			if !way[0].Interruptible() {
				continue
			}
			if err := errors.Join(way[0].SetReadDeadline(time.Time{}), way[1].Write(samples(json)[0])); err != nil {
				t.Fatal(err)
			}
			var got message.Envelope
			if err := way[0].Read(&got); err != nil || !same(got, samples(json)[0]) {
				t.Fatal(got, err)
			}
		}
	})
}

func TestAPeerThatDoesNotRead(t *testing.T) {
	each(t, wire.Options{}, func(t *testing.T, json bool, c, s *wire.Conn) {
		if err := s.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		huge := samples(json)
		for {
			if err := s.Write(huge[len(huge)-1]); errors.Is(err, os.ErrDeadlineExceeded) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The contents of the buffers are not printed.
func TestAConnPrintsAsItsName(t *testing.T) {
	each(t, wire.Options{}, func(t *testing.T, json bool, c, s *wire.Conn) {
		if text := fmt.Sprintf("%v %+v %#v %s", c, c, c, s); text != "wire.Conn wire.Conn wire.Conn wire.Conn" {
			t.Error(text)
		}
	})
}

func TestAPeerThatLeaves(t *testing.T) {
	each(t, wire.Options{}, func(t *testing.T, json bool, c, s *wire.Conn) {
		s.Close()
		if err := c.Read(new(message.Envelope)); !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
			t.Error(err)
		}
	})
}

func TestCloseEndsARead(t *testing.T) {
	each(t, wire.Options{}, func(t *testing.T, json bool, c, s *wire.Conn) {
		for _, side := range []*wire.Conn{c, s} {
			ended := make(chan error, 1)
			go func() { ended <- side.Read(new(message.Envelope)) }()
			side.Close()
			if err := <-ended; err == nil {
				t.Error("read from a closed connection")
			}
		}
	})
}

// A refusal arrives although the client has sent more than the server has read.
func TestShutdownSaysWhy(t *testing.T) {
	each(t, wire.Options{}, func(t *testing.T, json bool, c, s *wire.Conn) {
		for range 100 {
			if err := c.Write(samples(json)[0]); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- errors.Join(s.Write(samples(json)[2]), s.Shutdown(long)) }()
		var got message.Envelope
		if err := c.Read(&got); err != nil || !same(got, samples(json)[2]) {
			t.Fatal(got, err)
		}
		err := c.Read(&got)
		if closed := (*wire.CloseError)(nil); err != io.EOF && (!errors.As(err, &closed) || closed.Code != 1000) {
			t.Error(err)
		}
		c.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Every read is announced, and how much came is reported.
func TestReadsAreNoted(t *testing.T) {
	var before, after, came atomic.Int64
	o := wire.Options{BeforeRead: func() { before.Add(1) }, AfterRead: func(n int) { after.Add(1); came.Add(int64(n)) }}
	for _, k := range carriers {
		for _, noted := range []string{"client", "server"} {
			t.Run(k.name+" at the "+noted, func(t *testing.T) {
				plain, options := wire.Options{JSON: k.json}, o
				options.JSON = k.json
				var reader, writer *wire.Conn
				if noted == "client" {
					reader, writer = k.meet(t, options, plain)
				} else {
					writer, reader = k.meet(t, plain, options)
				}
				before.Store(0)
				after.Store(0)
				came.Store(0)
				if err := writer.Write(samples(k.json)[2]); err != nil {
					t.Fatal(err)
				}
				if err := reader.Read(new(message.Envelope)); err != nil {
					t.Fatal(err)
				}
				if before.Load() == 0 || before.Load() != after.Load() || came.Load() < int64(len(unknown(k.json))) {
					t.Errorf("%d before, %d after, %d bytes", before.Load(), after.Load(), came.Load())
				}
			})
		}
	}
}

// An envelope without an ID costs frames nothing that lasts.
func TestFramesAllocateAlmostNothing(t *testing.T) {
	c, s := meetOverUnix(t, wire.Options{}, wire.Options{})
	e := message.Envelope{Type: message.TypeVersionReq, Payload: slices.Repeat(unknown(false), 20)}
	var got message.Envelope
	per := testing.AllocsPerRun(100, func() {
		if err := errors.Join(c.Write(e), s.Read(&got)); err != nil {
			t.Fatal(err)
		}
	})
	if per > 0 || !same(got, e) {
		t.Errorf("%.1f allocations, got %v", per, got)
	}
}
