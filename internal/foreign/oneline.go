package foreign

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// oneline.go owns the removal of control sequences and invisible characters.

// mostMarks is how many combining marks one letter may carry. Real writing needs four;
// more would cover the lines above and below.
const mostMarks = 4

// oneLine returns a text as one line of printable characters, with its white space
// collapsed.
func oneLine(text string) string {
	if isPlain(text) {
		return text
	}
	var line strings.Builder
	space, marks := false, 0
	for text != "" {
		if word := visibleASCII(text); word > 0 { // most of any text
			if space && line.Len() > 0 {
				line.WriteByte(' ')
			}
			line.WriteString(text[:word])
			text, space, marks = text[word:], false, 0
			continue
		}
		if size := sequence(text); size > 0 {
			text = text[size:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		invalid := r == utf8.RuneError && size == 1
		text = text[size:]
		switch {
		case !invalid && unseen(r):
			continue
		case invalid || r == ' ' || !unicode.IsPrint(r):
			space = true
			continue
		case unicode.IsMark(r):
			if marks++; marks > mostMarks {
				continue
			}
		default:
			marks = 0
		}
		if space && line.Len() > 0 {
			line.WriteByte(' ')
		}
		space = false
		line.WriteRune(r)
	}
	return line.String()
}

// visibleASCII returns how many bytes of visible ASCII a text begins with.
func visibleASCII(text string) int {
	for i := range len(text) {
		if text[i] < '!' || text[i] > '~' {
			return i
		}
	}
	return len(text)
}

// isPlain reports whether a text is a clean line already, as most are.
func isPlain(text string) bool {
	before := byte(' ')
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return text == "" || before != ' '
}

// unseen reports whether a rune shows nothing itself: format characters, bidi controls,
// zero widths and tags (Cf), variation selectors, and blank letters (Unicode's
// Default_Ignorable_Code_Point, and the empty Braille cell).
func unseen(r rune) bool {
	switch {
	case r < 0x80:
		return false
	case r == 0x034F, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r == 0x2800, r == 0x3164, r == 0xFFA0,
		r >= 0x180B && r <= 0x180F, r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// sequence returns the length of the control sequence that a text begins with, 0 if there
// is none (ECMA-48 §5.4, §5.6 and §5.3). Of an unterminated string only the introducer
// counts, so that nothing else is lost.
func sequence(text string) int {
	kind, size := introducer(text)
	switch kind {
	case 0:
		return 0
	case '[':
		for size < len(text) && text[size] >= 0x20 && text[size] <= 0x3F {
			size++
		}
		if size < len(text) && text[size] >= 0x40 && text[size] <= 0x7E {
			size++
		}
		return size
	case ']', 'P', 'X', '^', '_':
		for at := size; at < len(text); at++ {
			if text[at] == '\a' {
				return at + 1
			}
			if strings.HasPrefix(text[at:], "\x1b\\") || strings.HasPrefix(text[at:], "\u009c") {
				return at + 2
			}
		}
		return size
	}
	return size
}

// introducer returns the kind of sequence that a text begins with, by its second
// character in the seven-bit form, 0 for none; a lone ESC counts as well.
func introducer(text string) (kind byte, size int) {
	switch {
	case strings.HasPrefix(text, "\x1b"):
		end := 1
		for end < len(text) && text[end] >= 0x20 && text[end] <= 0x2F {
			end++
		}
		if end == len(text) || text[end] < 0x30 || text[end] > 0x7E {
			return '\x1b', end
		}
		return text[end], end + 1
	case len(text) >= 2 && text[0] == 0xC2 && text[1] >= 0x80 && text[1] <= 0x9F: // the same in eight bits
		return text[1] - 0x40, 2
	}
	return 0, 0
}
