package foreign

import "strings"

// runs.go owns what looks like a token, whoever's it is.

const (
	// leastRun is how long a run of a token's characters must be: the venues' tokens
	// have 32 and more, and 20 of base64 are 120 bits.
	leastRun = 20
	// leastWord is how many letters and digits must stand together in it; half of
	// that is enough where small letters, capitals and digits are mixed.
	leastWord = 8
	// leastTurns is how often, within a run's length, letters and digits must take
	// turns. Words, paths, error codes and the names of messages do it once or twice.
	leastTurns = 3
)

// withoutRuns strikes what looks like a token.
func withoutRuns(line string) string {
	if len(line) < leastRun {
		return line
	}
	var text strings.Builder
	kept := 0
	for at := 0; at < len(line); {
		end := at
		for end < len(line) && inRun(line[end]) {
			end++
		}
		if looksLikeToken(line[at:end]) {
			for end < len(line) && line[end] == '=' {
				end++
			}
			text.WriteString(line[kept:at])
			text.WriteString(struck)
			kept = end
		}
		at = max(end, at+1)
	}
	if kept == 0 {
		return line
	}
	text.WriteString(line[kept:])
	return text.String()
}

// inRun reports whether a token may have a character: those of base64, of base64url
// and of percent-encoding. A dot parts names of hosts, and the parts of a JWT are
// long enough by themselves.
func inRun(c byte) bool {
	return isDigit(c) || isLower(c) || isUpper(c) || c == '-' || c == '_' || c == '+' || c == '/' || c == '~' || c == '%'
}

// isUUID reports whether a run is one (RFC 9562 §4). Tradovate names its errors so,
// for who asks its support; where a secret is one it is known.
func isUUID(run string) bool {
	if len(run) != 36 {
		return false
	}
	for i := range len(run) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (run[i] == '-') || !dash && !isHex(run[i]) {
			return false
		}
	}
	return true
}

// looksLikeToken judges a run. What makes a part of a run one makes the whole run
// one, so that a cut changes nothing about that.
func looksLikeToken(run string) bool {
	if len(run) < leastRun || !mixed(run) || isUUID(run) {
		return false
	}
	var last [leastTurns]int // where the last turns were, the oldest first
	turns := 0
	for at := 1; at < len(run); at++ {
		if !turnAt(run, at) {
			continue
		}
		copy(last[:], last[1:])
		last[leastTurns-1] = at
		if turns++; turns >= leastTurns && at-last[0] < leastRun {
			return true
		}
	}
	return false
}

// turnAt reports whether a letter follows a digit or a digit a letter, or a single
// small letter stands between two capitals, as in no usual name.
func turnAt(run string, at int) bool {
	before, here := run[at-1], run[at]
	if isDigit(before) && isLetter(here) || isLetter(before) && isDigit(here) {
		return true
	}
	return at >= 2 && isUpper(run[at-2]) && isLower(before) && isUpper(here)
}

// mixed reports whether a run has a word that is long enough: a list of periods such as
// M1/M5/M15/M30/H1/H4/D1 has none.
func mixed(run string) bool {
	word, longest := 0, 0
	var small, capital bool
	for i := range len(run) {
		small, capital = small || isLower(run[i]), capital || isUpper(run[i])
		if word++; !isDigit(run[i]) && !isLetter(run[i]) {
			word = 0
		}
		longest = max(longest, word)
	}
	return longest >= leastWord || longest >= leastWord/2 && small && capital
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLower(c byte) bool  { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isHex(c byte) bool    { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func isLetter(c byte) bool { return isLower(c) || isUpper(c) }
