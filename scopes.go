package venuekey

import (
	"slices"
	"strings"
)

// scopes.go owns the comparison of granted with requested scopes.

// Missing returns the scopes that the sign-in requested and the venue did not grant.
// A venue that does not state the granted scopes granted all (RFC 6749 §3.3, §5.1).
func (t Token) Missing() []string {
	if len(t.Scopes) == 0 {
		return nil
	}
	return without(t.Asked, t.Scopes)
}

// without returns the members of a set that another lacks.
func without(set, other []string) []string {
	var left []string
	for _, member := range set {
		if !slices.Contains(other, member) && !slices.Contains(left, member) {
			left = append(left, member)
		}
	}
	return left
}

// scopeWarning returns a warning if a venue granted other scopes than were requested, or
// "".
func scopeWarning(token Token) string {
	granted := "; it granted " + strings.Join(token.Scopes, " ")
	if missing := token.Missing(); len(missing) > 0 {
		return "the venue granted fewer scopes than requested: without " + strings.Join(missing, " ") + granted
	}
	if more := without(token.Scopes, token.Asked); len(more) > 0 && len(token.Asked) > 0 {
		return "the venue granted more scopes than requested: " + strings.Join(more, " ") + " as well"
	}
	return ""
}

// limits returns what a token with these scopes cannot do, in the venue's words.
func (k *Keeper) limits(name string, scopes []string) string {
	venue, err := k.Venue(name)
	if explainer, ok := venue.(ScopeExplainer); ok && err == nil {
		return explainer.ExplainScopes(scopes)
	}
	return ""
}

// reportShortcomings reports, at a sign-in, what its token cannot do.
func (k *Keeper) reportShortcomings(id ID, token Token, ui UI) {
	for _, line := range []string{scopeWarning(token), k.limits(id.Venue, token.Scopes)} {
		if line != "" {
			k.log().Warn(line, "id", id)
			ui.Tell(line)
		}
	}
}

// reportNarrowing logs a renewal that brought fewer scopes than the token before had
// (RFC 6749 §6).
func (k *Keeper) reportNarrowing(id ID, old, got Token) {
	if lost := without(got.Missing(), old.Missing()); len(lost) > 0 {
		k.log().Warn("the venue renewed the token with fewer scopes: without "+strings.Join(lost, " "), "id", id)
	}
}

// missingNote returns the missing scopes as the end of a sentence, or "".
func (s Status) missingNote() string {
	if len(s.ScopesMissing) == 0 {
		return ""
	}
	return ", without the scope " + strings.Join(s.ScopesMissing, " ") + " that was requested"
}
