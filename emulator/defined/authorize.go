package defined

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// authorize.go owns the page at which the user signs in.

// standard returns the query of an authorize request under the standard's names. A parameter
// that the definition leaves out must not arrive.
func (r rules) standard(query url.Values) url.Values {
	plain := url.Values{}
	for _, name := range []string{"response_type", "client_id", "redirect_uri", "scope", "code_challenge", "code_challenge_method"} {
		sent := name
		if other, renamed := r.Authorize.Rename[name]; renamed {
			sent = other
		}
		if sent != "" && query.Has(sent) {
			plain.Set(name, query.Get(sent))
		}
	}
	return plain
}

// echo returns what goes back beside the code: the state as it came, or what a prefix made a
// query of.
func (r rules) echo(query url.Values) url.Values {
	a := r.Authorize
	name := "state"
	if a.State.SendAs != "" {
		name = a.State.SendAs
	}
	switch sent := query.Get(name); {
	case a.State.Lost || !query.Has(name):
		return url.Values{}
	case strings.Contains(a.State.Prefix, "="):
		back, err := url.ParseQuery(sent)
		if err != nil {
			return url.Values{}
		}
		return back
	default:
		return url.Values{"state": {sent}}
	}
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	rules := s.rules()
	query := r.URL.Query()
	plain := rules.standard(query)
	app, known := s.asking(rules, plain, query)
	redirect := plain.Get("redirect_uri")
	if rules.omits("redirect_uri") && len(app.RedirectURIs) > 0 {
		redirect = app.RedirectURIs[0]
	}
	switch {
	case !known:
		s.core.Refuse(w, http.StatusBadRequest, "There is no such app", emulator.Event{Client: app.ClientID})
		return
	case !core.Allows(app, redirect, rules.knobs.AnyLoopbackRedirect):
		s.core.Refuse(w, http.StatusBadRequest, "The redirect URI is not the registered one", emulator.Event{Client: app.ClientID})
		return
	}
	sendBack := func(add url.Values) {
		for name, values := range rules.echo(query) {
			add[name] = values
		}
		core.SendBack(w, r, redirect, add)
	}
	if why := rules.lacks(plain, app); why != "" {
		s.core.Record(emulator.Event{Kind: emulator.EventAuthorizeRefused, Client: app.ClientID, Detail: why})
		sendBack(url.Values{"error": {"invalid_request"}, "error_description": {why}})
		return
	}
	decision, decided := s.core.Ask(w, r, core.Question{App: app, Scopes: []string{"trade for you"}, NoAccounts: true, SkipConsent: !rules.knobs.AskConsent})
	switch {
	case !decided:
	case !decision.Allowed:
		sendBack(url.Values{"error": {"access_denied"}, "error_description": {"the user denied access"}})
	default:
		grant := emulator.Grant{User: decision.User.Name, Client: app.ClientID, Scope: plain.Get("scope"), Redirect: redirect,
			Challenge: plain.Get("code_challenge"), ChallengeMethod: plain.Get("code_challenge_method")}
		code := s.core.Codes.Issue(s.core.Clock.Now(), rules.codeLife(), grant, rules.format())
		s.core.Record(emulator.Event{Kind: emulator.EventCodeIssued, User: grant.User, Client: grant.Client, Successor: emulator.Fingerprint(code)})
		sendBack(url.Values{rules.codeParam(): {code}})
	}
}

// before answers the request before the page with values of this sign-in alone.
func (s *Server) before(w http.ResponseWriter, r *http.Request) {
	rules := s.rules()
	if rules.asPage(w) {
		return
	}
	t, err := take(r, rules.Before.Request)
	var app emulator.App
	if err == nil {
		app, err = s.client(rules, rules.Before.Request, t)
	}
	if err != nil {
		rules.refuse(w, err)
		return
	}
	a := answer{map[string]any{}, w.Header()}
	for name, paths := range rules.Before.Keep {
		value := rules.format().Mint()
		s.mu.Lock()
		s.opened[name+" "+value] = app.ClientID
		s.mu.Unlock()
		a.put(paths, name, value)
	}
	rules.ok(a, true)
	core.Reply(w, http.StatusOK, a.body)
}

// asking returns the app whose user is at the page: the one that it names, and that the first
// request was for, if there is one.
func (s *Server) asking(rules rules, plain, query url.Values) (emulator.App, bool) {
	id := plain.Get("client_id")
	for name, template := range rules.Authorize.Params {
		t := taken{values: map[string]string{}}
		if rules.Before == nil || !t.match(template, query.Get(name)) {
			continue
		}
		for kept := range rules.Before.Keep {
			value, sent := t.values["extra."+kept]
			s.mu.Lock()
			of, known := s.opened[kept+" "+value]
			s.mu.Unlock()
			if sent && (!known || id != "" && id != of) {
				return emulator.App{}, false
			} else if sent {
				id = of
			}
		}
	}
	return s.core.Registry.App(id)
}

// omits reports whether the definition leaves a standard parameter out.
func (r rules) omits(name string) bool {
	other, renamed := r.Authorize.Rename[name]
	return renamed && other == ""
}

func (r rules) codeParam() string {
	if r.Authorize.CodeParam != "" {
		return r.Authorize.CodeParam
	}
	return "code"
}

// lacks says what is wrong with an authorize request, "" if nothing is.
func (r rules) lacks(plain url.Values, app emulator.App) string {
	pkce := r.Authorize.PKCE == definition.PKCES256
	switch {
	case !r.omits("response_type") && plain.Get("response_type") != "code":
		return "response_type must be code"
	case pkce && (plain.Get("code_challenge") == "" || plain.Get("code_challenge_method") != "S256"):
		return "a code challenge of S256 is needed"
	case !pkce && plain.Has("code_challenge") && !(r.Client == definition.ClientPublic && app.ClientSecret == ""):
		return "there is no code challenge here"
	case !r.omits("scope") && len(r.Authorize.Scopes) > 0 && !plain.Has("scope"):
		return "a scope is needed"
	case len(r.Authorize.Separator) == 1 && r.Authorize.Separator != " " && slices.Contains(strings.Split(plain.Get("scope"), ""), " "):
		return "scopes are not separated so"
	}
	return ""
}
