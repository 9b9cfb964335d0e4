package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/venuekey/venuekey/venue/defined/definition"
)

// venue_page.go owns the page about a venue that is made from its definition, for doc/venues.

// venuePage is the page of a definition, in Markdown.
func venuePage(d *definition.Definition) string {
	var s strings.Builder
	fmt.Fprintf(&s, "<!-- Made from venue/defined/venues/%s.json by VENUEKEY_UPDATE=1 go test -run TestVenuePages ./cmd/venuekey -->\n", d.Name)
	fmt.Fprintf(&s, "# %s\n\nSign-in: %s.", cmp.Or(d.About, d.Name), logins[d.Login])
	if d.Docs != "" {
		fmt.Fprintf(&s, " The venue's own documentation: <%s>.", d.Docs)
	}
	fmt.Fprintf(&s, "\n\n```sh\nvenuekey emulate %[1]s             # to try it first, on this machine\nvenuekey app add %[1]s             # once\nvenuekey login %[1]s/alice\nvenuekey token %[1]s/alice\n```\n\n", d.Name)
	s.WriteString("## What you need\n\n")
	bullet(&s, d.Register+".")
	if d.Authorize != nil {
		bullet(&s, ifText("The redirect URI has to begin with ", map[definition.Redirect]string{definition.RedirectHTTPS: "`https`.", definition.RedirectHTTP: "`http`."}[d.Authorize.Redirect]))
		bullet(&s, ifText("", d.Authorize.Note+full(d.Authorize.Note)))
	}
	for _, ask := range d.Ask {
		bullet(&s, fmt.Sprintf("`%s`: %s (%s).", ask.Name, ask.Help, keptHow(ask)))
	}
	s.WriteString("\n## What lives how long\n\n")
	for _, line := range lives(d) {
		bullet(&s, sentence(line))
	}
	if d.Authorize != nil {
		bullet(&s, sentence(ifAny("a code from the sign-in page is good for ", time.Duration(d.Authorize.CodeLife))))
	}
	bullet(&s, "Renewal: "+renewals(d)+".")
	if d.Revoke != nil && d.Revoke.Reaches == definition.ReachesAll {
		bullet(&s, "Signing out ends every token of the app, also those of other programs.")
	}
	fmt.Fprintf(&s, "\nSecrets go to %s%s, and nowhere else.\n", "`"+strings.Join(hosts(d), "`, `")+"`", ifText(", ", namedHost(d)))
	if len(d.Errors) > 0 {
		s.WriteString("\n## What goes wrong\n\n| the venue says | that means | what helps |\n|---|---|---|\n")
		for _, m := range d.Errors {
			says := strings.TrimSpace(strings.Join([]string{statusText(m.Status), m.Code, m.Text}, " "))
			fmt.Fprintf(&s, "| `%s` | %s | %s |\n", says, cmp.Or(m.Reason, string(m.Class)), m.Remedy)
		}
	}
	if len(d.Sources) > 0 {
		s.WriteString("\n## Where this is from\n\n| fact | source | sure |\n|---|---|---|\n")
		for _, source := range d.Sources {
			fmt.Fprintf(&s, "| %s | %s | %s |\n", source.Fact, source.Where, map[bool]string{true: "yes", false: "believed"}[source.Sure])
		}
	}
	return s.String()
}

// venueRow is a definition's row in README's table.
func venueRow(d *definition.Definition) string {
	all := append(lives(d), "")
	return fmt.Sprintf("| [%s](doc/venues/%s.md) | %s | %s | %s |", cmp.Or(d.About, d.Name), d.Name, d.Login, all[0], renewals(d))
}

func bullet(s *strings.Builder, line string) {
	if strings.Trim(line, ". ") != "" {
		fmt.Fprintf(s, "- %s\n", line)
	}
}

// sentence begins a line with a capital, and ends it with a full stop.
func sentence(line string) string {
	if line == "" {
		return ""
	}
	return strings.ToUpper(line[:1]) + line[1:] + full(line)
}

// full is the full stop that a line lacks.
func full(line string) string {
	if line == "" || strings.HasSuffix(line, ".") {
		return ""
	}
	return "."
}
