package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/internal/foreign"
)

// check.go owns what a definition as a whole must be: what each login needs, what persons
// are asked for, and what its errors mean. Requests are in checkrequest.go, and lives in
// checklife.go.

// checker checks a Definition.
type checker struct {
	*Definition
	d *decoder
	// read are the mistakes that were found in reading: nothing more is said of those fields.
	read Mistakes
}

// check notes every mistake in what the fields say.
func check(definition *Definition, d *decoder) {
	c := checker{definition, d, d.mistakes}
	c.checkNames()
	c.checkAsk()
	c.checkLogin()
	c.checkRequests()
	c.checkLife()
	c.checkRenew()
	c.checkErrors()
	c.checkSessions()
}

// wrong notes a mistake at a field, or where the nearest field around it is given.
func (c checker) wrong(field, remedy, format string, args ...any) {
	for _, m := range c.read {
		if rest, within := strings.CutPrefix(field, m.Field); m.Field != "" && within && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return
		}
	}
	at, known := c.d.places[field]
	for around := field; !known && around != ""; at, known = c.d.places[around] {
		around = around[:max(strings.LastIndexAny(around, ".["), 0)]
	}
	c.d.mistakes = append(c.d.mistakes, Mistake{File: at.file, Line: at.line, Field: field, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

// has reports whether the file gives a field.
func (c checker) has(field string) bool { _, ok := c.d.places[field]; return ok }

// needless notes fields that mean nothing beside another.
func (c checker) needless(why, remedy string, fields ...string) {
	for _, field := range fields {
		if c.has(field) {
			c.wrong(field, remedy, "%s", why)
		}
	}
}

func (c checker) checkNames() {
	if c.has("name") && !isVenueName(c.Name) {
		c.wrong("name", "write it in lower-case letters, digits and dashes", "%q cannot be a part of an ID", foreign.Name(c.Name))
	}
	if c.Docs != "" {
		c.checkURL("docs", c.Docs, false)
	}
	if c.API.Base != "" {
		c.checkURL("api.base", c.API.Base, true)
	}
	names := c.addresses()
	for environment, replaced := range c.Environments {
		at := "environments." + foreign.Name(environment)
		if environment != "live" && environment != "demo" {
			c.wrong(at, "write live or demo", "there is no such environment")
		}
		for name, address := range replaced {
			if field := join(at, name); slices.Contains(names, name) {
				c.checkURL(field, address, true)
			} else {
				c.wrong(field, "known here are "+known(names), "there is no address of that name")
			}
		}
	}
}

// addresses are the names of the addresses that an environment, or an app, may replace.
func (c checker) addresses() []string { return append([]string{"base"}, c.Definition.Addresses()...) }

// Addresses returns the names of the venue's addresses, which are those of its requests.
func (d *Definition) Addresses() (names []string) {
	add := func(there bool, name string) {
		if there {
			names = append(names, name)
		}
	}
	add(d.Before != nil, "before")
	add(d.Authorize != nil, "authorize")
	add(d.Exchange != nil, "exchange")
	add(d.Renew.Request != nil, "renew")
	add(d.Keepalive != nil, "keepalive")
	add(d.Revoke != nil, "revoke")
	add(d.Who != nil, "who")
	add(d.API.Base != "", "api")
	return names
}

func (c checker) checkAsk() {
	for i, ask := range c.Ask {
		at := fmt.Sprintf("ask[%d]", i)
		if ask.Name != "" && !isName("ask."+ask.Name) {
			c.wrong(at+".name", "write it in letters, digits and _", "%q cannot be a name in a template", foreign.Name(ask.Name))
		}
		if slices.ContainsFunc(c.Ask[:i], func(other Ask) bool { return other.Name == ask.Name }) {
			c.wrong(at+".name", "keep one of them", "%s is asked for twice", foreign.Name(ask.Name))
		}
		if ask.Name != "" && !c.uses("ask."+ask.Name) && !(c.Login == LoginPaste && ask.Keep == KeepNever) {
			c.wrong(at, "remove it, or use {ask."+foreign.Name(ask.Name)+"} in a request", "nothing uses it")
		}
		if ask.Optional && ask.Name == "host" {
			c.wrong(at+".optional", "remove it", "a host cannot be left out")
		}
		c.checkPattern(at, ask)
		switch {
		case ask.Keep == KeepNever && (c.Login == LoginCode || c.Login == LoginKey):
			c.wrong(at+".keep", "write app", "the login %s asks nobody for it", c.Login)
		case ask.Keep == KeepNever && ask.Name == "host":
			c.wrong(at+".keep", "write app", "a renewal needs the host too")
		}
	}
}

func (c checker) checkPattern(at string, ask Ask) {
	anchored := strings.HasPrefix(ask.Pattern, "^") && strings.HasSuffix(ask.Pattern, "$") && !strings.HasSuffix(ask.Pattern, `\$`)
	pattern, err := regexp.Compile(`\A(?:` + ask.Pattern + `)\z`)
	switch {
	case err != nil:
		c.wrong(at+".pattern", "write one of RE2", "it is not a regular expression")
	case ask.Name == "host" && !anchored:
		c.wrong(at, `give it a pattern that begins with ^ and ends with $, as in ^[a-z]+\.example\.com$`, "any host could be entered, and would get the secrets")
	case ask.Default != "" && ask.Pattern != "" && !pattern.MatchString(ask.Default):
		c.wrong(at+".default", "change one of them", "it does not match the pattern")
	case ask.Secret && ask.Default != "":
		c.wrong(at+".default", "remove it", "a secret is the same for everybody who has this file")
	}
}

// Asked returns what a person is asked for at each sign-in.
func (d *Definition) Asked() (asks []Ask) {
	for _, ask := range d.Ask {
		if ask.Keep == KeepNever {
			asks = append(asks, ask)
		}
	}
	return asks
}

func (c checker) checkLogin() {
	unused := fmt.Sprintf("the login %s does not use it", c.Login)
	need := func(there bool, field string) {
		if !there {
			c.wrong(field, "add it", "the login %s needs it", c.Login)
		}
	}
	switch c.Login {
	case LoginCode:
		need(c.Authorize != nil, "authorize")
		need(c.Exchange != nil, "exchange")
		if c.Client == ClientNone {
			c.wrong("client", "write secret or public", "the page has to know which app asks")
		}
	case LoginKey, LoginPassword:
		c.needless(unused, "remove it", "before", "authorize")
		need(c.Exchange != nil, "exchange")
		if c.Exchange != nil && c.Exchange.Params == nil {
			c.wrong("exchange.params", "list them, as in {\"user\": \"{ask.user}\"}", "the login %s has no parameters of its own", c.Login)
		}
		secret := slices.ContainsFunc(c.Asked(), func(ask Ask) bool { return ask.Secret })
		if c.Login == LoginPassword && !secret {
			c.wrong("ask", `add one with "secret": true and "keep": "never"`, "nobody is asked for a password")
		}
	case LoginPaste:
		c.needless(unused, "remove it", "before", "authorize", "exchange")
		if asks := c.Asked(); len(asks) != 1 || !asks[0].Secret {
			c.wrong("ask", `write it with "secret": true and "keep": "never"`, "one entry has to ask for the refresh token that is pasted")
		}
		if c.Renew.With != WithRefresh {
			c.wrong("renew.with", "write refresh", "what is pasted is a refresh token, which nothing renews with")
		}
		need(c.Renew.Request != nil, "renew.request")
	}
}

func (c checker) checkErrors() {
	for i, row := range c.Errors {
		at := fmt.Sprintf("errors[%d]", i)
		bare := row.Code == "" && row.Text == ""
		switch {
		case bare && row.Status == 0:
			c.wrong(at, "give it a code, a text or a status", "the row fits every error")
		case bare && row.Class == "refused":
			c.wrong(at, "add the code or the text", "a status alone ends no sign-in: a gateway may have sent it")
		case row.Status != 0 && (row.Status < 100 || row.Status > 599):
			c.wrong(at+".status", "write one from 100 to 599", "%d is no status", row.Status)
		case row.Reason == "" && bare:
			c.wrong(at+".reason", "add it", "a status does not say what happened")
		}
		if slices.ContainsFunc(c.Errors[:i], func(o Meaning) bool {
			return o.Status == row.Status && strings.EqualFold(o.Code, row.Code) && strings.EqualFold(o.Text, row.Text) && o.Grant == row.Grant
		}) {
			c.wrong(at, "keep one of them", "an earlier row fits the same errors")
		}
	}
}

func (c checker) checkSessions() {
	s := c.Sessions
	switch {
	case s.Max < 0:
		c.wrong("sessions.max", "write how many, or remove it", "it is negative")
	case s.LoginEnds == EndsOldest && s.Max == 0:
		c.wrong("sessions.max", "add it", "the oldest sign-in ends when there are too many, and nothing says how many that is")
	case s.LoginEnds == EndsAll && s.Max > 1:
		c.wrong("sessions.max", "remove it", "a login that ends all others leaves one")
	case s.LoginEnds == EndsNone && s.Max > 0:
		c.wrong("sessions.login_ends", "write oldest or all, or remove max", "a login that ends none leaves any number")
	}
}
