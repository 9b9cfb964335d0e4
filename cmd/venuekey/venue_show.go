package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/venue/defined/definition"
)

// venue_show.go owns a definition in words: what is sent where, what lives how long, and what of it is
// only believed.

func (p *program) venueShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "Show in words what a file says of a venue",
		Long: `Show in words what a file says of a venue: what is sent where, with placeholders
for secrets; every host that gets a secret; what lives how long; and what is
only believed. Read it before you use a file that somebody gave you.`,
		Example:           "  venuekey venue show schwab\n  venuekey venue show my-broker.json",
		Args:              p.oneDefinition,
		ValidArgsFunction: p.completeDefinitions,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := p.definitionOf(args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.writeJSON(d)
			}
			_, err = fmt.Fprint(p.stdout, portrayed(d))
			return err
		},
	}
}

// portrait is a text about a definition.
type portrait struct{ strings.Builder }

// say writes lines under a heading, if there are any.
func (s *portrait) say(heading string, lines ...string) {
	for i, line := range slices.DeleteFunc(lines, func(line string) bool { return line == "" }) {
		if i > 0 {
			heading = ""
		}
		for j, part := range wrapped(oneLine(line), 66) {
			if j > 0 {
				heading, part = "", "  "+part
			}
			fmt.Fprintf(s, "%-10s %s\n", heading, part)
		}
	}
}

// portrayed describes a definition.
func portrayed(d *definition.Definition) string {
	var s portrait
	s.say(d.Name, cmp.Or(d.About, "a venue"), d.Docs)
	s.say("register", d.Register)
	s.say("sign-in", logins[d.Login])
	if d.Authorize != nil {
		s.say("", "the browser goes to "+d.Authorize.URL, sent(d.Authorize.Params), ifAny("the code is good for ", time.Duration(d.Authorize.CodeLife)), d.Authorize.Note)
	}
	if d.Before != nil {
		s.say("", append([]string{"before that, a request is sent:"}, inCall(&d.Before.Request)...)...)
	}
	for _, ask := range d.Ask {
		s.say("", fmt.Sprintf("it asks for %s (%s): %s", ask.Name, keptHow(ask), ask.Help))
	}
	s.say("token", inRequest(d.Exchange)...)
	s.say("renewal", append([]string{renewals(d)}, inRequest(d.Renew.Request)...)...)
	if d.Keepalive != nil {
		s.say("alive", inCall(&d.Keepalive.Request)...)
	}
	if d.Revoke != nil {
		s.say("sign-out", append(inRequest(&d.Revoke.Request), map[definition.Reaches]string{definition.ReachesAll: "it ends every token of the app, also those of other programs"}[d.Revoke.Reaches])...)
	}
	if d.Who != nil {
		s.say("whose", inCall(&d.Who.Request)...)
	}
	s.say("lives", lives(d)...)
	s.say("calls", ifText("the API is at ", d.API.Base), sent(d.API.Headers))
	if named := namedHost(d); named == "" {
		s.say("secrets", "go to these hosts and no others: "+strings.Join(hosts(d), ", "))
	} else {
		s.say("secrets", "go to these hosts: "+strings.Join(hosts(d), ", "), named, "and to no others")
	}
	for i, meaning := range d.Errors {
		s.say(map[bool]string{true: "errors"}[i == 0], strings.TrimSpace(fmt.Sprintf("%s %s %s", statusText(meaning.Status), meaning.Code, meaning.Text))+": "+cmp.Or(meaning.Reason, string(meaning.Class)), ifText("  try: ", meaning.Remedy))
	}
	believed := slices.DeleteFunc(slices.Clone(d.Sources), func(one definition.Source) bool { return one.Sure })
	for i, source := range believed {
		s.say(map[bool]string{true: "believed"}[i == 0], source.Fact+" ("+source.Where+")")
	}
	return s.String()
}

var logins = map[definition.Login]string{
	definition.LoginCode:     "by a person in a browser, which brings back a code",
	definition.LoginKey:      "with a key that is kept with the app; no person is needed",
	definition.LoginPassword: "with a password that is asked for each time and not kept",
	definition.LoginPaste:    "with a refresh token that a person copies from the venue's pages",
}

// inRequest describes a request, with placeholders in place of secrets.
func inRequest(r *definition.Request) []string {
	if r == nil {
		return nil
	}
	method := cmp.Or(string(r.Method), map[bool]string{true: "GET", false: "POST"}[r.Encoding == definition.EncodingQuery])
	line := fmt.Sprintf("%s %s, as %s, the app by %s", method, r.URL, cmp.Or(string(r.Encoding), "form"), cmp.Or(string(r.Auth), "body"))
	params := sent(r.Params)
	if r.Params == nil {
		params = "with the parameters of OAuth 2"
	}
	return []string{line, params, ifText("header fields: ", sent(r.Headers))}
}

// inCall describes a request that OAuth 2 does not know, and so has no parameters for.
func inCall(r *definition.Request) []string {
	lines := inRequest(r)
	if r.Params == nil {
		lines[1] = ""
	}
	return lines
}

// sent lists names with their templates.
func sent(values map[string]definition.Template) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, name+"="+values[name].String())
	}
	return strings.Join(all, "  ")
}

func renewals(d *definition.Definition) string {
	switch d.Renew.With {
	case definition.WithAccess:
		return "with the access token, while it lives"
	case definition.WithApp:
		return "with the app's own key; no person is needed"
	case definition.WithNone:
		if d.Keepalive != nil {
			return "none; calls keep the session alive"
		}
		return "none: the user signs in again"
	}
	if d.Renew.Rotating() {
		return "with the refresh token, which is used up by it"
	}
	return "with the refresh token, which stays the same"
}

func lives(d *definition.Definition) (lines []string) {
	switch {
	case d.Life.Never:
		lines = append(lines, "an access token never expires")
	case d.Life.Cutoff != nil:
		lines = append(lines, "an access token ends each day at "+d.Life.Cutoff.Time+" in "+d.Life.Cutoff.Zone)
	case d.Life.Idle > 0:
		lines = append(lines, "a session ends "+span(time.Duration(d.Life.Idle))+" after the last call")
	case d.Life.Access == 0 && d.Answer.Life.JWT:
		lines = append(lines, "an access token says itself how long it lives")
	default:
		lines = append(lines, ifAny("an access token usually lives for ", time.Duration(d.Life.Access)))
	}
	if d.Keepalive != nil {
		lines = append(lines, "a call is made for it every "+span(time.Duration(d.Keepalive.Every)))
	}
	from := map[definition.LifeFrom]string{definition.FromLogin: "the login, whatever is renewed", definition.FromIssue: "its issue", definition.FromUse: "the last renewal"}
	if d.Renew.Life > 0 {
		lines = append(lines, "the sign-in ends "+span(time.Duration(d.Renew.Life))+" after "+cmp.Or(from[d.Renew.LifeFrom], "its issue"))
	}
	switch d.Sessions.LoginEnds {
	case definition.EndsAll:
		lines = append(lines, "a new sign-in ends every other of the user")
	case definition.EndsOldest:
		lines = append(lines, "a new sign-in may end the oldest of the user")
	}
	return lines
}

// namedHost says that the access token goes to one more host, if the venue's answer may name one.
func namedHost(d *definition.Definition) string {
	if len(d.Answer.Base) == 0 {
		return ""
	}
	return "the access token also to the API's address that the venue's answer names, if that is https"
}

// keptHow says what becomes of what a person is asked for.
func keptHow(ask definition.Ask) string {
	if ask.Keep == definition.KeepNever {
		return "asked for at each sign-in, and not kept"
	}
	return "kept with the app"
}

// hosts are those that get a secret of the app's or the user's.
func hosts(d *definition.Definition) (all []string) {
	add := func(address string) {
		at, err := url.Parse(strings.ReplaceAll(address, definition.AskedHost, "the-host-that-is-asked-for"))
		if err == nil && at.Host != "" && !slices.Contains(all, at.Host) {
			all = append(all, at.Host)
		}
	}
	for _, r := range d.Requests() {
		for _, address := range append([]string{r.URL}, r.Fallbacks...) {
			add(address)
		}
	}
	add(d.API.Base)
	for _, environment := range d.Environments {
		for _, address := range environment {
			add(address)
		}
	}
	slices.Sort(all)
	return all
}

func ifAny(before string, d time.Duration) string {
	if d == 0 {
		return ""
	}
	return before + span(d)
}

func ifText(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func statusText(status int) string {
	if status == 0 {
		return ""
	}
	return fmt.Sprint(status)
}
