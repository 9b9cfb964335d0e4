package message

// jsonread.go owns decoding JSON. It does not use encoding/json because errors in input
// that a person wrote must name the field and the position, because numbers may come as
// strings, and because known structs need no reflection.

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

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

func (r *reader) bool() bool {
	switch c := r.peek(); {
	case c == 't' && r.word("true"):
		return true
	case c == 'f' && r.word("false"):
		return false
	}
	r.unexpected("true or false")
	return false
}

func (r *reader) int64() int64   { return r.signed(64) }
func (r *reader) int32() int32   { return int32(r.signed(32)) }
func (r *reader) uint64() uint64 { return r.unsigned(64) }
func (r *reader) uint32() uint32 { return uint32(r.unsigned(32)) }

func (r *reader) signed(size int) int64 {
	digits := r.number("a whole number")
	if r.fault != nil {
		return 0
	}
	value, err := strconv.ParseInt(string(digits), 10, size)
	r.judge(err, size)
	return value
}

func (r *reader) unsigned(size int) uint64 {
	digits := r.number("a whole number")
	if r.fault != nil {
		return 0
	}
	value, err := strconv.ParseUint(string(digits), 10, size)
	r.judge(err, size)
	return value
}

func (r *reader) judge(err error, size int) {
	if err == nil {
		return
	}
	if isRange(err) {
		r.fail("does not fit into " + strconv.Itoa(size) + " bits")
		return
	}
	r.fail("is not a whole number, or below zero where that cannot be")
}

func isRange(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}

func (r *reader) float64() float64 {
	digits := r.number("a number")
	if r.fault != nil {
		return 0
	}
	value, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || math.IsInf(value, 0) {
		r.fail("is too large for a number")
	}
	return value
}

// enum reads a value as a number or as a name.
func (r *reader) enum(enum, table, prefix string) int32 {
	if r.peek() != '"' {
		return r.int32()
	}
	start := r.at
	text := r.string()
	if r.fault != nil {
		return 0
	}
	value, err := parsed(enum, table, prefix, text)
	if err != nil {
		r.at = start
		r.fail("has no such value" + suggestion(nearest(text, names(table))))
	}
	return value
}

// number returns the digits of a number, bare or in quotes.
func (r *reader) number(wanted string) []byte {
	c := r.peek()
	start := r.at
	if c == '"' {
		digits := r.quoted()
		if r.fault == nil && (len(digits) == 0 || numberLength(digits) != len(digits)) {
			r.at = start
			r.fail("is not " + wanted)
		}
		return digits
	}
	n := 0
	if r.fault == nil {
		n = numberLength(r.text[r.at:])
	}
	if n == 0 {
		r.unexpected(wanted)
		return nil
	}
	r.at += n
	return r.text[start:r.at]
}

// numberLength returns the length of the JSON number at the start of the text.
func numberLength(b []byte) int {
	at := 0
	if at < len(b) && b[at] == '-' {
		at++
	}
	whole := digits(b[at:])
	if whole == 0 || whole > 1 && b[at] == '0' {
		return 0
	}
	at += whole
	if at < len(b) && b[at] == '.' {
		n := digits(b[at+1:])
		if n == 0 {
			return 0
		}
		at += 1 + n
	}
	if at < len(b) && b[at]|0x20 == 'e' {
		e := at + 1
		if e < len(b) && (b[e] == '+' || b[e] == '-') {
			e++
		}
		n := digits(b[e:])
		if n == 0 {
			return 0
		}
		at = e + n
	}
	return at
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

func (r *reader) string() string {
	if r.peek() != '"' {
		r.unexpected("a text in quotes")
		return ""
	}
	return string(r.quoted())
}

// quoted returns the value of a quoted string. It is a subslice of the input if the string
// has no escapes.
func (r *reader) quoted() []byte {
	start := r.at
	plain := true
	for at := start + 1; at < len(r.text); at++ {
		switch c := r.text[at]; {
		case c == '"':
			r.at = at + 1
			if inner := r.text[start+1 : at]; plain && utf8.Valid(inner) {
				return inner
			}
			return r.unescaped(start)
		case c == '\\':
			plain = false
			at++
		case c < 0x20:
			r.at = at
			r.fail("has a control character in a text")
			return nil
		}
	}
	r.at = len(r.text)
	r.fail("is cut off")
	return nil
}

func (r *reader) unescaped(start int) []byte {
	var text string
	if json.Unmarshal(r.text[start:r.at], &text) != nil {
		r.at = start
		r.fail("has an escape in a text that JSON does not have")
	}
	return []byte(text)
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

// enumJSON reads an enum for a struct of another package.
func enumJSON(enum, table, prefix string, text []byte) (int32, error) {
	r := reader{text: text, message: enum}
	value := r.enum(enum, table, prefix)
	return value, r.fault
}
