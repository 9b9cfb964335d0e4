package openapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// client_test.go owns the stories of a Client.

// stage is a Client that runs against a fake, with its log and its states.
type stage struct {
	*openapi.Client
	f       *fake
	ended   chan error
	mu      sync.Mutex
	token   string
	refused []string
	phases  []openapi.Phase
	log     bytes.Buffer
	stop    func()
}

func (s *stage) setToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// staged runs a Client, which edit can change first.
func staged(t *testing.T, f *fake, edit func(*stage)) *stage {
	t.Helper()
	s := &stage{f: f, ended: make(chan error, 1), token: "access-1"}
	s.Client = &openapi.Client{
		Endpoint: f.endpoint(), ClientID: "id", ClientSecret: fakeSecret,
		Token: func(context.Context) (venuekey.Secret, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return venuekey.Secret(s.token), nil
		},
		OnState: func(state openapi.State) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.phases = append(s.phases, state.Phase)
		},
	}
	s.Options.Log = slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if edit != nil {
		edit(s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = func() {
		cancel()
		s.ended <- <-s.ended
	}
	go func() { s.ended <- s.Run(ctx) }()
	return s
}

func (s *stage) close(t *testing.T) {
	t.Helper()
	s.stop()
	for _, secret := range []string{fakeSecret, "access-1", "access-2"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has a secret:\n%s", s.log.String())
		}
	}
}

func mustReady(t *testing.T, s *stage) {
	t.Helper()
	if err := s.Ready(within(t, 5*time.Minute)); err != nil {
		t.Fatal(err)
	}
}

func heartbeats(ctx context.Context, f *fake) {
	for pausing(ctx, 20*time.Second) {
		f.last().send("", &message.HeartbeatEvent{})
	}
}

func pausing(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func equalTypes(t *testing.T, got []message.PayloadType, want ...message.PayloadType) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
}

func TestConnectTakesNoMoreThanItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		f.accounts = append(f.accounts, message.CtidTraderAccount{CtidTraderAccountID: 9, IsLive: message.Some(true)})
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		equalTypes(t, f.types(0), message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq, message.TypeAccountAuthReq, message.TypeAccountAuthReq)
		if got := s.State().Accounts; len(got) != 2 || got[0].ID != 7 || !got[1].Ready {
			t.Error(got)
		}
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 8}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if want := []openapi.Phase{openapi.PhaseConnecting, openapi.PhaseAuthorising, openapi.PhaseReady}; !slices.Equal(s.phases, want) {
			t.Error(s.phases)
		}
	})
}

func TestAccountsAreAuthorisedInOneGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		var held []message.Envelope
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type != message.TypeAccountAuthReq {
				return false
			}
			if held = append(held, e); len(held) == 3 { // answers none before it has all
				for _, e := range held {
					s.usual(e, f.decode(e))
				}
			}
			return true
		}
		s := staged(t, f, func(s *stage) { s.Accounts = []int64{1, 2, 3} })
		defer s.close(t)
		mustReady(t, s)
	})
}

func TestAReconnectRestoresEverythingInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		spots, err := s.Spots(t.Context(), 7, []int64{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Depth(t.Context(), 7, []int64{1}); err != nil {
			t.Fatal(err)
		}
		bars, err := s.Trendbars(t.Context(), 7, 2, message.TrendbarPeriodH1)
		if err != nil {
			t.Fatal(err)
		}
		equalTypes(t, f.types(3), message.TypeSubscribeSpotsReq, message.TypeSubscribeDepthQuotesReq, message.TypeSubscribeLiveTrendbarReq)
		before := f.mark()
		f.last().nc.Close()
		mustReady(t, s)
		for f.connections() < 2 || s.State().Phase != openapi.PhaseReady {
			time.Sleep(time.Second)
		}
		got := f.types(before)
		equalTypes(t, got[:4], message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq, message.TypeAccountAuthReq, message.TypeSubscribeSpotsReq)
		rest := got[4:]
		slices.Sort(rest)
		equalTypes(t, rest, message.TypeSubscribeLiveTrendbarReq, message.TypeSubscribeDepthQuotesReq)
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 2, Bid: message.Some(uint64(5)), Trendbar: []message.Trendbar{
			{Volume: 1, Period: message.Some(message.TrendbarPeriodM1)}, {Volume: 2, Period: message.Some(message.TrendbarPeriodH1)},
		}})
		if m, err := spots.Next(t.Context()); err != nil || m.Bid.Or(0) != 5 {
			t.Error(m, err)
		}
		if m, err := bars.Next(t.Context()); err != nil || m.Volume != 2 {
			t.Error(m, err)
		}
	})
}

func TestTheLastUserEndsASubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		one, err := s.Spots(t.Context(), 7, []int64{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		two, err := s.Spots(t.Context(), 7, []int64{2})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := f.count(message.TypeSubscribeSpotsReq); n != 1 {
			t.Error(n, "requests for what was there already")
		}
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 2})
		if m, _ := two.Next(t.Context()); m.SymbolID != 2 {
			t.Error(m)
		}
		one.Close()
		one.Close()
		synctest.Wait()
		if n := f.count(message.TypeUnsubscribeSpotsReq); n != 1 {
			t.Error(n)
		}
		two.Close()
		synctest.Wait()
		if n := f.count(message.TypeUnsubscribeSpotsReq); n != 2 {
			t.Error(n)
		}
		if _, err := s.Spots(t.Context(), 7, []int64{1}); err != nil || f.count(message.TypeSubscribeSpotsReq) != 2 {
			t.Error(err)
		}
	})
}

// What the service has been seen to do with sessions when their token is renewed.
func TestRotations(t *testing.T) {
	invalidated := &message.AccountsTokenInvalidatedEvent{CtidTraderAccountIDs: []int64{7, 8}, Reason: message.Some("Access Token is expired or recalled")}
	for name, rotate := range map[string]func(*peer){
		"a: the token is invalidated": func(p *peer) {
			p.drop(7)
			p.drop(8)
			p.send("", invalidated)
		},
		"b: the accounts are disconnected and are not": func(p *peer) {
			p.send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 7})
			p.send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 8})
		},
		"c: nothing": func(*peer) {},
		"everything": func(p *peer) {
			p.drop(7)
			p.send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 7})
			p.send("", invalidated)
			p.send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 8})
			p.send("", invalidated)
		},
	} {
		for _, early := range []bool{true, false} { // before or after the Client can know
			t.Run(fmt.Sprint(name, ", early ", early), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFake(7, 8)
					s := staged(t, f, func(s *stage) {
						s.Client.Rejected = func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
							s.refused = append(s.refused, string(access))
							s.setToken("access-2")
							return "access-2", nil
						}
					})
					defer s.close(t)
					spots, err := s.Spots(t.Context(), 7, []int64{1})
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(3*time.Second + 500*time.Millisecond)
					before := f.mark()
					f.setToken("access-2")
					if early {
						rotate(f.last())
						time.Sleep(100 * time.Millisecond)
					}
					s.setToken("access-2")
					if !early {
						rotate(f.last())
					}
					time.Sleep(10 * time.Second)
					mustReady(t, s)
					if f.connections() != 1 || len(s.refused) > 0 {
						t.Error(f.connections(), "connections, refused", s.refused)
					}
					auths := 0
					for _, seen := range f.types(before) {
						if seen == message.TypeAccountAuthReq {
							auths++
						}
					}
					if auths != 2 {
						t.Errorf("%d authorisations of 2 accounts: %v", auths, f.types(before))
					}
					if p := f.last(); !p.authorised[7] || !p.authorised[8] || !p.subscribed[[3]int64{1, 7, 1}] {
						t.Error(p.authorised, p.subscribed)
					}
					f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
					if _, err := spots.Next(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// The service invalidates a token before we can know of a newer one.
func TestATokenThatIsDeadIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		s := staged(t, f, func(s *stage) {
			s.Client.Rejected = func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
				s.refused = append(s.refused, string(access))
				time.Sleep(2 * time.Second) // a renewal takes its time
				s.setToken("access-2")
				return "access-2", nil
			}
		})
		defer s.close(t)
		mustReady(t, s)
		f.setToken("access-2")
		f.last().drop(7)
		f.last().drop(8)
		for range 20 { // many notice at once
			go func() { _, _ = s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}) }()
		}
		f.last().send("", &message.AccountsTokenInvalidatedEvent{CtidTraderAccountIDs: []int64{7, 8}})
		answer, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7})
		if err != nil || answer.Trader.Balance != 42 {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if !slices.Equal(s.refused, []string{"access-1"}) || f.connections() != 1 || f.count(message.TypeAccountAuthReq) != 6 {
			t.Error(s.refused, f.connections(), f.count(message.TypeAccountAuthReq))
		}
	})
}

// If the service accepts no token at all, the Client does not use up one after another.
func TestTokensThatAreAllRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.setToken("none")
		s := staged(t, f, func(s *stage) {
			s.Accounts = []int64{7}
			s.Client.Rejected = func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
				s.refused = append(s.refused, string(access))
				newer := fmt.Sprint("newer-", len(s.refused))
				s.setToken(newer)
				return venuekey.Secret(newer), nil
			}
		})
		defer s.close(t)
		_ = s.Ready(within(t, time.Hour))
		synctest.Wait()
		if n := len(s.refused); n < 4 || n > 7 {
			t.Error(n, "renewals in an hour")
		}
	})
}

// A token that is dead for one account is not renewed while it serves another.
func TestATokenThatIsGoodForSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			req, ok := m.(*message.AccountAuthReq)
			if ok && req.CtidTraderAccountID == 8 {
				p.refuse(e.ID, "CH_ACCESS_TOKEN_INVALID", "Invalid access token")
			}
			return ok && req.CtidTraderAccountID == 8
		}
		s := staged(t, f, func(s *stage) {
			s.Client.Rejected = func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
				t.Error("refused")
				return access, nil
			}
		})
		defer s.close(t)
		go heartbeats(t.Context(), f)
		if err := s.Ready(within(t, time.Minute)); err == nil {
			t.Error("ready without account 8")
		}
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); err != nil {
			t.Error(err)
		}
	})
}

// A token that died for one account, while other sessions still use it, is renewed.
func TestATokenThatDiesForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		s := staged(t, f, func(s *stage) {
			s.Client.Rejected = func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
				s.refused = append(s.refused, string(access))
				s.setToken("access-2")
				return "access-2", nil
			}
		})
		defer s.close(t)
		mustReady(t, s)
		f.setToken("access-2")
		f.last().drop(8)
		f.last().send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 8})
		time.Sleep(5 * time.Second)
		mustReady(t, s)
		synctest.Wait()
		if !slices.Equal(s.refused, []string{"access-1"}) || !f.last().authorised[8] {
			t.Error(s.refused)
		}
	})
}

// Two programs that take an account from each other do not do so for ever.
func TestAnAccountThatIsTakenAwayEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			if e.Type != message.TypeAccountAuthReq {
				return false
			}
			p.usual(e, m)
			p.drop(7)
			p.send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 7})
			return true
		}
		s := staged(t, f, nil)
		defer s.close(t)
		go heartbeats(t.Context(), f)
		time.Sleep(time.Hour)
		if n := f.count(message.TypeAccountAuthReq); n < 60 || n > 150 {
			t.Error(n, "authorisations in an hour")
		}
	})
}

func TestAnOldTokenWithoutRefusedWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.setToken("access-2")
		s := staged(t, f, func(s *stage) { s.Accounts = []int64{7} })
		defer s.close(t)
		go heartbeats(t.Context(), f)
		err := s.Ready(within(t, 5*time.Minute))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "CH_ACCESS_TOKEN_INVALID") || strings.Contains(err.Error(), "access-1") {
			t.Error(err)
		}
		if n := f.count(message.TypeAccountAuthReq); n > 15 {
			t.Error(n, "tries in 5 minutes")
		}
		s.setToken("access-2")
		if err := s.Ready(within(t, 2*time.Second)); err != nil {
			t.Error(err)
		}
	})
}

func TestAPersonIsNeeded(t *testing.T) {
	for name, story := range map[string]struct {
		edit func(*stage)
		text string
		// class is what a person must do: sign in again, or fix something.
		class venuekey.Class
	}{
		"wrong secret": {func(s *stage) { s.ClientSecret = "wrong" }, "CH_CLIENT_AUTH_FAILURE", venuekey.ClassMisconfigured},
		"sign-in gone": {func(s *stage) {
			s.Client.Token = func(context.Context) (venuekey.Secret, error) {
				return "", &venuekey.Error{Class: venuekey.ClassRefused, Reason: "signed out"}
			}
		}, "signed out", venuekey.ClassRefused},
		"sign-in cannot be renewed": {func(s *stage) {
			s.f.setToken("access-2")
			s.Client.Rejected = func(context.Context, venuekey.Secret) (venuekey.Secret, error) {
				return "", &venuekey.Error{Class: venuekey.ClassRefused, Reason: "used up"}
			}
		}, "used up", venuekey.ClassRefused},
		"no account of this environment": {func(s *stage) { s.Live = true }, "no live account (demo accounts: 1)", venuekey.ClassMisconfigured},
		"all accounts closed": {func(s *stage) {
			s.f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
				if e.Type == message.TypeAccountAuthReq {
					p.refuse(e.ID, "RET_ACCOUNT_DISABLED", "")
				}
				return e.Type == message.TypeAccountAuthReq
			}
		}, "RET_ACCOUNT_DISABLED", venuekey.ClassMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := staged(t, newFake(7), story.edit)
				err := <-s.ended
				s.ended <- err
				var got *openapi.Error
				if !errors.As(err, &got) || got.Class != story.class || venuekey.ClassOf(err) != story.class || !strings.Contains(err.Error(), story.text) {
					t.Error(err)
				}
				if err := s.Ready(t.Context()); !errors.Is(err, openapi.ErrClosed) || !strings.Contains(err.Error(), story.text) {
					t.Error(err)
				}
				s.close(t)
			})
		})
	}
}

func TestOneRefusedAccountDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			req, ok := m.(*message.AccountAuthReq)
			if ok && req.CtidTraderAccountID == 8 {
				p.refuse(e.ID, "RET_ACCOUNT_DISABLED", "")
			}
			return ok && req.CtidTraderAccountID == 8
		}
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); err != nil {
			t.Error(err)
		}
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 8}); venuekey.ClassOf(err) != venuekey.ClassMisconfigured {
			t.Error(err)
		}
	})
}

func TestTheWrongHostIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeAccountAuthReq {
				p.refuse(e.ID, "CANT_ROUTE_REQUEST", "Cannot route request")
			}
			return e.Type == message.TypeAccountAuthReq
		}
		s := staged(t, f, nil)
		defer s.close(t)
		err := s.Ready(within(t, time.Minute))
		if err == nil || !strings.Contains(err.Error(), "this is demo, live accounts are at live.ctraderapi.com") {
			t.Error(err)
		}
	})
}

func TestAnOrderIsNeverSentTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeNewOrderReq {
				p.nc.Close()
			}
			return e.Type == message.TypeNewOrderReq
		}
		s := staged(t, f, nil)
		defer s.close(t)
		_, err := s.NewOrder(t.Context(), order)
		var got *openapi.Error
		if !errors.As(err, &got) || got.Class != venuekey.ClassUnknown || got.SafeToRetry() || got.Account != 7 {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if n := f.count(message.TypeNewOrderReq); n != 1 {
			t.Error(n, "orders")
		}
	})
}

func TestAReadThatWasCutOffIsSentOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		cuts := 1
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeTraderReq && cuts > 0 {
				cuts--
				p.nc.Close()
				return true
			}
			return false
		}
		s := staged(t, f, nil)
		defer s.close(t)
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); err != nil || f.count(message.TypeTraderReq) != 2 {
			t.Error(err)
		}
		cuts = 2
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); venuekey.ClassOf(err) != venuekey.ClassUnknown || f.count(message.TypeTraderReq) != 4 {
			t.Error(err)
		}
	})
}

func TestTheEndOfAMaintenanceIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		end := time.Now().Add(3 * time.Hour)
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeApplicationAuthReq && time.Now().Before(end) {
				p.send(e.ID, &message.CommonErrorRes{ErrorCode: "SERVER_IS_UNDER_MAINTENANCE", MaintenanceEndTimestamp: message.Some(uint64(end.UnixMilli()))})
				p.nc.Close()
				return true
			}
			return false
		}
		s := staged(t, f, nil)
		defer s.close(t)
		if err := s.Ready(within(t, 4*time.Hour)); err != nil {
			t.Fatal(err)
		}
		// It tries every quarter of an hour, since one of the clocks may be wrong.
		if f.connections() > 14 || time.Since(end) > time.Second {
			t.Error(f.connections(), time.Since(end))
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			p.nc.Close()
			return true
		}
		s := staged(t, f, nil)
		defer s.close(t)
		_ = s.Ready(within(t, 10*time.Minute))
		times := f.times(message.TypeApplicationAuthReq)
		if len(times) < 12 || len(times) > 30 {
			t.Error(len(times), "tries in 10 minutes")
		}
		if last := times[len(times)-1].Sub(times[len(times)-2]); last < 30*time.Second || last > time.Minute {
			t.Error(last)
		}
	})
}

func TestADisconnectedApplicationComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		f.last().send("", &message.ClientDisconnectEvent{Reason: message.Some("moved")})
		time.Sleep(5 * time.Second)
		mustReady(t, s)
		if f.connections() != 2 || !slices.Contains(s.phases, openapi.PhaseWaiting) {
			t.Error(f.connections(), s.phases)
		}
	})
}

func TestNothingIsSentBeforeReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		c := &openapi.Client{Endpoint: f.endpoint()}
		_, err := c.Trader(within(t, time.Minute), &message.TraderReq{CtidTraderAccountID: 7})
		var got *openapi.Error
		if !errors.As(err, &got) || got.Class != venuekey.ClassNotSent || !got.SafeToRetry() || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestASymbolThatIsGoneEndsItsStreamAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		gone := false
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			req, ok := m.(*message.SubscribeSpotsReq)
			if ok && gone && slices.Contains(req.SymbolID, 2) {
				p.refuse(e.ID, "SYMBOL_NOT_FOUND", "")
				return true
			}
			return false
		}
		s := staged(t, f, nil)
		defer s.close(t)
		one, err := s.Spots(t.Context(), 7, []int64{1})
		if err != nil {
			t.Fatal(err)
		}
		two, err := s.Spots(t.Context(), 7, []int64{2})
		if err != nil {
			t.Fatal(err)
		}
		gone = true
		f.last().nc.Close()
		if _, err := two.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "SYMBOL_NOT_FOUND") {
			t.Error(err)
		}
		mustReady(t, s)
		if !f.last().subscribed[[3]int64{1, 7, 1}] {
			t.Error("the other symbol was lost")
		}
		one.Close()
		two.Close()
		if _, err := s.Spots(t.Context(), 7, []int64{2}); venuekey.ClassOf(err) != venuekey.ClassDeclined {
			t.Error(err)
		}
	})
}

// Every call of a Conn is one of a Client.
func TestTheCallsOfBoth(t *testing.T) {
	conn, client := methods(&openapi.Conn{}), methods(&openapi.Client{})
	for name, signature := range conn {
		if strings.Contains(signature, "message.") && client[name] != signature {
			t.Errorf("%s: %s is %q of a Client", name, signature, client[name])
		}
	}
}
