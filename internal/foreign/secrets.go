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

// secrets.go owns the striking of what we know to be secret.
//
// A text is read in layers: as it stands, then with its escapes undone, again and
// again as long as there are any. In each layer only letters and digits count, in
// one case, so that neither white space, line breaks, quotes, hyphens nor another
// case hides a secret, and whatever agrees with a piece of one is struck.

const (
	// leastSecret is the shortest that is struck: what is shorter stands in any text.
	leastSecret = 4
	// longestSecret is how much of one is searched for, which bounds what a text costs:
	// servers mostly take header fields of 8 KiB.
	longestSecret = 8 << 10
	// leastLoose is how many letters and digits a secret must have to be found with
	// something in between; a shorter one must stand there as it is.
	leastLoose = 8
	// piece is how many letters and digits of a secret in a row are as good as all of
	// it.
	piece = 12
	// mostLayers is how often escapes are undone.
	mostLayers = 6
)

// sought is what is searched for: secrets as they are, and the letters and digits of
// their forms.
type sought struct{ Exact, Loose []string }

// soughtOf makes it, once for many texts: to write a token in all forms takes longer than
// to look for them in a line.
func soughtOf[S ~string](secrets []S) (s sought) {
	for _, secret := range secrets {
		// The only place where secrets become strings: they are compared here and
		// kept nowhere.
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

// without strikes secrets from a line.
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

// forms are the ways in which a secret is written: as it is, in base64 at each of
// the three places that it can have in a longer text, in hexadecimal, as a list of
// bytes, and backwards. In a form it may have been escaped before that.
func forms(secret string) []string {
	var all []string
	for _, written := range slices.Compact([]string{secret, url.QueryEscape(secret)}) {
		all = append(all, written, hex.EncodeToString([]byte(written)))
		for before := range 3 {
			padded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), written...))
			// The first and the last digits hold bits of what stands beside.
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

// layer is a text after some escapes were undone: each of its bytes, and where what
// it was made of begins and ends in the line.
type layer struct {
	text     []byte
	from, to []int32
}

func (l *layer) add(from, to int32, text ...byte) {
	for _, b := range text {
		l.text, l.from, l.to = append(l.text, b), append(l.from, from), append(l.to, to)
	}
}

// layerOf is a line as it stands. A mark is a byte that nothing agrees with.
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

// findExactly notes where a secret stands as it is.
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

// note marks what a part of a layer was made of.
func (l *layer) note(from, to int, found []bool) {
	for i := l.from[from]; i < l.to[to-1]; i++ {
		found[i] = true
	}
}

// loose is a layer's letters and digits, in lower case. A mark stays, so that
// nothing is found across it.
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

// lowered does the same to a secret.
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

// find notes which pieces of the layer a secret has.
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

// mark notes where those pieces stand in the line.
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

// marksIn finds the marks that stand in a line.
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

// replaced puts marks where something was found, and takes the letters and digits along
// that it stands among: they are the rest of it, or of what it was encoded with.
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
