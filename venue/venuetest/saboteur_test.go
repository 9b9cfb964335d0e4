package venuetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/oauth"
)

// saboteur_test.go owns the venues that break the contract, and that each is caught.

// saboteur is acme but for what is set.
type saboteur struct {
	acme
	name     string
	policy   func(*venuekey.Policy)
	login    func(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error)
	refresh  func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error)
	probe    func(ctx context.Context, app venuekey.App) error
	revoke   func(ctx context.Context, app venuekey.App, token venuekey.Token) error
	identify func(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error)
	form     venuekey.AppForm
	check    func(app venuekey.App) error
}

func (s saboteur) Name() string {
	if s.name != "" {
		return s.name
	}
	return s.acme.Name()
}

func (s saboteur) Policy() venuekey.Policy {
	policy := s.acme.Policy()
	if s.policy != nil {
		s.policy(&policy)
	}
	return policy
}

func (s saboteur) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	if s.login != nil {
		return s.login(ctx, app, ui)
	}
	return s.acme.Login(ctx, app, ui)
}

func (s saboteur) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if s.refresh != nil {
		return s.refresh(ctx, app, token)
	}
	return s.acme.Refresh(ctx, app, token)
}

func (s saboteur) Probe(ctx context.Context, app venuekey.App) error {
	if s.probe != nil {
		return s.probe(ctx, app)
	}
	return s.acme.Probe(ctx, app)
}

func (s saboteur) Revoke(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	if s.revoke != nil {
		return s.revoke(ctx, app, token)
	}
	return s.acme.Revoke(ctx, app, token)
}

func (s saboteur) Identify(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error) {
	if s.identify != nil {
		return s.identify(ctx, app, token)
	}
	return s.acme.Identify(ctx, app, token)
}

func (s saboteur) AppForm() venuekey.AppForm { return s.form }

func (s saboteur) CheckApp(app venuekey.App) error {
	if s.check != nil {
		return s.check(app)
	}
	return s.acme.CheckApp(app)
}

// signing is acme with a signature.
type signing struct {
	acme
	sign func(token venuekey.Token, request *http.Request)
}

func (s signing) Sign(token venuekey.Token, request *http.Request) { s.sign(token, request) }

// reclassed is a Refresh that takes one class for another.
func reclassed(from, to venuekey.Class) func(context.Context, venuekey.App, venuekey.Token) (venuekey.Token, error) {
	return func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		if known, ok := errors.AsType[*venuekey.Error](err); ok && known.Class == from {
			changed := *known
			changed.Class = to
			err = &changed
		}
		return got, err
	}
}

// retrying sends an unanswered request again.
type retrying struct{}

func (retrying) RoundTrip(request *http.Request) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	var bodies [2]*http.Request
	if request.Body != nil {
		_ = request.ParseForm()
		for i := range bodies {
			bodies[i], _ = http.NewRequestWithContext(request.Context(), request.Method, request.URL.String(), strings.NewReader(request.PostForm.Encode()))
			bodies[i].Header = request.Header
		}
	}
	response, err := transport.RoundTrip(bodies[0])
	if err == nil && response.StatusCode < 500 {
		return response, nil
	}
	return transport.RoundTrip(bodies[1])
}

// careless signs in with one state for all, which it does not look at again.
func careless(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	client := acme{}.client(app)
	app.RedirectURI = "http://127.0.0.1:9/callback"
	attempt := oauth.Attempt{State: "always-the-same-state", Verifier: "always-the-same-verifier"}
	address, err := client.Authorize(app, attempt)
	if err != nil {
		return venuekey.Token{}, err
	}
	if err := ui.Visit(ctx, venuekey.Visit{Elsewhere: address, Redirect: app.RedirectURI, CodeLife: time.Minute}); err != nil {
		return venuekey.Token{}, err
	}
	text, err := ui.Paste(ctx)
	if err != nil {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassFailed, Err: err}
	}
	redirected, _ := url.Parse(text)
	return client.Exchange(ctx, app, venuekey.Secret(redirected.Query().Get("code")), attempt.Verifier)
}

// following sends a refresh by an ordinary HTTP client.
func following(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(token.Refresh)}, "client_id": {app.ClientID}, "client_secret": {string(app.ClientSecret)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, app.URLs["base"]+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return venuekey.Token{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return venuekey.Token{}, &venuekey.Error{Err: err}
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	var got struct {
		Access  venuekey.Secret `json:"access_token"`
		Refresh venuekey.Secret `json:"refresh_token"`
	}
	if json.Unmarshal(body, &got) != nil || got.Access == "" {
		return venuekey.Token{}, &venuekey.Error{Reason: "the answer was not read"}
	}
	return venuekey.Token{Access: got.Access, Refresh: got.Refresh, Issued: time.Now(), Expires: time.Now().Add(time.Hour)}, nil
}

// lingering counts the calls of those that run on. One may begin to on a busy machine while
// the others are waited for, which a sync.WaitGroup does not allow.
var lingering = calls{none: sync.NewCond(new(sync.Mutex))}

type calls struct {
	none *sync.Cond
	some int
}

func (c *calls) add(n int) {
	c.none.L.Lock()
	defer c.none.L.Unlock()
	c.some += n
	c.none.Broadcast()
}

func (c *calls) wait() {
	c.none.L.Lock()
	defer c.none.L.Unlock()
	for c.some > 0 {
		c.none.Wait()
	}
}

// saboteurs are caught in the chapter, with the words.
var saboteurs = []struct {
	does, chapter, caught string
	venue                 venuekey.Venue
}{
	{"has a name that fits no ID", "registration", "Acme!", saboteur{name: "Acme!"}},
	{"lets every app pass", "registration", "no error", saboteur{check: func(venuekey.App) error { return nil }}},
	{"refuses every app", "registration", "no app is good enough", saboteur{check: func(venuekey.App) error {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "no app is good enough"}
	}}},
	{"asks for a field without help", "registration", "has no name, no help", saboteur{form: venuekey.AppForm{Fields: []venuekey.Field{{Name: "key"}}}}},

	{"has one state for all, and checks none", "sign-in", "was used before", saboteur{login: careless}},
	{"takes the code of another sign-in", "sign-in", "the code of another sign-in was exchanged", saboteur{login: careless}},
	{"sends a code again", "sign-in", "was sent 2 times", saboteur{login: func(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
		client := acme{}.client(app)
		client.Transport = retrying{}
		return client.Login(ctx, app, ui)
	}}},
	{"goes on when the user gave up", "sign-in", "Login does not return", saboteur{login: func(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
		lingering.add(1)
		defer lingering.add(-1)
		token, err := acme{}.Login(ctx, app, ui)
		if ctx.Err() != nil {
			<-time.After(prompt + prompt/8)
		}
		return token, err
	}}},
	{"shows the user the client secret", "sign-in", "a line for the user repeats the client secret", saboteur{login: func(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
		ui.Tell("signing in with " + string(app.ClientSecret))
		return acme{}.Login(ctx, app, ui)
	}}},
	{"gives a token without an end", "sign-in", "the token expired", saboteur{login: func(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
		token, err := acme{}.Login(ctx, app, ui)
		token.Expires = time.Time{}
		return token, err
	}}},
	{"gives a token of nobody's", "sign-in", "does not accept the access token", saboteur{login: func(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
		token, err := acme{}.Login(ctx, app, ui)
		token.Access += "-not"
		return token, err
	}}},
	{"takes a no for an accident", "sign-in", "a sign-in that was denied: class", saboteur{login: func(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
		token, err := acme{}.Login(ctx, app, ui)
		if venuekey.NeedsSignIn(err) {
			err = &venuekey.Error{Class: venuekey.ClassLater, Reason: "try again"}
		}
		return token, err
	}}},

	{"presents a token twice", "renewal", "the token was in 2 requests", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		_, _ = acme{}.Refresh(ctx, app, token)
		return got, err
	}}},
	{"presents a token again if nobody answered", "lost answers", "the token was presented 2 times", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		if err != nil {
			got, err = acme{}.Refresh(ctx, app, token)
		}
		return got, err
	}}},
	{"gives the old access token", "renewal", "is the old one", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		got.Access = token.Access
		return got, err
	}}},
	{"leaks the refresh token", "renewal", "repeats the refresh token", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		if err != nil {
			err = &venuekey.Error{Class: venuekey.ClassOf(err), Reason: "cannot renew " + string(token.Refresh), Err: err}
		}
		return got, err
	}}},
	{"repeats what a gateway says", "renewal", "repeats the client secret", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		if known, ok := errors.AsType[*venuekey.Error](err); ok && known.Code != "" {
			err = &venuekey.Error{Class: known.Class, Reason: "the venue says: client_secret=" + string(app.ClientSecret)}
		}
		return got, err
	}}},
	{"takes an end for an accident", "renewal", "after the user revoked access: class", saboteur{refresh: reclassed(venuekey.ClassRefused, venuekey.ClassLater)}},
	{"takes a wrong app for an end", "renewal", "a wrong client secret: class", saboteur{refresh: reclassed(venuekey.ClassMisconfigured, venuekey.ClassRefused)}},
	{"takes an unreachable server for a lost answer", "renewal", "where nothing listens: class", saboteur{refresh: reclassed(venuekey.ClassNotSent, venuekey.ClassUnknown)}},
	{"does not leave", "renewal", "a renewal whose context has ended: no error", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		return acme{}.Refresh(context.WithoutCancel(ctx), app, token)
	}}},
	{"has errors without a class", "renewal", "not a *venuekey.Error", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		if err != nil {
			err = errors.New("it did not work")
		}
		return got, err
	}}},

	{"calls a 500 refused", "lost answers", "want one of", saboteur{refresh: reclassed(venuekey.ClassUnknown, venuekey.ClassRefused)}},
	{"calls a lost answer not sent", "lost answers", "want one of", saboteur{refresh: reclassed(venuekey.ClassUnknown, venuekey.ClassNotSent)}},
	{"calls a lost answer one that may come later", "lost answers", "want one of", saboteur{refresh: reclassed(venuekey.ClassUnknown, venuekey.ClassLater)}},
	{"calls a demand to wait refused", "lost answers", "429: class", saboteur{refresh: reclassed(venuekey.ClassLater, venuekey.ClassRefused)}},
	{"does not hear how long to wait", "lost answers", "RetryAfter is 0s", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		if known, ok := errors.AsType[*venuekey.Error](err); ok {
			known.RetryAfter = 0
		}
		return got, err
	}}},
	{"follows redirects", "lost answers", "the redirect was followed", saboteur{refresh: following}},
	{"says nothing of an answer that it cannot read", "lost answers", "Refresh returned no error", saboteur{refresh: func(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
		got, err := acme{}.Refresh(ctx, app, token)
		if venuekey.ClassOf(err) == venuekey.ClassUnknown {
			err = nil
		}
		return got, err
	}}},

	{"says that the old access token lives on", "policy", "KillsAccess is false", saboteur{policy: func(p *venuekey.Policy) { p.KillsAccess = false }}},
	{"says that renewing uses nothing up", "policy", "the policy is RetryFreely", saboteur{policy: func(p *venuekey.Policy) { p.AfterLostAnswer = venuekey.RetryFreely }}},
	{"says that any number of sign-ins live", "policy", "MaxSessions is 0", saboteur{policy: func(p *venuekey.Policy) { p.MaxSessions = 0 }}},
	{"says that a token lives for a minute", "policy", "DefaultLife is 1m", saboteur{policy: func(p *venuekey.Policy) { p.DefaultLife = time.Minute }}},

	{"probes with its secret", "around", "the probe presented the client secret", saboteur{probe: func(ctx context.Context, app venuekey.App) error {
		_, _ = acme{}.Refresh(ctx, app, venuekey.Token{Refresh: "nothing"})
		return nil
	}}},
	{"takes any page for the venue", "around", "a cut connection, before the server acts: no error", saboteur{probe: func(ctx context.Context, app venuekey.App) error {
		_ = acme{}.Probe(ctx, app)
		return nil
	}}},
	{"gives a token for a name", "around", "the identity repeats the access token", saboteur{identify: func(_ context.Context, _ venuekey.App, token venuekey.Token) (string, error) {
		return string(token.Access), nil
	}}},
	{"knows everybody", "around", `no error, and the identity "alice"`, saboteur{identify: func(context.Context, venuekey.App, venuekey.Token) (string, error) { return "alice", nil }}},
	{"takes a firewall for a refusal", "around", "called a refusal", saboteur{identify: func(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error) {
		name, err := acme{}.Identify(ctx, app, token)
		if err != nil {
			err = &venuekey.Error{Class: venuekey.ClassRefused, Reason: "it has to be the token"}
		}
		return name, err
	}}},
	{"revokes nothing", "around", "the access token is still valid", saboteur{revoke: func(context.Context, venuekey.App, venuekey.Token) error { return nil }}},
	{"hopes that it revoked", "around", "Revoke returned nil", saboteur{revoke: func(ctx context.Context, app venuekey.App, token venuekey.Token) error {
		_ = acme{}.Revoke(ctx, app, token)
		return nil
	}}},
	{"leads calls elsewhere", "around", "the call was changed to", signing{sign: func(token venuekey.Token, request *http.Request) {
		token.SetAuthHeader(request)
		request.URL.Host = "acme.example"
	}}},
	{"signs without the token", "around", "in no header field", signing{sign: func(venuekey.Token, *http.Request) {}}},
	{"signs with what renews", "around", "the refresh token is in a header field", signing{sign: func(token venuekey.Token, request *http.Request) {
		token.SetAuthHeader(request)
		request.Header.Set("X-Refresh", string(token.Refresh))
	}}},

	{"contradicts itself", "keeper", "RefreshAt is not a fraction", saboteur{policy: func(p *venuekey.Policy) { p.RefreshAt = 7 }}},
	{"cannot be revived", "keeper", "the next renewal", saboteur{refresh: reclassed(venuekey.ClassUnknown, venuekey.ClassRefused)}},
}

func TestEverySaboteurIsCaught(t *testing.T) {
	t.Cleanup(lingering.wait)
	for _, row := range saboteurs {
		t.Run(row.does, func(t *testing.T) {
			t.Parallel()
			if row.does == "goes on when the user gave up" {
				needs.Time(t, "it goes on in real time")
			}
			var failures string
			for _, test := range testsOf(row.chapter) {
				failures += strings.Join(failuresOf(t, func(t testing.TB) { test.run(start(t, subject(row.venue))) }), "\n")
				if strings.Contains(failures, row.caught) {
					return
				}
			}
			t.Errorf("not caught with %q:\n%s", row.caught, failures)
		})
	}
}

func testsOf(name string) []test {
	for _, chapter := range contract {
		if chapter.name == name {
			return chapter.tests
		}
	}
	return nil
}

// failuresOf runs a test that may fail, and returns its messages.
func failuresOf(t *testing.T, run func(t testing.TB)) []string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(r)
	}()
	<-done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failures
}

// recorder is a testing.TB that keeps failures to itself.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (r *recorder) fail(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, text)
}

func (r *recorder) Helper()                           {}
func (r *recorder) Error(args ...any)                 { r.fail(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.fail(fmt.Sprintf(format, args...)) }
func (r *recorder) Skip(...any)                       { runtime.Goexit() }

func (r *recorder) Fatal(args ...any) {
	r.fail(fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}
