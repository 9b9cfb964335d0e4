// Package foreign is the one gate for text that is not ours: what a venue, a
// gateway, a proxy, a certificate, net/http, a database, the system or a backup
// says. What passed it is one line that fits a terminal, a log, a hook, JSON and a
// store, and holds nothing secret: none of them has to look again.
//
// Text is cleaned where it enters, in this order: what a terminal would obey, or a
// reader not see, goes; then secrets are struck, as they are and in the encodings
// in which they come back; then what merely looks like a token; and only then the
// text is cut to its bound, so that no cut leaves a part of a secret behind.
//
// What the gate does not do: it knows no cipher and no game. Somebody who wants to
// smuggle out what we sent him, and who has it anyway, can write it with a letter in
// between each two, in words or in look-alikes of other alphabets. The gate is for
// what repeats, not for what hides.
package foreign

import (
	"strings"
	"unicode/utf8"
)

const (
	// lineBound is the most runes of what somebody else says, nameBound of a name, and
	// tellBound of a whole error or of a path in one.
	lineBound = 300
	nameBound = 100
	tellBound = 2000
	// readBound is how many bytes of a text are looked at.
	readBound = 4 << 10
)

// struck stands where a secret stood. The gate leaves it alone when it meets it
// again, so that what is clean stays as it is.
const struck = "[secret]"

// Line gives what somebody else says, without what looks like a token.
func Line(text string) string { return LineWithout[string](text) }

// LineWithout is Line without the secrets that whoever speaks was told.
func LineWithout[S ~string](text string, secrets ...S) string {
	return withoutRuns(cut(withoutRuns(clean(text, secrets)), lineBound))
}

// Tell gives an error's whole text, ours and somebody else's, as Line does; it may be
// longer.
func Tell[S ~string](text string, secrets ...S) string {
	return withoutRuns(cut(withoutRuns(clean(text, secrets)), tellBound))
}

// Name gives a short field: a user, a scope, a broker, a symbol, a currency. What
// looks like a token stays, because a name may.
func Name(text string) string { return NameWithout[string](text) }

// NameWithout is Name without secrets.
func NameWithout[S ~string](text string, secrets ...S) string {
	return cut(clean(text, secrets), nameBound)
}

// mostNames is how many names of a kind are taken: a token's scopes are a few. Whoever
// gives more wants to see what that costs.
const mostNames = 256

// NamesWithout is NameWithout for the first of many.
func NamesWithout[S ~string](texts []string, secrets ...S) (names []string) {
	s := soughtOf(secrets)
	for _, text := range texts[:min(len(texts), mostNames)] {
		names = append(names, cut(s.clean(text), nameBound))
	}
	return names
}

// Fit makes a text of this machine one line, with all that is in it: a path, a
// message of the system. A file's name may look like a token.
func Fit(text string) string { return cut(sought{}.clean(text), tellBound) }

func clean[S ~string](text string, secrets []S) string { return soughtOf(secrets).clean(text) }

// clean gives a text as one line without secrets. Where only its beginning was looked
// at, the end of that goes as well: a piece of a secret may stand there, too short to
// be known.
func (s sought) clean(text string) string {
	if len(text) <= readBound {
		return s.without(oneLine(text))
	}
	line := s.without(oneLine(text[:readBound]))
	return strings.ToValidUTF8(line[:max(0, len(line)-10*piece)], "")
}

// cut shortens a line to a number of runes, and shows that. It cuts at no mark.
func cut(line string, bound int) string {
	if len(line) <= bound || utf8.RuneCountInString(line) <= bound {
		return line
	}
	at := 0
	for range bound - 1 {
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	for back := 1; back < len(struck); back++ {
		if at >= back && strings.HasPrefix(line[at-back:], struck) {
			at -= back
			break
		}
	}
	return strings.TrimRight(line[:at], " ") + "…"
}
