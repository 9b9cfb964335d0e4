package openapi_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func appAuth(id, secret string) *message.ApplicationAuthReq {
	m := &message.ApplicationAuthReq{ClientID: id}
	put(&m.ClientSecret, secret)
	return m
}

func accountAuth(account int64, access string) *message.AccountAuthReq {
	m := &message.AccountAuthReq{CtidTraderAccountID: account}
	put(&m.AccessToken, access)
	return m
}

func list(access string) *message.GetAccountListByAccessTokenReq {
	m := new(message.GetAccountListByAccessTokenReq)
	put(&m.AccessToken, access)
	return m
}

func refresh(token string) *message.RefreshTokenReq {
	m := new(message.RefreshTokenReq)
	put(&m.RefreshToken, token)
	return m
}

func trader(account int64) *message.TraderReq {
	return &message.TraderReq{CtidTraderAccountID: account}
}

func TestAnAppIsAuthorisedOnce(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := pipe(t, s, false, false)
		c.send(&message.HeartbeatEvent{}, "") // the first frame of the official client
		wantCode(t, c.ask(list("x")), "CH_CLIENT_NOT_AUTHENTICATED", "")
		wantCode(t, c.ask(trader(demo)), "CH_CLIENT_NOT_AUTHENTICATED", "")
		want[*message.VersionRes](t, c.ask(&message.VersionReq{}))
		wantCode(t, c.ask(refresh("x")), "CH_ACCESS_TOKEN_INVALID", "")
		s.Tune(func(k *openapi.Knobs) { k.Strict = true })
		wantCode(t, c.ask(&message.VersionReq{}), "CH_CLIENT_NOT_AUTHENTICATED", "")
		c.app()
		wantCode(t, c.ask(appAuth("demo-client", "demo-secret")), "CH_CLIENT_ALREADY_AUTHENTICATED", "")
		want[*message.VersionRes](t, c.ask(&message.VersionReq{}))
		want[*message.GetAccountListByAccessTokenRes](t, c.ask(list(token(s, "trading").Access)))
	})
}

func TestAWrongAppIsRefusedAndCutOff(t *testing.T) {
	for _, m := range []*message.ApplicationAuthReq{appAuth("demo-client", "wrong"), appAuth("nobody", "demo-secret")} {
		inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
			c := pipe(t, s, true, false)
			wantCode(t, c.ask(m), "CH_CLIENT_AUTH_FAILURE", "clientId or clientSecret is incorrect")
			if err := c.gone(); !isEnd(err) {
				t.Error(err)
			}
			synctest.Wait()
			wantDetails(t, s, openapi.Disconnected, "the app was refused")
		})
	}
}

func TestWhichAccountsAreAuthorised(t *testing.T) {
	other := emulator.App{ClientID: "other", ClientSecret: "s"}
	for _, test := range []struct {
		name       string
		live       bool
		account    int64
		grant      emulator.Grant
		age        time.Duration
		code, text string
	}{
		{"demo", false, demo, emulator.Grant{}, 0, "", ""},
		{"live", true, live, emulator.Grant{}, 0, "", ""},
		{"demo on live", true, demo, emulator.Grant{}, 0, "CANT_ROUTE_REQUEST", "Cannot route request"},
		{"live on demo", false, live, emulator.Grant{}, 0, "CANT_ROUTE_REQUEST", "Cannot route request"},
		{"somebody's", false, bobs, emulator.Grant{}, 0, "CH_CTID_TRADER_ACCOUNT_NOT_FOUND", ""},
		{"not shared", false, demo, emulator.Grant{Accounts: []int64{live}}, 0, "CH_CTID_TRADER_ACCOUNT_NOT_FOUND", ""},
		{"another app's", false, demo, emulator.Grant{Client: "other"}, 0, "CH_ACCESS_TOKEN_INVALID", "Invalid access token"},
		{"expired", false, demo, emulator.Grant{}, 31 * 24 * time.Hour, "CH_ACCESS_TOKEN_INVALID", "Access token expired"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
				s.Venue.Apps = []emulator.App{emulator.DefaultApp(), other}
				grant := test.grant
				grant.User, grant.Scope = "alice", "trading"
				if grant.Client == "" {
					grant.Client = "demo-client"
				}
				access := s.Venue.Issue(grant).Access
				s.Venue.Time().Advance(test.age)
				c := pipe(t, s, test.live, false)
				c.app()
				answer := c.ask(accountAuth(test.account, access))
				if test.code != "" {
					wantCode(t, answer, test.code, test.text)
					wantCode(t, c.ask(trader(test.account)), "INVALID_REQUEST", "Trading account is not authorized")
					return
				}
				want[*message.AccountAuthRes](t, answer)
				want[*message.TraderRes](t, c.ask(trader(test.account)))
				wantCode(t, c.ask(accountAuth(test.account, access)), "ALREADY_LOGGED_IN", "Trading account is already authorized in this channel")
			})
		})
	}
}

func TestTheAccountListHasBothHosts(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := pipe(t, s, true, false)
		c.app()
		res := want[*message.GetAccountListByAccessTokenRes](t, c.ask(list(token(s, "accounts").Access)))
		scope, ok := res.PermissionScope.Get()
		if len(res.CtidTraderAccount) != 2 || !ok || scope != message.ClientPermissionScopeScopeView {
			t.Errorf("got %+v", res)
		}
		wantCode(t, c.ask(list("x")), "CH_ACCESS_TOKEN_INVALID", "Invalid access token")
		s.Tune(func(k *openapi.Knobs) { k.OmitScope = true })
		res = want[*message.GetAccountListByAccessTokenRes](t, c.ask(list(token(s, "trading").Access)))
		if !res.PermissionScope.IsZero() {
			t.Error("the scope is not left out")
		}
	})
}

func TestLogoutIsCompleteWithItsEvent(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		want[*message.AccountLogoutRes](t, c.ask(&message.AccountLogoutReq{CtidTraderAccountID: demo}))
		event[*message.AccountDisconnectEvent](c)
		wantCode(t, c.ask(trader(demo)), "INVALID_REQUEST", "Trading account is not authorized")
		s.Tune(func(k *openapi.Knobs) { k.NotAuthorizedTyped = true })
		wantCode(t, c.ask(trader(demo)), "ACCOUNT_NOT_AUTHORIZED", "")
		want[*message.AccountAuthRes](t, c.ask(accountAuth(demo, c.token)))
	})
}

// What a refresh does to open sessions, over the socket and at the token endpoint.
func TestARefreshAndOpenSessions(t *testing.T) {
	for _, over := range []string{"socket", "http"} {
		for _, effect := range []openapi.RefreshEffect{openapi.RefreshInvalidates, openapi.RefreshDisconnects, openapi.RefreshSilent} {
			t.Run(over+" "+effect.String(), func(t *testing.T) {
				k := quiet()
				k.OnRefresh = effect
				inBubble(t, k, func(t *testing.T, s *openapi.Server) {
					pair := token(s, "trading")
					c := pipe(t, s, false, false)
					c.signIn(pair.Access, demo)
					access := refreshed(t, s, over, pair.Refresh)
					switch effect {
					case openapi.RefreshInvalidates:
						e := event[*message.AccountsTokenInvalidatedEvent](c)
						if len(e.CtidTraderAccountIDs) != 1 || e.CtidTraderAccountIDs[0] != demo {
							t.Errorf("got %+v", e)
						}
						wantCode(t, c.ask(trader(demo)), "INVALID_REQUEST", "Trading account is not authorized")
						wantCode(t, c.ask(accountAuth(demo, pair.Access)), "CH_ACCESS_TOKEN_INVALID", "Invalid access token")
						want[*message.AccountAuthRes](t, c.ask(accountAuth(demo, access)))
					case openapi.RefreshDisconnects:
						event[*message.AccountDisconnectEvent](c)
						fallthrough
					default:
						want[*message.TraderRes](t, c.ask(trader(demo)))
						wantCode(t, c.ask(accountAuth(demo, access)), "ALREADY_LOGGED_IN", "")
					}
					if s.Venue.Log().Count(emulator.EventRefreshGranted) != 1 {
						t.Error("the venue knows nothing of it")
					}
				})
			})
		}
	}
}

func refreshed(t *testing.T, s *openapi.Server, over, token string) string {
	if over == "http" {
		pair, err := s.Venue.Refresh("demo-client", token)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Access
	}
	c := pipe(t, s, true, false)
	c.app()
	res := want[*message.RefreshTokenRes](t, c.ask(refresh(token)))
	if res.ExpiresIn != 2628000 || res.TokenType != "bearer" || res.RefreshToken == "" {
		t.Errorf("expires in %d, type %s", res.ExpiresIn, res.TokenType)
	}
	wantCode(t, c.ask(refresh(token)), "CH_ACCESS_TOKEN_INVALID", "") // it was used
	return string(res.AccessToken)
}

func TestARevokedUserLosesTheirSessions(t *testing.T) {
	k := quiet()
	k.OnRefresh = openapi.RefreshSilent
	inBubble(t, k, func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		s.Venue.RevokeUser("alice")
		event[*message.AccountsTokenInvalidatedEvent](c)
		wantCode(t, c.ask(trader(demo)), "INVALID_REQUEST", "")
	})
}

func TestExpiryCountsWhenItIsEnforced(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		s.Venue.Time().Advance(31 * 24 * time.Hour)
		want[*message.TraderRes](t, c.ask(trader(demo)))
		s.Tune(func(k *openapi.Knobs) { k.EnforceExpiry = true })
		wantCode(t, c.ask(trader(demo)), "CH_ACCESS_TOKEN_INVALID", "Access token expired")
	})
}

func TestWhatIsPushed(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		again := func() { want[*message.AccountAuthRes](t, c.ask(accountAuth(demo, c.token))) }
		s.Invalidate(demo, live)
		event[*message.AccountsTokenInvalidatedEvent](c)
		again()
		s.DropAccounts(demo)
		event[*message.AccountDisconnectEvent](c)
		again()
		s.Push(&message.SymbolChangedEvent{CtidTraderAccountID: demo, SymbolID: []int64{1}})
		event[*message.SymbolChangedEvent](c)
		s.Deposit(demo, 5)
		e := event[*message.ExecutionEvent](c)
		if e.DepositWithdraw.Balance != 1000005 {
			t.Errorf("got %+v", e.DepositWithdraw)
		}
		event[*message.TraderUpdatedEvent](c)
		s.Tune(func(k *openapi.Knobs) { k.DisconnectKeepsOpen = true })
		s.Disconnect("blocked")
		event[*message.ClientDisconnectEvent](c)
		wantCode(t, c.ask(trader(demo)), "CH_CLIENT_NOT_AUTHENTICATED", "")
		c.app()
		s.Tune(func(k *openapi.Knobs) { k.DisconnectKeepsOpen = false })
		s.Disconnect("blocked")
		event[*message.ClientDisconnectEvent](c)
		if err := c.gone(); !isEnd(err) {
			t.Error(err)
		}
	})
}

func TestMaintenance(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		until := s.Venue.Time().Now().Add(time.Hour).Truncate(time.Second).UTC()
		s.Maintenance(until)
		res := want[*message.ErrorRes](t, c.ask(trader(demo)))
		end, _ := res.MaintenanceEnd()
		if res.ErrorCode != "SERVER_IS_UNDER_MAINTENANCE" || !end.Equal(until) || res.MaintenanceEndTimestamp.Or(0) != until.Unix() {
			t.Errorf("got %+v", res)
		}
		s.Tune(func(k *openapi.Knobs) { k.CommonErrors, k.MaintenanceCode = true, "CANT_ROUTE_REQUEST" })
		common := want[*message.CommonErrorRes](t, c.ask(trader(demo)))
		if common.ErrorCode != "CANT_ROUTE_REQUEST" || common.MaintenanceEndTimestamp.Or(0) != uint64(until.UnixMilli()) {
			t.Errorf("got %+v", common)
		}
		s.Venue.Time().Advance(time.Hour)
		want[*message.TraderRes](t, c.ask(trader(demo)))
	})
}

func TestOneSessionPerAccount(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		first, second := signedIn(t, s, demo), signedIn(t, s, demo)
		want[*message.TraderRes](t, first.ask(trader(demo)))
		want[*message.TraderRes](t, second.ask(trader(demo)))
		s.Tune(func(k *openapi.Knobs) { k.OneSessionPerAccount = true })
		third := signedIn(t, s, demo)
		event[*message.AccountDisconnectEvent](first)
		event[*message.AccountDisconnectEvent](second)
		want[*message.TraderRes](t, third.ask(trader(demo)))
	})
}

// Whatever happens, the log has no token and no secret in it.
func TestTheLogHasNoSecrets(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		s.Venue.Knobs = ctrader.Knobs{TokenPrefix: "SENTINEL"}
		pair := token(s, "trading")
		c := pipe(t, s, false, false)
		c.ask(list("SENTINEL"))
		c.signIn(pair.Access, demo)
		c.ask(list(pair.Access))
		c.ask(list("SENTINEL"))
		c.ask(refresh("SENTINEL"))
		c.ask(refresh(pair.Refresh))
		pipe(t, s, false, false).ask(appAuth("demo-client", "SENTINEL"))
		synctest.Wait()
		for _, e := range s.Events() {
			for _, text := range []string{e.Detail, e.Client, string(e.Kind)} {
				if strings.Contains(text, "SENTINEL") || strings.Contains(text, "demo-secret") {
					t.Errorf("got %+v", e)
				}
			}
		}
	})
}
