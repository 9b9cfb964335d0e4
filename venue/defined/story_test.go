package defined_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/defined"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// direct calls the emulated venue without a network, since time stands still while a socket
// is waited for.
type direct struct{ server http.Handler }

func (d direct) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	inside := request.Clone(request.Context())
	if inside.Body == nil {
		inside.Body = http.NoBody
	}
	inside.Host = request.URL.Host
	d.server.ServeHTTP(answer, inside)
	response := answer.Result()
	response.Request = request
	return response, nil
}

// stage is a venue in virtual time, with a Keeper.
type stage struct {
	*testing.T
	server *emu.Server
	keeper *venuekey.Keeper
	app    venuekey.App
	venue  venuekey.Venue
}

func open(t *testing.T, d *definition.Definition, app venuekey.App) *stage {
	s := &stage{T: t, app: app, server: &emu.Server{Definition: d, Apps: []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: []string{"https://app.example/callback"}}}}}
	if d.Login == definition.LoginCode {
		s.app.RedirectURI = "https://app.example/callback"
	}
	s.venue = defined.NewOver(direct{s.server}, d)
	s.keeper = &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}}, Venues: []venuekey.Venue{s.venue},
		Apps: func(context.Context, string) (venuekey.App, error) { return s.app, nil }}
	return s
}

func (s *stage) id() venuekey.ID { return venuekey.ID{Venue: s.venue.Name(), Name: "alice"} }

func (s *stage) signIn() *venuekey.Token {
	s.Helper()
	token, err := s.keeper.SignInWith(s.Context(), s.id(), &person{stage: s, pastes: make(chan string, 1)}, venuekey.SignInOptions{EndOldest: true})
	if err != nil {
		s.Fatal(err)
	}
	return token
}

func (s *stage) status() venuekey.Status {
	s.Helper()
	status, err := s.keeper.Status(s.Context(), s.id())
	if err != nil {
		s.Fatal(err)
	}
	return status
}

func (s *stage) token() (*venuekey.Token, error) { return s.keeper.Token(s.Context(), s.id()) }

// person is a user who signs in at the emulated venue and pastes where the browser ended up.
type person struct {
	*stage
	pastes chan string
}

func (p *person) Visit(ctx context.Context, visit venuekey.Visit) error {
	who := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: direct{p.server}}}
	address, err := who.Redirected(ctx, visit.Elsewhere)
	p.pastes <- address
	return err
}

func (p *person) Paste(ctx context.Context) (string, error) {
	select {
	case text := <-p.pastes:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (p *person) Ask(_ context.Context, fields []venuekey.Field) (map[string]venuekey.Secret, error) {
	given := map[string]venuekey.Secret{}
	for _, field := range fields {
		given[field.Name] = "alice"
		if field.Secret {
			given[field.Name] = "wonderland"
		}
	}
	return given, nil
}

func (p *person) Tell(string) {}

var demoApp = venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret"}

// A token of Upstox ends at half past three in India, whenever it was issued, and nothing
// renews it.
func TestADailyCutoffEndsTheSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, parsed(t, "upstox"), demoApp)
		kolkata, _ := time.LoadLocation("Asia/Kolkata")
		for _, clock := range []string{"21:00", "03:29", "03:30"} {
			for time.Now().In(kolkata).Format("15:04") != clock {
				time.Sleep(time.Minute)
			}
			token := s.signIn()
			end := token.Expires.In(kolkata)
			if end.Format("15:04:05") != "03:30:00" || time.Until(end) > 24*time.Hour || !end.After(time.Now()) {
				t.Errorf("issued at %s: %s", clock, end)
			}
			status := s.status()
			if !status.NextRefresh.IsZero() || !status.EndsAnyway || !status.SignInEnds.Equal(token.Expires) || status.User != "alice" {
				t.Errorf("%+v", status)
			}
			time.Sleep(time.Until(token.Expires))
			if s.server.Alive(string(token.Access)) {
				t.Error("the venue still takes the token")
			}
			if _, err := s.token(); !venuekey.NeedsSignIn(err) {
				t.Errorf("after the end: %v", err)
			}
			if state := s.status().State; state != venuekey.StateNeedsSignIn {
				t.Errorf("after the end: %s", state)
			}
		}
	})
}

// Schwab repeats its refresh token, and its seven days count from the login: no renewal
// moves them.
func TestSchwabEndsSevenDaysAfterTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, parsed(t, "schwab"), demoApp)
		s.signIn()
		begun := time.Now()
		for time.Since(begun) < 7*24*time.Hour-time.Hour {
			if _, err := s.token(); err != nil {
				t.Fatalf("after %s: %v", time.Since(begun), err)
			}
			status := s.status()
			if !status.EndsAnyway || status.SignInEnds.Sub(begun.Add(7*24*time.Hour)).Abs() > time.Minute {
				t.Fatalf("after %s the end is %s", time.Since(begun), status.SignInEnds)
			}
			time.Sleep(5 * time.Hour)
		}
		time.Sleep(2 * time.Hour)
		_, err := s.token()
		if !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "seven days") {
			t.Errorf("after the seven days: %v", err)
		}
	})
}

// At Schwab another sign-in ends the earlier one.
func TestALoginEndsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, parsed(t, "schwab"), demoApp)
		first := s.signIn()
		second := s.signIn()
		if s.server.Alive(string(first.Access)) || !s.server.Alive(string(second.Access)) {
			t.Error("the first sign-in is alive, or the second is not")
		}
	})
}

// ProjectX renews a live token with the token, and a dead one with the key, so no outage
// needs a person.
func TestTheKeyOfProjectXSignsInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, parsed(t, "projectx"), venuekey.App{Params: map[string]venuekey.Secret{"user": "alice", "key": "wonderland"}})
		s.signIn()
		logins := func() int { return s.server.Log().Count(emulator.EventLoginGranted) }
		time.Sleep(20 * time.Hour)
		if _, err := s.token(); err != nil || logins() != 1 || s.server.Log().Count(emulator.EventRenewGranted) != 1 {
			t.Fatalf("%v %d", err, logins())
		}
		time.Sleep(72 * time.Hour)
		if token, err := s.token(); err != nil || !token.Valid(time.Now()) || logins() != 2 {
			t.Fatalf("after three days: %v %d", err, logins())
		}
		time.Sleep(72 * time.Hour)
		s.app.Params = map[string]venuekey.Secret{"user": "alice", "key": "another"}
		_, err := s.token()
		if !venuekey.NeedsSignIn(err) {
			t.Errorf("a key that is wrong: %v", err)
		}
	})
}

// Questrade's answer says where its API is, which goes with the token.
func TestTheAddressOfTheAPIComesWithTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, parsed(t, "questrade"), venuekey.App{})
		token := s.signIn()
		if base, ok := defined.Base(parsed(t, "questrade"), venuekey.App{}, *token); !ok || base != "https://login.questrade.com" {
			t.Errorf("%q %t", base, ok)
		}
		time.Sleep(40 * time.Minute)
		if token, err := s.token(); err != nil || !token.Valid(time.Now()) {
			t.Error(err)
		}
	})
}

// A moment that the answer states in a zone of its own is that moment.
func TestAMomentInAZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, madeUpDefinition(t, "result"), venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", Params: map[string]venuekey.Secret{"user": "alice", "pin": "wonderland"}})
		if token := s.signIn(); token.Life() < 14*time.Minute || token.Life() > 15*time.Minute {
			t.Errorf("it lives for %s", token.Life())
		}
	})
}

// What goes to Kite is what its documentation says, and so is what goes to its API.
func TestKiteIsAskedInItsOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, parsed(t, "kite"), demoApp)
		token := s.signIn()
		request, _ := http.NewRequest(http.MethodGet, "https://api.kite.trade/orders", nil)
		s.venue.(venuekey.Signer).Sign(*token, request)
		if got := request.Header.Get("Authorization"); got != "token demo-client:"+string(token.Access) {
			t.Errorf("Authorization is %q", got)
		}
		if got := request.Header.Get("X-Kite-Version"); got != "3" {
			t.Errorf("X-Kite-Version is %q", got)
		}
		if user := s.status().User; user != "alice" {
			t.Errorf("the user is %q", user)
		}
	})
}
