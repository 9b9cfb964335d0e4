package venuetest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

// user.go owns the user who signs in: a venuekey.UI with a browser.

const (
	// patience is how long a sign-in may take on a busy machine.
	patience = 30 * time.Second
	// prompt is how long a call may continue after it was given up.
	prompt = 4 * time.Second
)

// user follows its script once it is shown the addresses.
type user struct {
	stage  *stage
	ctx    context.Context
	cancel context.CancelFunc
	script func(visit venuekey.Visit) error
	pastes chan string
	person emulator.Person

	mu      sync.Mutex
	told    []string
	visit   venuekey.Visit
	visited bool
	asked   bool
	codes   []string
	failed  error
	busy    sync.WaitGroup
}

// user returns a user who follows a script. Nil means to open the address and go all the
// way, or to paste the final address if nothing listens here.
func (s *stage) user(script func(u *user) error) *user {
	u := &user{stage: s, pastes: make(chan string, 8), person: s.Person}
	u.ctx, u.cancel = context.WithTimeout(s.Context(), patience)
	u.person.Client = &http.Client{Transport: browsing{u}}
	if script == nil {
		script = (*user).goTheWholeWay
	}
	u.script = func(venuekey.Visit) error { return script(u) }
	return u
}

func (u *user) goTheWholeWay() error {
	if !u.visit.Listening {
		return u.paste(nil)
	}
	return u.person.Visit(u.ctx, u.visit.URL)
}

// paste signs in and pastes the address at which the browser ends up, modified by change.
func (u *user) paste(change func(url.Values)) error {
	redirected, err := u.person.Redirected(u.ctx, u.visit.Elsewhere)
	if err != nil {
		return err
	}
	address, err := url.Parse(redirected)
	if err != nil {
		return err
	}
	query := address.Query()
	u.note(query.Get(u.stage.codeParam()))
	if change != nil {
		change(query)
		address.RawQuery = query.Encode()
	}
	u.pastes <- address.String()
	return nil
}

// note registers a code that came back.
func (u *user) note(code string) {
	if code == "" {
		return
	}
	u.stage.keep("code", venuekey.Secret(code))
	u.mu.Lock()
	defer u.mu.Unlock()
	if !slices.Contains(u.codes, code) {
		u.codes = append(u.codes, code)
	}
}

// spent returns the secrets that this sign-in may use once: its codes, or the password.
func (u *user) spent() []venuekey.Secret {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.asked {
		return []venuekey.Secret{venuekey.Secret(u.person.Password)}
	}
	var secrets []venuekey.Secret
	for _, code := range u.codes {
		secrets = append(secrets, venuekey.Secret(code))
	}
	return secrets
}

// authorize returns the query with which the browser was sent to the venue.
func (u *user) authorize() url.Values {
	address, err := url.Parse(u.visit.Elsewhere)
	if err != nil {
		return nil
	}
	return address.Query()
}

// leave waits until the user is done, and returns what went wrong.
func (u *user) leave() error {
	u.busy.Wait()
	u.cancel()
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failed
}

func (u *user) lines() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.told)
}

// Visit implements venuekey.UI.
func (u *user) Visit(_ context.Context, visit venuekey.Visit) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.visit, u.visited = visit, true
	u.busy.Go(func() {
		if err := u.script(visit); err != nil {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.failed = err
		}
	})
	return nil
}

// Paste implements venuekey.UI.
func (u *user) Paste(ctx context.Context) (string, error) {
	select {
	case text := <-u.pastes:
		return text, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Ask implements venuekey.UI. It answers secret fields with the password.
func (u *user) Ask(_ context.Context, fields []venuekey.Field) (map[string]venuekey.Secret, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = true
	given := map[string]venuekey.Secret{}
	for _, field := range fields {
		given[field.Name] = venuekey.Secret(u.person.Name)
		if field.Secret {
			given[field.Name] = venuekey.Secret(u.person.Password)
		}
	}
	return given, nil
}

// Tell implements venuekey.UI.
func (u *user) Tell(line string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.told = append(u.told, line)
}

// browserField marks the browser's requests, so that the front can distinguish them from
// the venue's own.
const browserField = "X-Venuetest-Browser"

// browsing is the browser's transport.
type browsing struct{ user *user }

func (b browsing) RoundTrip(request *http.Request) (*http.Response, error) {
	marked := request.Clone(request.Context())
	marked.Header.Set(browserField, "1")
	if query := request.URL.Query(); query.Has(b.user.stage.codeParam()) {
		b.user.note(query.Get(b.user.stage.codeParam()))
	}
	transport := &http.Transport{DisableKeepAlives: true}
	return transport.RoundTrip(marked)
}
