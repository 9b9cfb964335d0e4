package definition

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/loopback"
)

// checkrequest.go owns what a request must be: where it goes, what it carries, and which
// names its templates may use.

// AskedHost is the only template in an address: a host that the user is asked for.
const AskedHost = "{ask.host}"

// standIn is what AskedHost is checked as.
const standIn = "asked-host.invalid"

// checkURL notes what is wrong with an address. In one of the venue's, the host may be asked
// for.
func (c checker) checkURL(field, text string, mayAsk bool) {
	plain := text
	if rest, ok := strings.CutPrefix(text, "https://"+AskedHost); ok && mayAsk && (rest == "" || rest[0] == '/') {
		plain = "https://" + standIn + rest
		if !slices.ContainsFunc(c.Ask, func(ask Ask) bool { return ask.Name == "host" }) {
			c.wrong(field, "add an entry host to ask", "nobody is asked for the host")
		}
	}
	address, err := url.Parse(plain)
	switch {
	case strings.ContainsAny(plain, "{}"):
		c.wrong(field, "templates are for params and headers; a host may be "+AskedHost, "an address with a template could send secrets anywhere")
	case err != nil || address.Host == "" || address.Hostname() == "":
		c.wrong(field, "write it as https://host/path", "it is not an absolute address")
	case address.Scheme != "https" && (address.Scheme != "http" || !loopback.Host(address.Hostname())):
		c.wrong(field, "write https; plain http is for loopback addresses only", "it can be read on the way")
	case address.User != nil || address.Fragment != "" || strings.HasSuffix(text, "#"):
		c.wrong(field, "leave them out", "it has a user name, a password or a fragment")
	case secretQuery(address.RawQuery):
		c.wrong(field, "send it as a parameter", "its query may hold a secret")
	}
}

func secretQuery(query string) bool {
	values, err := url.ParseQuery(query)
	if err != nil {
		return true
	}
	for name := range values {
		for _, part := range []string{"password", "passwd", "secret", "token", "apikey", "api_key"} {
			if strings.Contains(strings.ToLower(name), part) {
				return true
			}
		}
	}
	return false
}

// Where a name may stand.
var (
	inBefore    = []string{"client_id", "client_secret", "redirect_uri", "scope", "ask"}
	inAuthorize = []string{"client_id", "redirect_uri", "scope", "ask", "extra"}
	inExchange  = []string{"client_id", "client_secret", "redirect_uri", "code", "verifier", "scope", "ask", "extra"}
	inRenewal   = []string{"client_id", "client_secret", "redirect_uri", "scope", "access", "refresh", "ask", "extra"}
	inWho       = []string{"client_id", "access", "ask", "extra"}
	inCalls     = []string{"client_id", "access", "ask", "extra"}
)

func (c checker) checkRequests() {
	if b := c.Before; b != nil {
		c.checkRequest("before.request", b.Request, inBefore)
		c.checkBefore(b)
	}
	if a := c.Authorize; a != nil {
		c.checkURL("authorize.url", a.URL, true)
		c.checkTemplates("authorize.params", a.Params, inAuthorize, false)
		c.checkAuthorize(a)
	}
	if r := c.Exchange; r != nil {
		c.checkRequest("exchange", *r, inExchange)
		if c.Login == LoginCode && r.Params != nil && !r.uses("code") {
			c.wrong("exchange.params", "add one with {code}", "the code is not sent")
		}
		if r.Auth == AuthBearer {
			c.wrong("exchange.auth", "write another", "there is no token yet")
		}
	}
	if r := c.Renew.Request; r != nil {
		c.checkRequest("renew.request", *r, inRenewal)
	}
	if c.Keepalive != nil {
		c.checkRequest("keepalive.request", c.Keepalive.Request, inWho)
	}
	if c.Revoke != nil {
		c.checkRequest("revoke.request", c.Revoke.Request, inRenewal)
	}
	if c.Who != nil {
		c.checkRequest("who.request", c.Who.Request, inWho)
		if c.Who.Request.Auth != AuthBearer && !c.Who.Request.uses("access") {
			c.wrong("who.request", "write auth bearer, or send {access}", "the request does not carry the token that it asks about")
		}
	}
	c.checkTemplates("api.headers", c.API.Headers, inCalls, true)
	c.checkPathLists()
}

// checkBefore checks what is kept of the answer to the first request.
func (c checker) checkBefore(b *Before) {
	if c.has("before.keep") && len(b.Keep) == 0 {
		c.wrong("before.keep", "list what the page needs", "nothing is kept of the answer")
	}
	for name, paths := range b.Keep {
		switch field := join("before.keep", name); {
		case !isName("extra." + name):
			c.wrong(field, "write it in letters, digits and _", "%q cannot be a name in a template", foreign.Name(name))
		case len(paths) == 0:
			c.wrong(field, "list a path", "nothing says where it is")
		case !c.uses("extra." + name):
			c.wrong(field, "remove it, or use {extra."+foreign.Name(name)+"} for the page", "nothing uses it")
		}
	}
}

// keeps reports whether the first request brings a value.
func (d *Definition) keeps(name string) bool {
	if d.Before == nil {
		return false
	}
	_, kept := d.Before.Keep[name]
	return kept
}

// checkAuthorize checks what is particular about the page.
func (c checker) checkAuthorize(a *Authorize) {
	standard := []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}
	for name := range a.Rename {
		if field := join("authorize.rename", name); name == "state" {
			c.wrong(field, "write it as state.send_as", "the state has a field of its own")
		} else if !slices.Contains(standard, name) {
			c.wrong(field, "known are "+known(standard), "there is no standard parameter of that name")
		}
	}
	for name := range a.Params {
		if slices.Contains(standard, name) && a.Rename[name] == "" && !(name == "response_type" && c.has("authorize.rename.response_type")) {
			c.wrong(join("authorize.params", name), "remove it", "the sign-in sets it itself")
		}
	}
	c.twice("authorize.scopes", a.Scopes)
	if a.State.Lost && (a.State.SendAs != "" || a.State.Prefix != "") {
		c.wrong("authorize.state.lost", "remove it, or the others", "a state that is sent in a way of its own comes back")
	}
	if len(a.Separator) > 1 {
		c.wrong("authorize.separator", "write one character", "it is %d characters long", len(a.Separator))
	}
}

// checkRequest checks one request.
func (c checker) checkRequest(at string, r Request, names []string) {
	c.checkURL(at+".url", r.URL, true)
	for i, address := range r.Fallbacks {
		c.checkURL(fmt.Sprintf("%s.fallbacks[%d]", at, i), address, true)
	}
	c.twice(at+".fallbacks", append(slices.Clone(r.Fallbacks), r.URL))
	if r.Method == http.MethodGet && r.Encoding != EncodingQuery && (r.Encoding != "" || len(r.Params) > 0) {
		c.wrong(at+".encoding", "write query", "a GET has no body for its parameters")
	}
	c.checkTemplates(at+".params", r.Params, names, false)
	c.checkTemplates(at+".headers", r.Headers, names, true)
	sendsClient := r.Auth != AuthNone && r.Auth != AuthBearer
	switch {
	case c.Client == ClientNone && r.Auth != "" && sendsClient:
		c.wrong(at+".auth", "write none or bearer", "the app has neither ID nor secret")
	case c.Client == ClientPublic && (r.Auth == AuthBasic || r.Auth == AuthBasicPlain || r.Auth == AuthBasicAndID):
		c.wrong(at+".auth", "write body", "an app without a secret has nothing for it")
	case r.Auth == AuthBody && r.Params != nil:
		c.wrong(at+".auth", "write {client_id} and {client_secret} among the parameters", "it adds nothing to parameters that are listed")
	case r.header("Authorization") && (r.Auth == AuthBearer || strings.HasPrefix(string(r.Auth), "basic")):
		c.wrong(at+".auth", "write none, or remove the header field", "the header field Authorization is given too")
	}
}

// header reports whether the request gives a header field.
func (r Request) header(name string) bool {
	for given := range r.Headers {
		if strings.EqualFold(given, name) {
			return true
		}
	}
	return false
}

// checkTemplates checks the names in templates, and the names that they are sent under.
func (c checker) checkTemplates(at string, templates map[string]Template, names []string, headers bool) {
	for name, template := range templates {
		field := join(at, name)
		switch {
		case headers && !isFieldName(name):
			c.wrong(field, "write it in letters and dashes", "it is not the name of a header field")
		case headers && slices.Contains([]string{"Host", "Content-Length", "Content-Type", "Connection", "Transfer-Encoding", "Cookie"}, http.CanonicalHeaderKey(name)):
			c.wrong(field, "remove it", "the header field is not for a definition to set")
		case !headers && (name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })):
			c.wrong(field, "write it in plain letters", "it is not the name of a parameter")
		}
		for _, used := range template.Names() {
			kind, own, _ := strings.Cut(used, ".")
			if !slices.Contains(names, kind) {
				c.wrong(field, "known here are "+known(names), "{%s} is not known here", used)
			} else if kind == "ask" {
				c.checkAsked(field, own, at)
			} else if early := at == "authorize.params" || strings.HasPrefix(at, "exchange."); kind == "extra" && early && !c.keeps(own) {
				c.wrong(field, "add it to before.keep", "nothing has brought {extra.%s} by then", own)
			}
		}
	}
}

// checkAsked notes a template with an answer that nobody gives, or that is gone by then.
func (c checker) checkAsked(field, name, at string) {
	i := slices.IndexFunc(c.Ask, func(ask Ask) bool { return ask.Name == name })
	switch {
	case i < 0:
		c.wrong(field, "add an entry "+name+" to ask", "nobody is asked for {ask.%s}", name)
	case c.Ask[i].Keep == KeepNever && !strings.HasPrefix(at, "exchange."):
		c.wrong(field, "keep it with the app, or leave it out", "{ask.%s} is kept nowhere, and is gone by then", name)
	case c.Ask[i].Secret && at == "authorize.params":
		c.wrong(field, "leave it out", "{ask.%s} is a secret, and addresses are shown", name)
	}
}

// uses reports whether a template of the request has a name.
func (r Request) uses(name string) bool { return in(r.Params, name) || in(r.Headers, name) }

func in(templates map[string]Template, name string) bool {
	for _, template := range templates {
		if slices.Contains(template.Names(), name) {
			return true
		}
	}
	return false
}

// uses reports whether anything in the definition uses a name.
func (d *Definition) uses(name string) bool {
	if d.Authorize != nil && (in(d.Authorize.Params, name) || d.Authorize.URL != "" && name == "ask.host" && strings.Contains(d.Authorize.URL, AskedHost)) {
		return true
	}
	for _, r := range d.Requests() {
		if r.uses(name) || name == "ask.host" && strings.Contains(r.URL, AskedHost) {
			return true
		}
	}
	return in(d.API.Headers, name) || name == "ask.host" && strings.Contains(d.API.Base, AskedHost)
}

// Requests returns all requests that are given, which are all that carry a secret beside the calls
// of the API.
func (d *Definition) Requests() (all []Request) {
	if d.Before != nil {
		all = append(all, d.Before.Request)
	}
	for _, r := range []*Request{d.Exchange, d.Renew.Request} {
		if r != nil {
			all = append(all, *r)
		}
	}
	if d.Keepalive != nil {
		all = append(all, d.Keepalive.Request)
	}
	if d.Revoke != nil {
		all = append(all, d.Revoke.Request)
	}
	if d.Who != nil {
		all = append(all, d.Who.Request)
	}
	return all
}

// twice notes what a list holds more than once.
func (c checker) twice(field string, list []string) {
	for i, one := range list {
		if slices.Contains(list[:i], one) {
			c.wrong(field, "keep one of them", "%s is in the list twice", foreign.Name(one))
		}
	}
}

// checkPathLists notes paths that are in a list twice.
func (c checker) checkPathLists() {
	a := c.Answer
	for name, paths := range a.Extras {
		if field := join("answer.extras", name); !isName("extra." + name) {
			c.wrong(field, "write it in letters, digits and _", "%q cannot be a name in a template", foreign.Name(name))
		} else if len(paths) == 0 {
			c.wrong(field, "list a path", "nothing says where it is")
		}
	}
	for field, paths := range map[string]Paths{
		"answer.access": a.Access, "answer.refresh": a.Refresh, "answer.type": a.Type, "answer.scope": a.Scope, "answer.user": a.User,
		"answer.error": a.Error, "answer.description": a.Description, "answer.base": a.Base, "answer.refresh_expires_in": a.RefreshExpiresIn,
		"answer.life.expires_in": a.Life.ExpiresIn, "answer.life.expires_at": a.Life.ExpiresAt,
	} {
		var list []string
		for _, path := range paths {
			list = append(list, path.String())
		}
		c.twice(field, list)
	}
}
