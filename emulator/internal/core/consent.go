package core

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// consent.go owns the dialogue with the user on the authorize page: sign in, choose
// accounts, allow or deny.

// Question is what an authorize endpoint asks the user.
type Question struct {
	App emulator.App
	// Scopes are the scopes in words, for the page.
	Scopes []string
	// NoAccounts omits the choice of accounts.
	NoAccounts bool
	// SkipConsent treats signing in as consent to everything (TTP facts §3: no consent
	// page by default). The button to deny is then on the sign-in page.
	SkipConsent bool
}

// Decision is what the user answered.
type Decision struct {
	Allowed bool
	// User is the zero User if the user denied without signing in.
	User emulator.User
	// Accounts are the IDs of the accounts that were ticked, in the order of
	// User.Accounts.
	Accounts []int64
}

// Grant returns the grant that the user gave to the request. It includes the PKCE challenge
// if keepChallenge is true.
func (d Decision) Grant(r *http.Request, keepChallenge bool) emulator.Grant {
	q := r.URL.Query()
	g := emulator.Grant{
		User: d.User.Name, Client: q.Get("client_id"), Scope: q.Get("scope"),
		Accounts: d.Accounts, Redirect: q.Get("redirect_uri"),
	}
	if keepChallenge {
		g.Challenge, g.ChallengeMethod = q.Get("code_challenge"), q.Get("code_challenge_method")
	}
	return g
}

// requestKey identifies an authorize request. It decodes the query, since the form's
// address may be escaped differently than in the first request.
func requestKey(r *http.Request) string { return r.URL.Path + "?" + r.URL.Query().Encode() }

// ticketLife is how long a page stays valid.
const ticketLife = 10 * time.Minute

// openPages remembers the pages that wait for the user. A ticket in a hidden field carries
// the sign-in from one page to the next: it needs no cookie, cannot be forged by another
// site, and belongs to one authorize request.
type openPages struct {
	mu   sync.Mutex
	open map[string]visit
}

type visit struct {
	request string // the authorize request that the ticket is for
	user    string // empty until signed in
	until   time.Time
}

func (p *openPages) issue(now time.Time, v visit) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, o := range p.open {
		if !now.Before(o.until) {
			delete(p.open, k)
		}
	}
	if p.open == nil {
		p.open = make(map[string]visit)
	}
	ticket := TokenFormat{Length: 32}.Mint()
	v.until = now.Add(ticketLife)
	p.open[ticket] = v
	return ticket
}

// take uses a ticket up.
func (p *openPages) take(now time.Time, ticket, request string) (visit, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.open[ticket]
	if !ok || v.request != request || !now.Before(v.until) {
		return visit{}, false
	}
	delete(p.open, ticket)
	return v, true
}

func (p *openPages) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = nil
}

// Ask handles one request to an authorize endpoint, which the venue has found to be valid:
// a GET shows the sign-in page, and the POSTs of its forms continue from there. It returns
// true when the user has decided, and has then sent nothing; otherwise it has answered the
// request itself.
//
// The parameters of the authorize request are in the query for GET and POST alike, so the
// venue must read them from r.URL.Query() and check them each time.
func (c *Core) Ask(w http.ResponseWriter, r *http.Request, q Question) (Decision, bool) {
	if r.Method != http.MethodPost {
		c.Record(emulator.Event{Kind: emulator.EventAuthorizeShown, Client: q.App.ClientID})
		c.askSignIn(w, r, q, http.StatusOK, "", "")
		return Decision{}, false
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	if err := r.ParseForm(); err != nil {
		c.Refuse(w, http.StatusBadRequest, "The form could not be read", emulator.Event{Client: q.App.ClientID})
		return Decision{}, false
	}
	v, ok := c.pages.take(c.Clock.Now(), r.PostForm.Get("ticket"), requestKey(r))
	if !ok {
		c.askSignIn(w, r, q, http.StatusBadRequest, "", "This page has expired. Please sign in again.")
		return Decision{}, false
	}
	if r.PostForm.Get("decision") == "deny" {
		u, _ := c.Registry.User(v.user)
		c.Record(emulator.Event{Kind: emulator.EventConsentDenied, User: u.Name, Client: q.App.ClientID})
		return Decision{User: u}, true
	}
	if v.user == "" {
		return c.signIn(w, r, q)
	}
	return c.allow(w, r, q, v.user)
}

// signIn reads the first form.
func (c *Core) signIn(w http.ResponseWriter, r *http.Request, q Question) (Decision, bool) {
	name := r.PostForm.Get("user")
	u, ok := c.Registry.SignIn(name, r.PostForm.Get("password"))
	if !ok {
		// The name is user input, perhaps a password by mistake: not for the log.
		c.Record(emulator.Event{Kind: emulator.EventLoginRefused, Client: q.App.ClientID, Detail: "on the page"})
		c.askSignIn(w, r, q, http.StatusOK, name, "User name or password is wrong.")
		return Decision{}, false
	}
	c.Record(emulator.Event{Kind: emulator.EventLoginGranted, User: u.Name, Client: q.App.ClientID, Detail: "on the page"})
	if q.SkipConsent {
		c.Record(emulator.Event{Kind: emulator.EventConsentGiven, User: u.Name, Client: q.App.ClientID, Detail: "not asked"})
		return Decision{Allowed: true, User: u, Accounts: accountIDs(u.Accounts, nil)}, true
	}
	c.askConsent(w, r, q, u, "")
	return Decision{}, false
}

// allow reads the second form.
func (c *Core) allow(w http.ResponseWriter, r *http.Request, q Question, user string) (Decision, bool) {
	u, ok := c.Registry.User(user)
	if !ok || r.PostForm.Get("decision") != "allow" {
		c.askSignIn(w, r, q, http.StatusBadRequest, "", "Please sign in again.")
		return Decision{}, false
	}
	d := Decision{Allowed: true, User: u, Accounts: accountIDs(u.Accounts, nil)}
	if !q.NoAccounts {
		d.Accounts = accountIDs(u.Accounts, r.PostForm)
		if len(d.Accounts) == 0 && len(u.Accounts) > 0 {
			c.askConsent(w, r, q, u, "Choose at least one account.")
			return Decision{}, false
		}
	}
	c.Record(emulator.Event{Kind: emulator.EventConsentGiven, User: u.Name, Client: q.App.ClientID})
	return d, true
}

// accountIDs returns the IDs of the accounts that the form ticks, or of all without a form.
func accountIDs(accounts []emulator.Account, form url.Values) []int64 {
	var ids []int64
	for _, a := range accounts {
		if form == nil || slices.Contains(form["account"], strconv.FormatInt(a.ID, 10)) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

func (c *Core) askSignIn(w http.ResponseWriter, r *http.Request, q Question, status int, name, message string) {
	c.show(w, status, "sign-in", page{
		Heading: "Sign in", Message: message, App: q.App, UserName: name, DenyHere: q.SkipConsent,
		Action: r.URL.RequestURI(), Ticket: c.pages.issue(c.Clock.Now(), visit{request: requestKey(r)}),
	})
}

func (c *Core) askConsent(w http.ResponseWriter, r *http.Request, q Question, u emulator.User, message string) {
	p := page{
		Heading: "Allow access", Message: message, App: q.App, UserName: u.Name, Scopes: q.Scopes,
		Action: r.URL.RequestURI(), Ticket: c.pages.issue(c.Clock.Now(), visit{request: requestKey(r), user: u.Name}),
	}
	if !q.NoAccounts {
		p.Accounts = u.Accounts
	}
	c.show(w, http.StatusOK, "consent", p)
}
