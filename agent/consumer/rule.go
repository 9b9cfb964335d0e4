package consumer

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// rule.go owns rules: which sign-ins, by a pattern, and what may be done with them.

// Verb is what a consumer may do with a sign-in.
type Verb string

// The verbs. None includes another. An agent answers Refused and Refresh with a token, so
// they are for those who may have one.
const (
	// VerbStatus: see its state, and hear of its events.
	VerbStatus Verb = "status"
	// VerbToken: get access tokens.
	VerbToken Verb = "token"
	// VerbRefused: report an access token that the venue refused, and get a newer one.
	VerbRefused Verb = "refused"
	// VerbRefresh: have it renewed now.
	VerbRefresh Verb = "refresh"
	// VerbProxy: call the venue's API through the agent, without seeing a token.
	VerbProxy Verb = "proxy"
	// VerbGateway: use a connection of the agent's to the venue.
	VerbGateway Verb = "gateway"
	// VerbAdmin: sign it out, and whatever else changes it.
	VerbAdmin Verb = "admin"
)

// Verbs returns all verbs.
func Verbs() []Verb {
	return []Verb{VerbStatus, VerbToken, VerbRefused, VerbRefresh, VerbProxy, VerbGateway, VerbAdmin}
}

// looks reports whether one can look by this verb without getting what trades.
func (v Verb) looks() bool { return v == VerbStatus || v == VerbProxy || v == VerbGateway }

const (
	// everything is the pattern of all sign-ins.
	everything = "*/*"
	mostRules  = 64
	// mostStars bounds what matching a pattern may cost.
	mostStars   = 4
	longestRule = 320
	longestLife = 3653 * 24 * time.Hour
)

// Rule allows some verbs for the sign-ins that a pattern names. The zero Rule allows
// nothing.
type Rule struct {
	text, pattern string
	verbs         []Verb
}

// ParseRule parses "ctrader/alice:token" or "ttp/*:status,token". A star stands for any
// letters of a venue or a name, also for none, and for no slash. The error is a
// [venuekey.Error] of ClassMisconfigured.
func ParseRule(text string) (Rule, error) {
	pattern, list, ok := strings.Cut(text, ":")
	shown := strconv.Quote(foreign.Name(text))
	switch {
	case len(text) > longestRule:
		return Rule{}, wrong("a rule is longer than it can be", "write one rule for each sign-in")
	case !ok || list == "":
		return Rule{}, wrong("rule "+shown+" says nothing of what is allowed", "add a verb, as in ctrader/alice:token; there are "+verbList())
	case !strings.Contains(pattern, "/"):
		return Rule{}, wrong("rule "+shown+" names no sign-in", "write "+pattern+"/* for all of a venue, or "+pattern+"/NAME for one")
	case strings.Count(pattern, "*") > mostStars:
		return Rule{}, wrong("rule "+shown+" has more stars than a pattern needs", "write more than one rule")
	}
	if _, err := venuekey.ParseID(unstarred(pattern)); err != nil {
		return Rule{}, wrong("rule "+shown+" does not name sign-ins", "write it as ctrader/alice:token or ttp/*:status")
	}
	rule := Rule{text: text, pattern: pattern}
	for name := range strings.SplitSeq(list, ",") {
		verb := Verb(name)
		if !slices.Contains(Verbs(), verb) {
			return Rule{}, wrong(fmt.Sprintf("rule %s: there is no verb %q", shown, foreign.Name(name)), "use one of "+verbList())
		}
		if !slices.Contains(rule.verbs, verb) {
			rule.verbs = append(rule.verbs, verb)
		}
	}
	return rule, nil
}

// unstarred returns an ID that is right if the pattern is: with a letter for each star,
// which venues and names may both have.
func unstarred(pattern string) string { return strings.ReplaceAll(pattern, "*", "x") }

func verbList() string {
	var names []string
	for _, verb := range Verbs() {
		names = append(names, string(verb))
	}
	return strings.Join(names, ", ")
}

// String returns the rule as it was written.
func (r Rule) String() string { return r.text }

// Pattern returns what the rule says of sign-ins: the part before the colon.
func (r Rule) Pattern() string { return r.pattern }

// allows matches with path.Match: of its special characters a pattern has only the star,
// which stops at a slash.
func (r Rule) allows(id venuekey.ID, verb Verb) bool {
	if !slices.Contains(r.verbs, verb) || id.Name == "" {
		return false
	}
	fits, err := path.Match(r.pattern, id.String())
	return fits && err == nil
}

func texts(rules []Rule) (all []string) {
	for _, rule := range rules {
		all = append(all, rule.text)
	}
	return all
}

// ParseLife parses how long a token lives: days, as in "90d", or what time.ParseDuration
// takes, as in "12h"; from a minute to ten years.
func ParseLife(text string) (time.Duration, error) {
	life, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var count int64
		if count, err = strconv.ParseInt(days, 10, 16); err == nil {
			life = time.Duration(count) * 24 * time.Hour
		}
	}
	if err != nil || life < time.Minute || life > longestLife {
		return 0, wrong("a life of "+strconv.Quote(foreign.Name(text))+" is none from a minute to ten years", "give it as 90d or 12h")
	}
	return life, nil
}
