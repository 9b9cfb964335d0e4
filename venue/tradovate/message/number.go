package message

import (
	"encoding/json"
	"strconv"
)

// number.go owns numbers.

// Number is a number that may be absent, as which null counts too. Its value is the
// float64 nearest to what the venue sent.
type Number struct {
	Value float64
	Set   bool
}

// MarshalJSON implements json.Marshaler: null if it is absent.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Set {
		return []byte("null"), nil
	}
	return json.Marshal(n.Value)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(text []byte) error {
	var value *float64
	err := json.Unmarshal(text, &value)
	*n = Number{Set: value != nil}
	if n.Set {
		n.Value = *value
	}
	return err
}

// number takes one as it stands (RFC 8259, section 6).
func (s *scanner) number() ([]byte, error) {
	s.peek()
	from := s.at
	s.pass('-')
	if !s.pass('0') && !s.digits() {
		return nil, s.wrong("a value is missing")
	}
	if s.pass('.') && !s.digits() {
		return nil, s.wrong("a digit is missing")
	}
	if s.pass('e') || s.pass('E') {
		if !s.pass('-') {
			s.pass('+')
		}
		if !s.digits() {
			return nil, s.wrong("a digit is missing")
		}
	}
	return s.text[from:s.at], nil
}

func (s *scanner) pass(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.text) && isDigit(s.text[s.at]) {
		s.at++
	}
	return s.at > from
}

// float takes a Number.
func (s *scanner) float(to *Number) error {
	*to = Number{}
	if null, err := s.null(); null {
		return err
	}
	text, err := s.number()
	if err != nil {
		return err
	}
	value, exact := shortDecimal(text)
	if !exact {
		if value, err = strconv.ParseFloat(string(text), 64); err != nil {
			return s.wrong("a number is out of range")
		}
	}
	*to = Number{value, true}
	return nil
}

// integer takes an int64; null is 0.
func (s *scanner) integer(to *int64) error {
	*to = 0
	if null, err := s.null(); null {
		return err
	}
	text, err := s.number()
	if err != nil {
		return err
	}
	if *to, err = strconv.ParseInt(string(text), 10, 64); err != nil {
		*to = 0
		return s.wrong("it is no whole number of 64 bits")
	}
	return nil
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortDecimal is the value of a number of at most 15 digits and no exponent. Both parts
// of the one division are exact, so its result is the nearest.
func shortDecimal(text []byte) (float64, bool) {
	if len(text) > 16 {
		return 0, false
	}
	var digits, behind, count int
	point := false
	for _, c := range text {
		switch {
		case isDigit(c):
			digits = digits*10 + int(c-'0')
			count++
			if point {
				behind++
			}
		case c == '.':
			point = true
		case c == '-':
			return 0, false // rare, and -0 is not 0
		default:
			return 0, false
		}
	}
	if count > 15 {
		return 0, false
	}
	return float64(digits) / powers[behind], true
}
