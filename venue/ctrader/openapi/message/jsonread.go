package message

import (
	"bytes"
	"strconv"
)

// jsonread.go owns decoding JSON. It does not use encoding/json because errors in input
// that a person wrote must name the field and the position, because numbers may come as
// strings, and because known structs need no reflection.

// maxDepth bounds the nesting of values that are skipped. The messages themselves nest at
// most four deep.
const maxDepth = 100

type jsonMessage interface{ readJSON(*reader) }

// reader scans a JSON text. After the first error every method does nothing, so errors need
// to be checked only at the end.
type reader struct {
	text   []byte
	at     int
	strict bool
	// the current position, for errors
	message string
	key     []byte
	fault   error
}

// readJSONInto decodes a whole text.
func readJSONInto(m jsonMessage, name string, text []byte, strict bool) error {
	r := reader{text: text, strict: strict, message: name}
	m.readJSON(&r)
	if r.space(); r.fault == nil && r.at < len(r.text) {
		r.message, r.key = name, nil
		r.fail("has data after its end")
	}
	return r.fault
}

func (r *reader) fail(reason string) {
	if r.fault == nil {
		r.fault = &DecodeError{r.message, shortened(string(r.key)), r.at, reason}
	}
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, or 0 at the end and after an error.
func (r *reader) peek() byte {
	if r.fault != nil {
		return 0
	}
	r.space()
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *reader) take(c byte) bool {
	if r.peek() == c {
		r.at++
		return true
	}
	return false
}

func (r *reader) unexpected(wanted string) {
	if r.at >= len(r.text) {
		r.fail("is cut off")
		return
	}
	r.fail("is not " + wanted)
}

// firstKey begins an object and returns its first key; nextKey returns the key after a
// value.
func (r *reader) firstKey(message string) ([]byte, bool) {
	r.message = message
	if !r.take('{') {
		r.unexpected("an object")
		return nil, false
	}
	if r.take('}') {
		return nil, false
	}
	return r.readKey()
}

func (r *reader) nextKey(message string) ([]byte, bool) {
	if r.fault != nil {
		return nil, false
	}
	r.message, r.key = message, nil
	if r.take(',') {
		return r.readKey()
	}
	if !r.take('}') {
		r.unexpected("followed by a comma or the end of the object")
	}
	return nil, false
}

func (r *reader) readKey() ([]byte, bool) {
	if r.peek() != '"' {
		r.unexpected("followed by a key in quotes")
		return nil, false
	}
	key := r.quoted()
	if r.fault == nil && !r.take(':') {
		r.unexpected("followed by a colon after the key")
	}
	return key, r.fault == nil
}

// field begins the value of a known field. It returns false for null, which means absent,
// and in strict mode for a duplicate.
func (r *reader) field(key []byte, seen *uint64, bit uint64) bool {
	r.key = key
	if r.strict && *seen&bit != 0 {
		r.fail("is duplicated")
	}
	if r.null() || r.fault != nil {
		return false
	}
	*seen |= bit
	return true
}

func (r *reader) null() bool { return r.peek() == 'n' && r.word("null") }

func (r *reader) word(word string) bool {
	if bytes.HasPrefix(r.text[r.at:], []byte(word)) {
		r.at += len(word)
		return true
	}
	return false
}

// unknown skips the value of an unknown key, or rejects it in strict mode.
func (r *reader) unknown(table string, key []byte) {
	r.key = key
	if r.strict {
		r.fail("is not one of this message" + suggestion(nearest(string(key), names(table))))
	}
	r.skip(0)
}

// ownType reads the payload type that a message itself may state. The envelope decides what
// the message is; a contradiction is an error in strict mode only.
func (r *reader) ownType(key []byte, own PayloadType) {
	if !r.strict {
		r.skip(0)
		return
	}
	r.key = key
	if t, ok := r.payloadType(); ok && t != own {
		r.fail("is that of another message")
	}
}

func (r *reader) payloadType() (PayloadType, bool) {
	if r.peek() != '"' {
		t := r.int32()
		return PayloadType(t), r.fault == nil
	}
	text := r.string()
	t, ok := ByName(text)
	if !ok && r.fault == nil {
		if number, err := strconv.ParseInt(text, 10, 32); err == nil {
			return PayloadType(number), true
		}
		r.fail("is not a payload type" + suggestion(Nearest(text)))
	}
	return t, r.fault == nil
}

// firstElement begins an array and nextElement continues it; both report whether there is
// an element to read.
func (r *reader) firstElement() bool {
	if !r.take('[') {
		r.unexpected("a list")
		return false
	}
	return r.fault == nil && !r.take(']')
}

func (r *reader) nextElement() bool {
	if r.take(',') {
		return true
	}
	if !r.take(']') && r.fault == nil {
		r.unexpected("followed by a comma or the end of the list")
	}
	return false
}

// need checks at the end of a message that all required fields were seen.
func (r *reader) need(message, table string, seen, needed uint64) {
	missing := needed &^ seen
	if r.fault != nil || missing == 0 {
		return
	}
	r.message, r.key = message, nil
	for number, name := range entries(table) {
		if n, _ := strconv.Atoi(number); missing&(1<<n) != 0 {
			r.key = []byte(name)
			break
		}
	}
	r.fail("is required and missing")
}

// skip skips one value and checks that it is well formed.
func (r *reader) skip(depth int) {
	if depth == maxDepth {
		r.fail("is nested too deep")
	}
	switch c := r.peek(); {
	case c == '{':
		message, key := r.message, r.key
		for _, ok := r.firstKey(message); ok; _, ok = r.nextKey(message) {
			r.key = key
			r.skip(depth + 1)
		}
	case c == '[':
		for ok := r.firstElement(); ok; ok = r.nextElement() {
			r.skip(depth + 1)
		}
	case c == '"':
		r.quoted()
	case c == 'n':
		if !r.word("null") {
			r.unexpected("a value")
		}
	case c == 't' || c == 'f':
		r.bool()
	default:
		if r.fault == nil {
			n := numberLength(r.text[r.at:])
			if n == 0 {
				r.unexpected("a value")
			}
			r.at += n
		}
	}
}
