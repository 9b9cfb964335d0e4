// Package foreign cleans text from elsewhere: from a venue, a gateway, a proxy, a
// certificate, net/http, a database, the system or a backup. Clean text is one line that
// is safe in a terminal, a log, a hook, JSON and a store, and contains no secrets, so
// none of them has to check it again.
//
// Text is cleaned where it enters, in this order. First, control sequences and invisible
// characters are removed. Then known secrets are removed, verbatim and in the encodings
// in which they come back; then anything that looks like a token. Only then is the text
// cut to its bound, so that no cut leaves a part of a secret behind.
//
// The package does not undo deliberate hiding. A server that has our secret and wants to
// smuggle it into a log can write it with a letter between every two, in words, or in
// look-alikes of other alphabets. This is a defence against repetition, not against
// malice.
package foreign

import (
	"strings"
	"unicode/utf8"
)

const (
	// lineBound is the most runes of a text, nameBound of a name, and tellBound of a
	// whole error or of a path in one.
	lineBound = 300
	nameBound = 100
	tellBound = 2000
	// readBound is how many bytes of a text are read.
	readBound = 4 << 10
)

// struck replaces a secret. Cleaning leaves it alone, so clean text stays as it is.
const struck = "[secret]"

// Line returns a text from elsewhere, without what looks like a token.
func Line(text string) string { return LineWithout[string](text) }

// LineWithout is Line without the secrets that the other side was given.
func LineWithout[S ~string](text string, secrets ...S) string {
	return withoutRuns(cut(withoutRuns(clean(text, secrets)), lineBound))
}

// Tell returns the whole text of an error, ours and from elsewhere, as Line does; it may
// be longer.
func Tell[S ~string](text string, secrets ...S) string {
	return withoutRuns(cut(withoutRuns(clean(text, secrets)), tellBound))
}

// Name returns a short field: a user, a scope, a broker, a symbol, a currency. What looks
// like a token stays, because a name may look like that.
func Name(text string) string { return NameWithout[string](text) }

// NameWithout is Name without secrets.
func NameWithout[S ~string](text string, secrets ...S) string {
	return cut(clean(text, secrets), nameBound)
}

// mostNames is how many names of a kind are accepted. A token has a few scopes; a longer
// list is an attempt to waste resources.
const mostNames = 256

// NamesWithout is NameWithout for a list.
func NamesWithout[S ~string](texts []string, secrets ...S) (names []string) {
	s := soughtOf(secrets)
	for _, text := range texts[:min(len(texts), mostNames)] {
		names = append(names, cut(s.clean(text), nameBound))
	}
	return names
}

// Fit turns a text of this machine, such as a path or a message of the system, into one
// line. Nothing that looks like a token is removed, because a file name may look like
// that.
func Fit(text string) string { return cut(sought{}.clean(text), tellBound) }

func clean[S ~string](text string, secrets []S) string { return soughtOf(secrets).clean(text) }

// clean returns a text as one line without secrets. If only its beginning was read, the
// end of that is dropped as well: it may hold a piece of a secret that is too short to be
// recognised.
func (s sought) clean(text string) string {
	if len(text) <= readBound {
		return s.without(oneLine(text))
	}
	line := s.without(oneLine(text[:readBound]))
	return strings.ToValidUTF8(line[:max(0, len(line)-10*piece)], "")
}

// cut shortens a line to a number of runes, and marks that. It does not cut within
// struck.
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
