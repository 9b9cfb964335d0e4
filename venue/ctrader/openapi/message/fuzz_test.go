package message_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"testing"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func FuzzFrame(f *testing.F) {
	stream, _ := frames(0, 1, 200)
	f.Add(stream, 7)
	f.Add([]byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, most int) {
		in := message.FrameReader{Reader: bytes.NewReader(stream), Max: most}
		var again []byte
		for {
			frame, err := in.Next()
			if err != nil {
				if !bytes.HasPrefix(stream, again) || err == io.EOF && len(again) != len(stream) {
					t.Fatalf("% x was read as % x, %v", stream, again, err)
				}
				return
			}
			n := len(frame)
			again = append(append(again, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), frame...)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	f.Add(message.Envelope{Type: message.TypeTraderReq, Payload: []byte{1}, ID: "a"}.AppendBinary(nil))
	f.Add([]byte(`{"clientMsgId":"a","payloadType":2121,"payload":{"x":[1,null]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e, again message.Envelope
		if e.UnmarshalBinary(data) == nil {
			if err := again.UnmarshalBinary(e.AppendBinary(nil)); err != nil || !same(e, again) {
				t.Fatalf("% x: %+v became %+v, %v", data, e, again, err)
			}
		}
		if e.UnmarshalJSON(data) == nil {
			if !json.Valid(data) {
				t.Fatalf("%s is no JSON and was taken", data)
			}
			if string(e.Payload) == "{}" {
				e.Payload = nil
			}
			if err := again.UnmarshalJSON(e.AppendJSON(nil)); err != nil || !same(e, again) {
				t.Fatalf("%s: %+v became %+v, %v", data, e, again, err)
			}
		}
	})
}

func same(a, b message.Envelope) bool {
	return a.Type == b.Type && a.ID == b.ID && bytes.Equal(a.Payload, b.Payload)
}

// FuzzMessage compares what we accept, reject and encode with the peer.
func FuzzMessage(f *testing.F) {
	for kind := range messages {
		payload, _ := filled(kind, 0).AppendBinary(nil)
		f.Add(int32(kind), payload)
	}
	f.Fuzz(func(t *testing.T, number int32, payload []byte) {
		if kind := message.PayloadType(number); message.New(kind) != nil {
			agree(t, kind, payload)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for kind := range messages {
		text, _ := filled(kind, 0).MarshalJSON()
		f.Add(int32(kind), text)
	}
	f.Fuzz(func(t *testing.T, number int32, text []byte) {
		kind := message.PayloadType(number)
		if message.New(kind) == nil {
			return
		}
		loose, err := message.DecodeJSON(kind, text)
		strict, strictly := message.StrictJSON(kind, text)
		if err != nil {
			if strictly == nil {
				t.Fatalf("%s is taken strictly and not loosely: %v", text, err)
			}
			return
		}
		if len(bytes.TrimSpace(text)) > 0 && !json.Valid(text) {
			t.Fatalf("%s is no JSON and was taken", text)
		}
		if strictly == nil && !reflect.DeepEqual(loose, strict) {
			t.Fatalf("%s is %+v and strictly %+v", text, loose, strict)
		}
		written, err := loose.MarshalJSON()
		if err != nil {
			return // a required enum of 0
		}
		again, err := message.StrictJSON(kind, written)
		if err != nil {
			t.Fatalf("%s was written as %s: %v", text, written, err)
		}
		if twice, _ := again.MarshalJSON(); !bytes.Equal(written, twice) {
			t.Fatalf("%s was written as %s and then %s", text, written, twice)
		}
	})
}
