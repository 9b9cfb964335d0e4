package foreign

import "strings"

// runs.go owns what looks like a token.

const (
	// leastRun is the least length of a run of token characters: the venues' tokens have
	// 32 or more, and 20 characters of base64 are 120 bits.
	leastRun = 20
	// leastWord is how many letters and digits in it must be consecutive; half of that is
	// enough if small letters, capitals and digits are mixed.
	leastWord = 8
	// leastTurns is how often, within a run's length, letters and digits must alternate.
	// Words, paths, error codes and message names do so once or twice.
	leastTurns = 3
)

// withoutRuns removes what looks like a token.
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

// inRun reports whether a character may be part of a token: those of base64, base64url
// and percent-encoding. A dot separates host names, and the parts of a JWT are long
// enough without it.
func inRun(c byte) bool {
	return isDigit(c) || isLower(c) || isUpper(c) || c == '-' || c == '_' || c == '+' || c == '/' || c == '~' || c == '%'
}

// isUUID reports whether a run is a UUID (RFC 9562 §4). Tradovate identifies its errors
// by UUIDs, which its support asks for; a secret that is a UUID is known and removed as
// such.
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

// looksLikeToken judges a run. If any part of a run looks like a token, the whole run
// does, so that a cut does not change the result.
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

// turnAt reports whether a letter follows a digit or a digit a letter, or a single small
// letter is between two capitals, which is unusual in names.
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
