package message

import (
	"strconv"
	"time"
)

// text.go owns texts, and times and dates, which are texts as well.

// plainText takes a string without its quotes, "" for null. A number or a truth counts as its
// text: the venue's own clients disagree on which fields are which. It is valid until the next.
func (s *scanner) plainText() ([]byte, error) {
	switch s.peek() {
	case '"':
		text, escaped, err := s.quoted()
		if err != nil {
			return nil, err
		}
		if escaped {
			return unescaped(text), nil
		}
		return text[1 : len(text)-1], nil
	case '{', '[':
		return nil, s.wrong("it is no string")
	case 'n':
		return nil, s.word("null")
	}
	return s.value()
}

// str takes a string, as plainText does.
func (s *scanner) str(to *string) error {
	text, err := s.plainText()
	*to = string(text)
	return err
}

// number64 takes a whole number, which may be quoted; null is 0.
func (s *scanner) number64(to *int64) (err error) {
	if s.peek() != '"' {
		return s.integer(to)
	}
	*to = 0
	text, err := s.plainText()
	if err != nil {
		return err
	}
	if *to, err = strconv.ParseInt(string(text), 10, 64); err != nil {
		*to = 0
		return s.wrong("it is no whole number of 64 bits")
	}
	return nil
}

// Date is the day of a trading session.
type Date struct {
	Year  int64 `json:"year"`
	Month int64 `json:"month"`
	Day   int64 `json:"day"`
}

// date takes a Date. What else is in it is unknown.
func (s *scanner) date(to *Date, where string, unknown *[]Field) error {
	*to = Date{}
	if null, err := s.null(); null {
		return err
	}
	return s.object(func(key []byte) error {
		switch string(key) {
		case "year":
			return within("year", s.integer(&to.Year))
		case "month":
			return within("month", s.integer(&to.Month))
		case "day":
			return within("day", s.integer(&to.Day))
		}
		return s.unknown(where, key, unknown)
	})
}

// layouts are the forms of times beside that of RFC 3339: without seconds, and a day alone.
var layouts = [...]string{"2006-01-02T15:04Z07:00", time.DateOnly}

// time takes a time; null is the zero time.
func (s *scanner) time(to *time.Time) error {
	*to = time.Time{}
	if null, err := s.null(); null {
		return err
	}
	if s.peek() != '"' {
		return s.wrong("it is no string")
	}
	text, err := s.plainText()
	if err != nil {
		return err
	}
	if to.UnmarshalText(text) == nil {
		return nil
	}
	for _, layout := range layouts {
		if *to, err = time.Parse(layout, string(text)); err == nil {
			return nil
		}
	}
	return s.wrong("it is no time")
}
