package socket

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// frame.go owns the frames of the venue, and what is in them. The first character says
// what a frame is: o for open, h for a heartbeat, a for an array of messages, c for a
// close with code and reason (Tradovate facts §5).

var errFrame = errors.New("a frame is none of the venue's")

// said is one message of a frame: an answer, which has an id, or an event, which has a name.
// Its slices belong to the frame.
type said struct {
	id     int64
	hasID  bool
	status int
	event  string
	data   []byte // nil for none
}

// messagesOf hands out the messages of the text behind an a. Keys that nobody knows are
// skipped.
func messagesOf(text []byte, each func(said)) error {
	if !json.Valid(text) {
		return fmt.Errorf("%w: it is not JSON", errFrame)
	}
	list, ok := open(text, '[')
	if !ok {
		return fmt.Errorf("%w: it is no array", errFrame)
	}
	for !list.atEnd(']') {
		m, err := messageOf(list.value())
		if err != nil {
			return err
		}
		each(m)
	}
	return nil
}

func messageOf(text []byte) (said, error) {
	var m said
	object, ok := open(text, '{')
	if !ok {
		return m, fmt.Errorf("%w: a message is no object", errFrame)
	}
	for !object.atEnd('}') {
		key := object.value()
		value := object.value()
		var err error
		switch string(key) {
		case `"i"`:
			m.id, err = strconv.ParseInt(string(value), 10, 64)
			m.hasID = err == nil
		case `"s"`:
			m.status, err = strconv.Atoi(string(value))
		case `"e"`:
			m.event, err = eventOf(value)
		case `"d"`:
			m.data = value
		}
		if err != nil {
			return m, fmt.Errorf("%w: %s is not what it should be", errFrame, key)
		}
	}
	return m, nil
}

// eventOf is the name of an event. One that is known costs no memory.
func eventOf(value []byte) (kind string, err error) {
	if len(value) > 2 && value[0] == '"' {
		switch name := value[1 : len(value)-1]; string(name) {
		case EventMarket:
			return EventMarket, nil
		case EventProps:
			return EventProps, nil
		case EventChart:
			return EventChart, nil
		case EventClock:
			return EventClock, nil
		}
	}
	err = json.Unmarshal(value, &kind)
	return kind, err
}

// closeOf reads the text behind a c, which may be absent or anything.
func closeOf(text []byte) (code int, reason string) {
	var parts []json.RawMessage
	if json.Unmarshal(text, &parts) == nil && len(parts) == 2 {
		_ = json.Unmarshal(parts[0], &code)
		_ = json.Unmarshal(parts[1], &reason)
	}
	return code, reason
}

// scanner walks over JSON that is valid.
type scanner struct{ rest []byte }

// open steps into an array or object.
func open(text []byte, with byte) (scanner, bool) {
	s := scanner{text}
	s.skip()
	if len(s.rest) == 0 || s.rest[0] != with {
		return scanner{}, false
	}
	s.rest = s.rest[1:]
	return s, true
}

// skip goes past what stands between values.
func (s *scanner) skip() {
	for len(s.rest) > 0 {
		switch s.rest[0] {
		case ' ', '\t', '\r', '\n', ',', ':':
			s.rest = s.rest[1:]
		default:
			return
		}
	}
}

func (s *scanner) atEnd(with byte) bool {
	s.skip()
	return len(s.rest) == 0 || s.rest[0] == with
}

// value takes the next one.
func (s *scanner) value() []byte {
	s.skip()
	n := lengthOf(s.rest)
	taken := s.rest[:n:n]
	s.rest = s.rest[n:]
	return taken
}

// lengthOf is how long the value is with which a text begins.
func lengthOf(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(text))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}
