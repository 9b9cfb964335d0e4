package foreign

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// escapes.go owns how escapes are undone: those of URLs and forms (RFC 3986 §2.1), of
// JSON (RFC 8259 §7), Go, C and JavaScript, and of HTML.

// unescaped returns the layer below, and whether there is one.
func (l *layer) unescaped(marks []bool) (below *layer, changed bool) {
	below = &layer{}
	for at := 0; at < len(l.text); {
		r, size := escape(l.text[at:])
		if size == 0 {
			below.add(l.from[at], l.to[at], l.text[at])
			at++
			continue
		}
		changed = true
		made := []byte{byte(r)}
		if size < 0 { // a byte, which may be part of a rune
			size = -size
		} else {
			made = utf8.AppendRune(nil, r)
		}
		if r == 0 {
			made[0] = ' ' // 0 is for marks
		}
		below.add(l.from[at], l.to[at+size-1], made...)
		at += size
	}
	return below, changed
}

// escape returns the rune that an escape at the beginning of a text stands for, and its
// length: 0 if there is none, negative if it stands for a byte.
func escape(text []byte) (r rune, size int) {
	switch text[0] {
	case '%':
		if r, ok := digits(text, 1, 2, 16); ok {
			return r, -3
		}
		if len(text) > 1 && text[1] == 'u' {
			if r, ok := digits(text, 2, 4, 16); ok {
				return r, 6
			}
		}
	case '\\':
		return backslash(text)
	case '&':
		return entity(text)
	}
	return 0, 0
}

func backslash(text []byte) (rune, int) {
	if len(text) < 2 || text[1] == 0 {
		return 0, 0
	}
	switch text[1] {
	case 'u':
		if r, ok := digits(text, 2, 4, 16); ok {
			return r, 6
		}
	case 'U':
		if r, ok := digits(text, 2, 8, 16); ok {
			return r, 10
		}
	case 'x':
		if r, ok := digits(text, 2, 2, 16); ok {
			return r, -4
		}
	case 'a', 'b', 'f', 'n', 'r', 't', 'v':
		return ' ', 2
	case '0', '1', '2', '3':
		if r, ok := digits(text, 1, 3, 8); ok {
			return r, -4
		}
	}
	if text[1] >= utf8.RuneSelf {
		return 0, 0
	}
	return rune(text[1]), 2
}

// entity undoes an HTML entity. Named entities of letters do not occur in tokens, so all
// other names count as something in between.
func entity(text []byte) (rune, int) {
	end := bytes.IndexByte(text[:min(len(text), 12)], ';')
	if end < 3 {
		return 0, 0
	}
	name, base := text[1:end], 10
	if name[0] != '#' {
		for _, b := range name {
			if (b|0x20) < 'a' || (b|0x20) > 'z' {
				return 0, 0
			}
		}
		if string(name) == "amp" {
			return '&', end + 1
		}
		return ' ', end + 1
	}
	if name = name[1:]; name[0]|0x20 == 'x' {
		name, base = name[1:], 16
	}
	r, ok := digits(name, 0, len(name), base)
	if !ok {
		return 0, 0
	}
	return r, end + 1
}

// digits reads a number with that many digits.
func digits(text []byte, from, many, base int) (rune, bool) {
	if many == 0 || len(text) < from+many {
		return 0, false
	}
	number, err := strconv.ParseUint(string(text[from:from+many]), base, 31)
	return rune(number), err == nil
}
