package socket

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/venuekey/venuekey"
)

// oversize.go owns frames that are longer than MaxFrame. What they begin with says what would
// be lost: market data may be skipped, and so may an answer, which its caller is told. What
// changes the state of a user may not, so that ends the connection.

// mostSkipped is how much of one frame is read past before the connection is given up, in
// frames of the longest length.
const mostSkipped = 16

// oversized skips the rest of a frame that begins with text, or returns why that must not be.
func (c *Conn) oversized(text []byte, rest io.Reader) error {
	m, alone := beginning(text)
	tooLong := fmt.Errorf("%w: it is longer than the %d bytes of MaxFrame", errFrame, c.opts.MaxFrame)
	sent := (*call)(nil)
	switch {
	case !alone:
		return tooLong
	case m.event == EventMarket || m.event == EventChart:
	case m.event == "" && m.hasID && !c.isPart(m.id):
		if sent = c.take(m.id); sent == nil {
			return tooLong
		}
	default:
		return tooLong
	}
	skipped, err := io.Copy(io.Discard, io.LimitReader(rest, mostSkipped*int64(c.opts.MaxFrame)))
	if err == nil && skipped == mostSkipped*int64(c.opts.MaxFrame) {
		err = tooLong
	}
	size := int64(len(text)) + skipped
	if sent == nil {
		c.opts.Log.Warn("market data that is longer than MaxFrame was skipped", "bytes", size, "limit", c.opts.MaxFrame)
		return err
	}
	sent.permit.Answered(c.lastHeard.Load())
	answer := &Error{Request: sent.endpoint, Class: venuekey.ClassFailed, Status: m.status, Address: c.address,
		Err: fmt.Errorf("the answer has %d bytes or more, and MaxFrame allows %d: ask for less, or raise it", size, c.opts.MaxFrame)}
	if m.status == 0 || m.status >= 300 {
		answer.Class = venuekey.ClassUnknown
	}
	sent.result <- result{nil, answer}
	return err
}

// beginning reads what a frame begins with, as far as it came: the keys of its first message
// up to its data. alone says that nothing else can be in what came.
func beginning(frame []byte) (m said, alone bool) {
	if len(frame) == 0 || frame[0] != 'a' {
		return m, false
	}
	list, ok := open(frame[1:], '[')
	if !ok {
		return m, false
	}
	object, ok := open(list.rest, '{')
	for ok && !object.atEnd('}') {
		key := object.value()
		if len(key) == 0 || key[0] != '"' { // it was not checked to be JSON
			return m, false
		}
		if string(key) == `"d"` {
			object.value()
			return m, len(object.rest) == 0
		}
		value := object.value()
		one, err := messageOf(slices.Concat([]byte("{"), key, []byte(":"), value, []byte("}")))
		if err != nil || len(value) == 0 || !json.Valid(value) {
			return m, false
		}
		if one.hasID {
			m.id, m.hasID = one.id, true
		}
		if one.status != 0 {
			m.status = one.status
		}
		if one.event != "" {
			m.event = one.event
		}
	}
	return m, false
}
