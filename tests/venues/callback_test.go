package venues_test

import (
	"context"
	"maps"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	ttpemu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// callback_test.go owns what venues may say of PKCE and of who they are, at each of
// them in every position that nobody has ruled out.

// position is one way in which a venue may answer.
type position struct {
	name   string
	venue  venuekey.Venue
	server emulator.Venue
	params map[string]venuekey.Secret
	fails  bool
}

// open starts the venue, with the app and a made-up browser.
func (p position) open(t *testing.T) (venuekey.App, string) {
	t.Helper()
	server := httptest.NewServer(p.server)
	t.Cleanup(server.Close)
	return venuekey.App{Venue: p.venue.Name(), ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback",
		URLs: map[string]string{"base": server.URL}, Params: maps.Clone(p.params)}, server.URL
}

// signsIn signs alice in, and gives up where her browser ends at a page of the venue's
// or the callback is not taken.
func (p position) signsIn(t *testing.T, app venuekey.App, person emulator.Person) error {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	keeper := &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}}, Venues: []venuekey.Venue{p.venue},
		Apps: func(context.Context, string) (venuekey.App, error) { return app, nil }}
	ui := leaving{keepertest.Browser{Person: person, Failed: make(chan error, 1)}, leave}
	_, err := keeper.SignIn(ctx, venuekey.ID{Venue: p.venue.Name(), Name: "alice"}, ui)
	return err
}

// leaving is a user who gives up when the browser has ended.
type leaving struct {
	keepertest.Browser
	leave context.CancelFunc
}

func (l leaving) Visit(ctx context.Context, visit venuekey.Visit) error {
	go func() { _ = l.Person.Visit(ctx, visit.URL); l.leave() }()
	return nil
}

func alicesBrowser() emulator.Person { return emulator.Person{Name: "alice", Password: "wonderland"} }

func TestPKCEInEveryPositionOfEveryVenue(t *testing.T) {
	on, off := map[string]venuekey.Secret{"pkce": "on"}, map[string]venuekey.Secret{"pkce": "off"}
	cTrader := func(k ctraderemu.Knobs) emulator.Venue {
		k.AnyLoopbackRedirect = true
		return &ctraderemu.Server{Knobs: k}
	}
	parrot := func(k ttpemu.Knobs) emulator.Venue { k.AnyLoopbackRedirect = true; return &ttpemu.Server{Knobs: k} }
	trader := func(k tradovateemu.Knobs) emulator.Venue {
		k.AnyLoopbackRedirect = true
		return &tradovateemu.Server{Knobs: k}
	}
	for _, p := range []position{
		{"ctrader, refused, by default", ctrader.Venue{}, cTrader(ctraderemu.Knobs{RejectPKCE: true}), nil, false},
		{"ctrader, ignored, on", ctrader.Venue{}, cTrader(ctraderemu.Knobs{}), on, false},
		{"ctrader, known, on", ctrader.Venue{}, cTrader(ctraderemu.Knobs{PKCE: true}), on, false},
		{"ctrader, refused, on", ctrader.Venue{}, cTrader(ctraderemu.Knobs{RejectPKCE: true}), on, true},
		{"ttp, ignored, by default", ttp.Venue{}, parrot(ttpemu.Knobs{}), nil, false},
		{"ttp, known, by default", ttp.Venue{}, parrot(ttpemu.Knobs{PKCE: true}), nil, false},
		{"ttp, refused, by default", ttp.Venue{}, parrot(ttpemu.Knobs{RejectPKCE: true}), nil, true},
		{"ttp, refused, off", ttp.Venue{}, parrot(ttpemu.Knobs{RejectPKCE: true}), off, false},
		{"tradovate, refused, by default", tradovate.Venue{}, trader(tradovateemu.Knobs{RejectPKCE: true}), nil, false},
		{"tradovate, known, on", tradovate.Venue{}, trader(tradovateemu.Knobs{}), on, false},
		{"tradovate, ignored, on", tradovate.Venue{}, trader(tradovateemu.Knobs{IgnorePKCE: true}), on, false},
		{"tradovate, lost on the page, on", tradovate.Venue{}, trader(tradovateemu.Knobs{LosePKCE: true}), on, true},
		{"tradovate, refused, on", tradovate.Venue{}, trader(tradovateemu.Knobs{RejectPKCE: true}), on, true},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			app, _ := p.open(t)
			if err := p.signsIn(t, app, alicesBrowser()); (err != nil) != p.fails {
				t.Error(err)
			}
			if registrar, ok := p.venue.(venuekey.Registrar); ok && registrar.CheckApp(app) != nil {
				t.Error(registrar.CheckApp(app))
			}
			app.Params = map[string]venuekey.Secret{"pkce": "perhaps"}
			if err := p.venue.(venuekey.Registrar).CheckApp(app); !venuekey.Misconfigured(err) {
				t.Error(err)
			}
		})
	}
}

// A code of a sign-in that somebody else began is put into this one (RFC 9700 §4.5), by
// whatever way: where a venue knows PKCE it is worth nothing, because another sign-in's
// challenge belongs to it.
func TestAttackACodeOfAnotherSignInIsPutIn(t *testing.T) {
	const redirect = "https://app.example/cb"
	apps := []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: []string{redirect}}}
	for _, p := range []position{
		{"ctrader", ctrader.Venue{}, &ctraderemu.Server{Apps: apps, Knobs: ctraderemu.Knobs{PKCE: true}}, map[string]venuekey.Secret{"pkce": "on"}, false},
		{"ttp", ttp.Venue{}, &ttpemu.Server{Apps: apps, Knobs: ttpemu.Knobs{PKCE: true}}, nil, false},
		{"tradovate", tradovate.Venue{}, &tradovateemu.Server{Apps: apps}, map[string]venuekey.Secret{"pkce": "on"}, false},
	} {
		t.Run(p.name, func(t *testing.T) {
			app, _ := p.open(t)
			app.RedirectURI = redirect
			mallory := keepertest.Paster{Person: emulator.Person{Name: "bob", Password: "builder"}, URL: make(chan string, 1)}
			begun, stop := context.WithCancel(t.Context())
			others := make(chan string, 1)
			_, _ = p.venue.Login(begun, app, stealing{mallory, others, stop})
			stolen := <-others
			victim := handing{make(chan string, 1), stolen}
			token, err := p.venue.Login(t.Context(), app, victim)
			if err == nil || token.Access != "" {
				t.Errorf("the code of another sign-in was taken: %v", err)
			}
			if n := p.server.Log().Count(emulator.EventCodeExchanged); n != 0 {
				t.Errorf("%d codes were exchanged", n)
			}
		})
	}
}

// stealing walks through a sign-in of its own, and keeps the code.
type stealing struct {
	keepertest.Paster
	code chan string
	stop context.CancelFunc
}

func (s stealing) Paste(ctx context.Context) (string, error) {
	address, err := s.Paster.Paste(ctx)
	s.code <- codeOf(address)
	s.stop()
	<-ctx.Done()
	return "", err
}

// handing is a user who receives someone else's code with the right state.
type handing struct {
	venue chan string
	code  string
}

func (h handing) Visit(_ context.Context, visit venuekey.Visit) error {
	h.venue <- visit.Redirect + "?code=" + h.code + "&state=" + parameterOf(visit.Elsewhere, "state")
	return nil
}
func (h handing) Paste(ctx context.Context) (string, error) {
	select {
	case address := <-h.venue:
		return address, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
func (handing) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return nil, nil
}
func (handing) Tell(string) {}

// A venue may begin to say who it is at any time (RFC 9207): its own addresses are
// believed, the registered name is, and nobody else.
func TestAttackEveryVenueAnswersInTheNameOfAnother(t *testing.T) {
	for _, issuer := range []string{"", "https://evil.example", "base", "https://issuer.example"} {
		for _, p := range []position{
			{"ctrader", ctrader.Venue{}, &ctraderemu.Server{}, nil, false},
			{"ttp", ttp.Venue{}, &ttpemu.Server{}, nil, false},
			{"tradovate", tradovate.Venue{}, &tradovateemu.Server{}, nil, false},
		} {
			t.Run(p.name+", "+issuer, func(t *testing.T) {
				t.Parallel()
				app, base := p.open(t)
				says := issuer
				if issuer == "base" {
					says = base
				}
				switch server := p.server.(type) {
				case *ctraderemu.Server:
					server.Tune(func(k *ctraderemu.Knobs) { k.AnyLoopbackRedirect, k.Issuer = true, says })
				case *ttpemu.Server:
					server.Tune(func(k *ttpemu.Knobs) { k.AnyLoopbackRedirect, k.Issuer = true, says })
				case *tradovateemu.Server:
					server.Tune(func(k *tradovateemu.Knobs) { k.AnyLoopbackRedirect, k.Issuer = true, says })
				}
				if err := p.signsIn(t, app, alicesBrowser()); (err == nil) != (issuer == "" || issuer == "base") {
					t.Errorf("no issuer is known: %v", err)
				}
				app.URLs["issuer"] = "https://issuer.example"
				if err := p.signsIn(t, app, alicesBrowser()); (err == nil) != (issuer == "" || issuer == "https://issuer.example") {
					t.Errorf("the issuer is known: %v", err)
				}
			})
		}
	}
}

func codeOf(address string) string { return parameterOf(address, "code") }

func parameterOf(address, name string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Query().Get(name)
}
