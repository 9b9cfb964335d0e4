package defined

import (
	"cmp"
	"regexp"
	"strings"
	"sync"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// address.go owns where requests go: the definition's address, the host that was asked for,
// the environment's, and the app's own, in that order.

// hosts matches what may stand for a host: nothing that begins a path, a user or a query.
var hosts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\A[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?\z`)
})

// address returns the address of a request. name is that of the request, as in
// environments.
func (v venue) address(app venuekey.App, name, text string) (string, error) {
	environment := v.d.Environments[cmp.Or(app.Environment, "live")]
	if own := environment[name]; own != "" {
		text = own
	} else if base := environment["base"]; base != "" {
		host, err := v.hosted(app, base)
		if err != nil {
			return "", err
		}
		text = venuekey.App{URLs: map[string]string{"base": host}}.URL(name, strings.Replace(text, definition.AskedHost, "asked.invalid", 1))
	}
	text, err := v.hosted(app, text)
	if err != nil {
		return "", err
	}
	return app.URL(name, text), nil
}

// hosted puts the host that was asked for into an address.
func (v venue) hosted(app venuekey.App, text string) (string, error) {
	if !strings.Contains(text, definition.AskedHost) {
		return text, nil
	}
	host := v.answers(app)["ask.host"]
	for _, ask := range v.d.Ask {
		if ask.Name == "host" && (!hosts().MatchString(string(host)) || !fits(ask.Pattern, host)) {
			return "", v.misfit(ask)
		}
	}
	return strings.Replace(text, definition.AskedHost, string(host), 1), nil
}

// fits reports whether an answer matches a pattern as a whole. A definition's pattern
// compiles.
func fits(pattern string, answer venuekey.Secret) bool {
	return pattern == "" || regexp.MustCompile(`\A(?:`+pattern+`)\z`).MatchString(string(answer))
}

func (v venue) misfit(ask definition.Ask) *venuekey.Error {
	return wrong("the app's "+ask.Name+" is missing, or not written as "+v.d.Name+" needs it", foreign.Fit(ask.Help)+": it has to match "+foreign.Fit(ask.Pattern))
}

// answers returns what persons were asked for and the app keeps, by its name in templates.
func (v venue) answers(app venuekey.App) map[string]venuekey.Secret {
	values := map[string]venuekey.Secret{}
	for _, ask := range v.d.Ask {
		values["ask."+ask.Name] = cmp.Or(app.Param(ask.Name), venuekey.Secret(ask.Default))
	}
	return values
}

func wrong(reason, remedy string) *venuekey.Error {
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: remedy}
}
