package message

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// scan.go owns the scanner: one pass over JSON that may be anything.

// mostDepth is how deep arrays and objects may nest.
const mostDepth = 64

// Error is text that is not what it should be.
type Error struct {
	Offset int    // in bytes, of what is wrong
	Field  string // where it is, such as entries.Bid.price; "" for the whole
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
	}
	return fmt.Sprintf("field %s: %s (at byte %d)", e.Field, e.Reason, e.Offset)
}

type scanner struct {
	text  []byte
	at    int
	depth int
}

func (s *scanner) wrong(reason string) error { return &Error{Offset: s.at, Reason: reason} }

// within puts the name of a field before where an error is.
func within(field string, err error) error {
	if e, ok := err.(*Error); ok {
		if e.Field != "" {
			field += "." + e.Field
		}
		e.Field = field
	}
	return err
}

// peek is the next byte behind white space, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// end reports what stands behind the value.
func (s *scanner) end() error {
	if s.peek(); s.at < len(s.text) {
		return s.wrong("something stands behind the value")
	}
	return nil
}

// open steps into an object or array.
func (s *scanner) open(with byte) error {
	if s.peek() != with {
		return s.wrong("it does not begin with " + strconv.QuoteRune(rune(with)))
	}
	if s.depth++; s.depth > mostDepth {
		return s.wrong("it is nested too deep")
	}
	s.at++
	return nil
}

// next says whether another member follows, of which first is the first.
func (s *scanner) next(first bool, closing byte) (bool, error) {
	c := s.peek()
	switch {
	case c == closing:
		s.at++
		s.depth--
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, s.wrong("a comma or the end is missing")
	}
	s.at++
	return true, nil
}

// key takes the key of a member and the colon. It is valid until the next.
func (s *scanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.wrong("a key is missing")
	}
	key, escaped, err := s.quoted()
	if err != nil {
		return nil, err
	}
	if s.peek() != ':' {
		return nil, s.wrong("a colon is missing")
	}
	s.at++
	if !escaped {
		return key[1 : len(key)-1], nil
	}
	return unescaped(key), nil
}

// unescaped is the text of a string that is valid.
func unescaped(quoted []byte) []byte {
	var text string
	_ = json.Unmarshal(quoted, &text)
	return []byte(text)
}

// quoted takes a string with its quotes.
func (s *scanner) quoted() (text []byte, escaped bool, err error) {
	from := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[from:s.at], escaped, nil
		case c < ' ':
			return nil, false, s.wrong("a control character in a string")
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return nil, false, err
			}
		}
	}
	return nil, false, s.wrong("a string has no end")
}

// escape goes to the last byte of an escape.
func (s *scanner) escape() error {
	if s.at++; s.at >= len(s.text) {
		return s.wrong("a string has no end")
	}
	switch s.text[s.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			if s.at++; s.at >= len(s.text) || !isHex(s.text[s.at]) {
				return s.wrong("an escape is incomplete")
			}
		}
		return nil
	}
	return s.wrong("an escape is none of JSON's")
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// value takes any value, and hands it out as it stands.
func (s *scanner) value() ([]byte, error) {
	c := s.peek()
	from := s.at
	var err error
	switch {
	case c == '{' || c == '[':
		err = s.nested(c)
	case c == '"':
		_, _, err = s.quoted()
	case c == 't':
		err = s.word("true")
	case c == 'f':
		err = s.word("false")
	case c == 'n':
		err = s.word("null")
	default:
		_, err = s.number()
	}
	return s.text[from:s.at], err
}

func (s *scanner) nested(with byte) error {
	if err := s.open(with); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.next(first, with+2) // } is { + 2, and ] is [ + 2
		if err != nil || !more {
			return err
		}
		if with == '{' {
			if _, err := s.key(); err != nil {
				return err
			}
		}
		if _, err := s.value(); err != nil {
			return err
		}
	}
}

func (s *scanner) word(word string) error {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return s.wrong("a value is missing")
	}
	s.at += len(word)
	return nil
}

// null takes a null if there is one.
func (s *scanner) null() (bool, error) {
	if s.peek() != 'n' {
		return false, nil
	}
	return true, s.word("null")
}

// object walks over the members of an object.
func (s *scanner) object(member func(key []byte) error) error {
	if err := s.open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil || !more {
			return err
		}
		key, err := s.key()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
}

// list walks over the items of an array.
func (s *scanner) list(item func() error) error {
	if err := s.open('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.next(first, ']')
		if err != nil || !more {
			return err
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// scannable is what a scanner reads.
type scannable interface{ scan(s *scanner) error }

// decode reads one value and nothing else.
func decode(text []byte, to scannable) error {
	s := scanner{text: text}
	return s.finish(to.scan(&s))
}

// finish is the error of a value, or of what stands behind it. That a method of a known type
// scans keeps the scanner off the heap.
func (s *scanner) finish(err error) error {
	if err != nil {
		return err
	}
	return s.end()
}
