package foreign

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// secrets.go owns the removal of known secrets.
//
// A text is searched in layers: as it is, and then with its escapes undone, repeatedly
// while there are any. In each layer only letters and digits count, ignoring case, so
// that white space, line breaks, quotes, hyphens and case do not hide a secret. Whatever
// matches a piece of one is removed.

const (
	// leastSecret is the shortest secret that is removed: shorter ones occur in any text.
	leastSecret = 4
	// longestSecret is how much of a secret is searched for, which bounds the cost: most
	// servers limit header fields to 8 KiB.
	longestSecret = 8 << 10
	// leastLoose is how many letters and digits a secret must have to be found with other
	// characters in between; a shorter one must occur verbatim.
	leastLoose = 8
	// piece is how many consecutive letters and digits of a secret count as the secret.
	piece = 12
	// mostLayers is how often escapes are undone.
	mostLayers = 6
)

// sought is what is searched for: secrets verbatim, and the letters and digits of their
// forms.
type sought struct{ Exact, Loose []string }

// soughtOf prepares a search, once for many texts: writing a token in all forms takes
// longer than searching a line for them.
func soughtOf[S ~string](secrets []S) (s sought) {
	for _, secret := range secrets {
		// The only place where secrets become strings: they are only compared, and not
		// kept.
		plain := string(secret[:min(len(secret), longestSecret)])
		if len(plain) < leastSecret || slices.Contains(s.Exact, plain) {
			continue
		}
		s.Exact = append(s.Exact, plain)
		for _, form := range forms(plain) {
			s.Loose = append(s.Loose, lowered(form))
		}
	}
	return s
}

// without removes secrets from a line.
func (s sought) without(line string) string {
	if line == "" || len(s.Exact) == 0 {
		return line
	}
	found := make([]bool, len(line))
	marks := marksIn(line)
	for now, round := layerOf(line, marks), 0; round < mostLayers; round++ {
		loose := now.loose()
		grams := loose.grams()
		for _, secret := range s.Exact {
			now.findExactly(secret, found)
		}
		for _, form := range s.Loose {
			loose.find(form, grams)
		}
		loose.mark(grams, found)
		next, changed := now.unescaped(marks)
		if !changed {
			break
		}
		now = next
	}
	return replaced(line, found, marks)
}

// forms returns the ways in which a secret may be written: verbatim, in base64 at each of
// its three alignments, in hexadecimal, as a list of bytes, and reversed; also after
// URL-escaping.
func forms(secret string) []string {
	var all []string
	for _, written := range slices.Compact([]string{secret, url.QueryEscape(secret)}) {
		all = append(all, written, hex.EncodeToString([]byte(written)))
		for before := range 3 {
			padded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), written...))
			// The first and the last digits hold bits of the neighbouring text.
			from, to := []int{0, 2, 3}[before], (before+len(written))*8/6
			if from < to {
				all = append(all, padded[from:to])
			}
		}
	}
	backwards, list := []rune(secret), strings.Builder{}
	slices.Reverse(backwards)
	for _, b := range []byte(secret) {
		list.WriteString(strconv.Itoa(int(b)))
	}
	return append(all, string(backwards), list.String())
}

// layer is a text after some escapes were undone: its bytes, and where the source of each
// begins and ends in the line.
type layer struct {
	text     []byte
	from, to []int32
}

func (l *layer) add(from, to int32, text ...byte) {
	for _, b := range text {
		l.text, l.from, l.to = append(l.text, b), append(l.from, from), append(l.to, to)
	}
}

// layerOf returns a line as a layer. Marks become a byte that matches nothing.
func layerOf(line string, marks []bool) *layer {
	l := &layer{}
	for i := range len(line) {
		b := line[i]
		if marks[i] {
			b = 0
		}
		l.add(int32(i), int32(i+1), b)
	}
	return l
}

// findExactly notes where a secret occurs verbatim.
func (l *layer) findExactly(secret string, found []bool) {
	for at := 0; ; at++ {
		next := bytes.Index(l.text[at:], []byte(secret))
		if next < 0 {
			return
		}
		at += next
		l.note(at, at+len(secret), found)
	}
}

// note marks the source of a part of a layer.
func (l *layer) note(from, to int, found []bool) {
	for i := l.from[from]; i < l.to[to-1]; i++ {
		found[i] = true
	}
}

// loose returns a layer's letters and digits in lower case. Marks stay, so that nothing
// is found across them.
func (l *layer) loose() *layer {
	loose := &layer{}
	for at := 0; at < len(l.text); {
		r, size := utf8.DecodeRune(l.text[at:])
		if r == 0 {
			loose.add(l.from[at], l.to[at], 0)
		} else if r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			loose.add(l.from[at], l.to[at+size-1], []byte(string(unicode.ToLower(r)))...)
		}
		at += size
	}
	return loose
}

// lowered does the same for a secret.
func lowered(secret string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, secret)
}

// grams are a layer's pieces, and whether a secret has them.
type grams struct {
	pieces map[string]bool
	whole  []string // secrets that are shorter than a piece
}

func (l *layer) grams() *grams {
	g := &grams{pieces: map[string]bool{}}
	for at := 0; at+piece <= len(l.text); at++ {
		g.pieces[string(l.text[at:at+piece])] = false
	}
	return g
}

// find notes which pieces of the layer occur in a secret.
func (l *layer) find(secret string, g *grams) {
	if len(secret) >= leastLoose && len(secret) < piece && bytes.Contains(l.text, []byte(secret)) {
		g.whole = append(g.whole, secret)
	}
	for at := 0; at+piece <= len(secret); at++ {
		if _, there := g.pieces[secret[at:at+piece]]; there {
			g.pieces[secret[at:at+piece]] = true
		}
	}
}

// mark notes where those pieces are in the line.
func (l *layer) mark(g *grams, found []bool) {
	for at := 0; at+piece <= len(l.text); at++ {
		if g.pieces[string(l.text[at:at+piece])] {
			l.note(at, at+piece, found)
		}
	}
	for _, secret := range g.whole {
		l.findExactly(secret, found)
	}
}

// marksIn finds the marks in a line.
func marksIn(line string) []bool {
	marks := make([]bool, len(line))
	for at := 0; ; at += len(struck) {
		next := strings.Index(line[at:], struck)
		if next < 0 {
			return marks
		}
		at += next
		for i := range len(struck) {
			marks[at+i] = true
		}
	}
}

// replaced puts marks where something was found, and extends them over adjacent letters
// and digits: they are the rest of the secret, or of its encoding.
func replaced(line string, found, marks []bool) string {
	if !slices.Contains(found, true) {
		return line
	}
	taken := func(i int) bool { return i >= 0 && i < len(line) && found[i] }
	grown := func(i int) bool { return !marks[i] && (isDigit(line[i]) || isLetter(line[i])) }
	for i := range line {
		found[i] = found[i] || taken(i-1) && grown(i)
	}
	for i := len(line) - 1; i >= 0; i-- {
		found[i] = found[i] || taken(i+1) && grown(i)
	}
	var text strings.Builder
	for at := 0; at < len(line); {
		if !found[at] || marks[at] {
			text.WriteByte(line[at])
			at++
			continue
		}
		for at < len(line) && found[at] && !marks[at] {
			at++
		}
		text.WriteString(struck)
	}
	return text.String()
}
