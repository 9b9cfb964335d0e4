package message

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// jsonvalue.go owns decoding the scalar values of JSON: numbers, enums and strings, with
// numbers and enums that come as strings.

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

// enumJSON reads an enum for a struct of another package.
func enumJSON(enum, table, prefix string, text []byte) (int32, error) {
	r := reader{text: text, message: enum}
	value := r.enum(enum, table, prefix)
	return value, r.fault
}
