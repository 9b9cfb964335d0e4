package venues_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	definedemu "github.com/venuekey/venuekey/emulator/defined"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	ttpemu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// The stories of this file are told of every venue against its emulator: those that
// need the venue's clock. What is asked of any venue is in venue/venuetest. A new venue
// adds a row to stages.

type stage struct {
	name   string
	venue  venuekey.Venue
	server emulator.Venue
	app    venuekey.App
	// renewal is where the venue takes what renews.
	renewal emulator.Endpoint
	// singleUse says that what renews dies when it is presented.
	singleUse bool
	// patient says that a refusal is not believed before it has lasted for a while.
	patient bool
	user    string
}

const prefix = "SENTINEL-issued-"

func stages() []stage {
	app := func(venue string, params map[string]venuekey.Secret) venuekey.App {
		return venuekey.App{Venue: venue, Pace: time.Millisecond, Burst: 1000, ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback", Params: params}
	}
	byPassword := venuekey.App{Venue: "tradovate", Pace: time.Millisecond, Burst: 1000, Params: map[string]venuekey.Secret{"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "app_version": "1", "device_id": "d"}}
	return []stage{
		{name: "ctrader", venue: ctrader.Venue{}, app: app("ctrader", nil), renewal: emulator.AtRefresh, singleUse: true,
			server: &ctraderemu.Server{Knobs: ctraderemu.Knobs{AnyLoopbackRedirect: true, TokenPrefix: prefix}}},
		{name: "ctrader by GET, camelCase", venue: ctrader.Venue{}, app: app("ctrader", map[string]venuekey.Secret{"token_method": "GET"}), renewal: emulator.AtRefresh, singleUse: true,
			server: &ctraderemu.Server{Knobs: ctraderemu.Knobs{AnyLoopbackRedirect: true, TokenPrefix: prefix, CamelCaseOnly: true, RefusePOST: true, ErrorStatus: 400}}},
		{name: "ttp", venue: ttp.Venue{}, app: app("ttp", nil), renewal: emulator.AtRefresh, singleUse: true, user: "alice",
			server: &ttpemu.Server{Knobs: ttpemu.Knobs{AnyLoopbackRedirect: true, TokenPrefix: prefix}}},
		{name: "ttp newer, basic, request_token", venue: ttp.Venue{}, renewal: emulator.AtRefresh, singleUse: true, user: "alice",
			app:    app("ttp", map[string]venuekey.Secret{"client_auth": "basic", "pkce": "on", "address_form": "query"}),
			server: &ttpemu.Server{Knobs: ttpemu.Knobs{AnyLoopbackRedirect: true, TokenPrefix: prefix, PKCE: true, RequestToken: true, ExpiryAsText: true, AskConsent: true, EnforceState: true}}},
		{name: "ttp, an app without a secret", venue: ttp.Venue{}, renewal: emulator.AtRefresh, singleUse: true, user: "alice",
			app:    venuekey.App{Venue: "ttp", ClientID: "public-client", RedirectURI: "http://127.0.0.1:0/auth/callback", Params: map[string]venuekey.Secret{"client_auth": "none"}},
			server: &ttpemu.Server{Apps: []emulator.App{{ClientID: "public-client"}}, Knobs: ttpemu.Knobs{AnyLoopbackRedirect: true, TokenPrefix: prefix, PKCE: true, PublicNeedsPKCE: true}}},
		{name: "ttp by definition", venue: defined.New(definitionOf("ttp")), app: app("ttp", nil), renewal: emulator.AtRefresh, singleUse: true, user: "alice",
			server: &definedemu.Server{Definition: definitionOf("ttp"), Knobs: definedemu.Knobs{AnyLoopbackRedirect: true, TokenPrefix: prefix}}},
		{name: "tradovate by OAuth", venue: tradovate.Venue{}, app: app("tradovate", nil), renewal: emulator.AtRenew, patient: true, user: "alice",
			server: &tradovateemu.Server{Knobs: tradovateemu.Knobs{AnyLoopbackRedirect: true, TokenPrefix: prefix, RenewQuota: 1000, SessionLimit: 1000}}},
		{name: "tradovate by password", venue: tradovate.Venue{}, app: byPassword, renewal: emulator.AtRenew, user: "alice",
			server: &tradovateemu.Server{Knobs: tradovateemu.Knobs{TokenPrefix: prefix, RenewQuota: 1000, SessionLimit: 1000}}},
	}
}

// open starts the venue and a Keeper for it.
func (s stage) open(t *testing.T) (*venuekey.Keeper, venuekey.ID) {
	t.Helper()
	return s.openAt(t, s.server)
}

// openAt does so where something stands before the venue.
func (s stage) openAt(t *testing.T, handler http.Handler) (*venuekey.Keeper, venuekey.ID) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.app.URLs = map[string]string{"base": server.URL}
	return &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: &memory.Store{}},
		Venues: []venuekey.Venue{s.venue},
		Apps:   func(context.Context, string) (venuekey.App, error) { return s.app, nil },
	}, venuekey.ID{Venue: s.venue.Name(), Name: "alice"}
}

func TestEveryVenueFromSignInToTheEnd(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			keeper, id := s.open(t)
			token := keepertest.SignIn(t, keeper, id)
			if !s.server.Alive(string(token.Access)) || !strings.HasPrefix(string(token.Access), prefix) {
				t.Fatal("the venue does not know the token")
			}
			status, err := keeper.Status(t.Context(), id)
			if err != nil || status.State != venuekey.StateFresh || !strings.Contains(status.User, s.user) || status.NextRefresh.IsZero() {
				t.Fatalf("%+v %v", status, err)
			}
			first, _, err := keepertest.Kept(t.Context(), keeper.Vault, id)
			if err != nil {
				t.Fatal(err)
			}

			renewed, err := keeper.Refresh(t.Context(), id)
			if err != nil || renewed.Access == token.Access || !s.server.Alive(string(renewed.Access)) {
				t.Fatalf("renewed: %v", err)
			}
			if s.singleUse {
				_, err := s.venue.Refresh(t.Context(), appOf(keeper, id), first)
				if !venuekey.NeedsSignIn(err) {
					t.Fatalf("a used refresh token was answered with %v", err)
				}
			}

			s.server.Inject(emulator.Fault{On: s.renewal, Kind: emulator.FaultStatusBefore, Status: 503, RetryAfter: time.Minute})
			if _, err := keeper.Refresh(t.Context(), id); !venuekey.Temporary(err) {
				t.Fatalf("5xx: %v", err)
			}
			if got, err := keeper.Token(t.Context(), id); err != nil || got.Access != renewed.Access {
				t.Fatalf("the old token was not served meanwhile: %v", err)
			}
			s.server.Inject(emulator.Fault{On: s.renewal, Kind: emulator.FaultDelayAfter, Delay: 20 * time.Millisecond})
			if _, err := keeper.Refresh(t.Context(), id); err != nil {
				t.Fatalf("slow: %v", err)
			}

			s.server.RevokeUser("alice")
			if s.patient {
				if _, err := keeper.Refresh(t.Context(), id); !venuekey.Temporary(err) {
					t.Fatalf("revoked: %v", err)
				}
			} else if _, err := keeper.Refresh(t.Context(), id); !venuekey.NeedsSignIn(err) {
				t.Fatalf("revoked: %v", err)
			} else if status, _ := keeper.Status(t.Context(), id); status.State != venuekey.StateNeedsSignIn || status.Reason == "" {
				t.Fatalf("revoked: %+v", status)
			}
			again := keepertest.SignIn(t, keeper, id)
			if got, err := keeper.Token(t.Context(), id); err != nil || got.Access != again.Access {
				t.Fatalf("signed in again: %v", err)
			}
		})
	}
}

func appOf(keeper *venuekey.Keeper, id venuekey.ID) venuekey.App {
	app, _ := keeper.Apps(context.Background(), id.Venue)
	return app
}

// sleep lets time pass until the access token has been dead for a while, and
// gives the Keeper of a program that starts then.
func (s stage) sleep(t *testing.T, keeper *venuekey.Keeper, id venuekey.ID, dead time.Duration) *venuekey.Keeper {
	t.Helper()
	var asleep time.Duration
	err := keepertest.Rewrite(t.Context(), keeper.Vault, id, func(token *venuekey.Token, record *venuekey.Record) {
		asleep = token.Life() + dead
		token.Issued, token.Expires = token.Issued.Add(-asleep), token.Expires.Add(-asleep)
		record.NextRefresh = time.Now()
	})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Time().Advance(asleep)
	return &venuekey.Keeper{Vault: keeper.Vault, Venues: keeper.Venues, Apps: keeper.Apps}
}

// The machine slept over the end of the access token. Whoever has a refresh
// token goes on; whoever renews with the access token alone has to sign in.
func TestEveryVenueExpiredWhileAsleep(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			keeper, id := s.open(t)
			keepertest.SignIn(t, keeper, id)
			awake := s.sleep(t, keeper, id, time.Minute)
			got, err := awake.Token(t.Context(), id)
			if s.name == "tradovate by password" {
				if !venuekey.NeedsSignIn(err) {
					t.Fatal(err)
				}
				return
			}
			if err != nil || !s.server.Alive(string(got.Access)) {
				t.Fatal(err)
			}
		})
	}
}
