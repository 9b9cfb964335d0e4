package openapi_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	emulated "github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// members_test.go owns the stories of accounts that join and leave a Client.

func mustJoin(t *testing.T, s *stage, account int64) {
	t.Helper()
	if err := s.Join(within(t, time.Minute), account); err != nil {
		t.Fatal(err)
	}
}

// has is the accounts that a Client says it has, all of them ready.
func has(t *testing.T, s *stage, want ...int64) {
	t.Helper()
	synctest.Wait()
	state := s.State()
	var got []int64
	for _, a := range state.Accounts {
		if got = append(got, a.ID); !a.Ready {
			t.Errorf("account %d is not ready: %v", a.ID, a.Err)
		}
	}
	if !slices.Equal(got, want) || state.Phase != openapi.PhaseReady {
		t.Errorf("the accounts are %v in phase %v, want %v", got, state.Phase, want)
	}
}

func TestAnAccountJoinsTheExistingConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		s := staged(t, f, func(s *stage) { s.Accounts = []int64{7} })
		defer s.close(t)
		mustReady(t, s)
		seven, err := s.Spots(t.Context(), 7, []int64{1})
		if err != nil {
			t.Fatal(err)
		}
		defer seven.Close()
		since, began := f.mark(), time.Now()
		mustJoin(t, s, 8)
		mustJoin(t, s, 8)
		mustJoin(t, s, 7)
		equalTypes(t, f.types(since), message.TypeAccountAuthReq)
		if took := time.Since(began); took > 0 {
			t.Error("it took", took)
		}
		has(t, s, 7, 8)
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 8}); err != nil || f.connections() != 1 {
			t.Error(err, f.connections())
		}
	})
}

func TestAnAccountThatJoinedIsRestoredAfterAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		mustJoin(t, s, 8)
		quotes, err := s.Spots(t.Context(), 8, []int64{1})
		if err != nil {
			t.Fatal(err)
		}
		defer quotes.Close()
		since := f.mark()
		f.last().nc.Close()
		synctest.Wait()
		mustReady(t, s)
		equalTypes(t, f.types(since), message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq,
			message.TypeAccountAuthReq, message.TypeAccountAuthReq, message.TypeSubscribeSpotsReq)
		has(t, s, 7, 8)
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 8, SymbolID: 1})
		if _, err := quotes.Next(within(t, time.Second)); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAccountThatLeavesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		depth, err := s.Depth(t.Context(), 8, []int64{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		subscription, err := s.Subscribe(t.Context(), &message.SubscribeSpotsReq{CtidTraderAccountID: 8, SymbolID: []int64{2}})
		if err != nil {
			t.Fatal(err)
		}
		stays, err := s.Spots(t.Context(), 7, []int64{1})
		if err != nil {
			t.Fatal(err)
		}
		defer stays.Close()
		since := f.mark()
		s.Leave(8)
		s.Leave(8)
		s.Leave(9) // which never was here
		has(t, s, 7)
		equalTypes(t, f.types(since), message.TypeAccountLogoutReq)
		var told *openapi.Error
		if _, err := depth.Next(t.Context()); !errors.Is(err, openapi.ErrLeft) || !errors.As(err, &told) || told.Account != 8 {
			t.Error(err)
		}
		depth.Close()
		subscription.Close()
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
		if _, err := stays.Next(within(t, time.Second)); err != nil {
			t.Error(err)
		}
		since = f.mark()
		f.last().nc.Close()
		synctest.Wait()
		mustReady(t, s)
		equalTypes(t, f.types(since), message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq,
			message.TypeAccountAuthReq, message.TypeSubscribeSpotsReq)
		has(t, s, 7)
		mustJoin(t, s, 8)
		has(t, s, 7, 8)
	})
}

func TestAClientMayBeginEmptyAndBecomeSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		s := staged(t, f, func(s *stage) { s.JoinOnly = true })
		defer s.close(t)
		mustReady(t, s)
		has(t, s)
		equalTypes(t, f.types(0), message.TypeApplicationAuthReq)
		if _, err := s.Version(t.Context(), &message.VersionReq{}); err != nil {
			t.Error(err)
		}
		for range 3 {
			mustJoin(t, s, 7)
			has(t, s, 7)
			s.Leave(7)
			has(t, s)
			f.last().nc.Close()
			time.Sleep(time.Minute)
		}
		mustReady(t, s)
		mustJoin(t, s, 8)
		has(t, s, 8)
	})
}

func TestJoinReportsARefusedAccountAndEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		closed := true
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			if auth, ok := m.(*message.AccountAuthReq); ok && auth.CtidTraderAccountID == 8 && closed {
				p.refuse(e.ID, "RET_ACCOUNT_DISABLED", "")
				return true
			}
			return false
		}
		s := staged(t, f, func(s *stage) { s.JoinOnly = true })
		defer s.close(t)
		var known *openapi.Error
		if err := s.Join(within(t, time.Minute), 8); !errors.As(err, &known) || known.Code != "RET_ACCOUNT_DISABLED" || !venuekey.Misconfigured(err) {
			t.Error(err)
		}
		mustReady(t, s)
		mustJoin(t, s, 7)
		if state := s.State().Accounts; len(state) != 2 || !state[0].Ready || !state[1].Refused {
			t.Error(state)
		}
		s.Leave(7)
		synctest.Wait()
		if s.State().Phase != openapi.PhaseReady {
			t.Error(s.State())
		}
		closed = false // somebody mended it
		mustJoin(t, s, 8)
		has(t, s, 8)
	})
}

func TestAnAccountThatLeavesWhileItIsAuthorisedIsLoggedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		var late func()
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			switch m := m.(type) {
			case *message.AccountAuthReq: // is carried out after the logout that is sent later
				if m.CtidTraderAccountID == 8 {
					late = func() { p.usual(e, m) }
					return true
				}
			case *message.AccountLogoutReq:
				p.usual(e, m)
				if late != nil {
					late()
				}
				late = nil
				return true
			}
			return false
		}
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		joined := make(chan error, 1)
		go func() { joined <- s.Join(t.Context(), 8) }()
		synctest.Wait()
		s.Leave(8)
		if err := <-joined; !errors.Is(err, openapi.ErrLeft) || !venuekey.Temporary(err) {
			t.Error(err)
		}
		has(t, s, 7)
		if p := f.last(); p.authorised[8] || !p.authorised[7] || f.count(message.TypeAccountLogoutReq) != 2 {
			t.Error("the service still has it")
		}
	})
}

func TestWhatWaitsForAnAccountThatLeavesFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		f.hook = func(_ *peer, e message.Envelope, _ message.Message) bool {
			if e.Type == message.TypeAccountAuthReq {
				time.Sleep(time.Second)
			}
			return false
		}
		s := staged(t, f, nil)
		defer s.close(t)
		time.Sleep(500 * time.Millisecond)
		ordered := make(chan error, 1)
		go func() {
			order := *order
			order.CtidTraderAccountID = 8
			_, err := s.NewOrder(t.Context(), &order)
			ordered <- err
		}()
		synctest.Wait()
		s.Leave(8)
		var known *openapi.Error
		if err := <-ordered; !errors.Is(err, openapi.ErrLeft) || !errors.As(err, &known) || known.Class != venuekey.ClassNotSent || known.Account != 8 {
			t.Error(err)
		}
		mustReady(t, s)
		if f.count(message.TypeNewOrderReq) != 0 {
			t.Error("the order was sent")
		}
	})
}

func TestJoiningBeforeRunAndWithoutPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8, 9)
		s := staged(t, f, func(s *stage) {
			s.Accounts = []int64{7, 9}
			if err := s.Join(within(t, time.Second), 8); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			s.Leave(9)
		})
		defer s.close(t)
		mustReady(t, s)
		has(t, s, 7, 8)
		s.stop()
		if err := s.Join(t.Context(), 9); !errors.Is(err, openapi.ErrClosed) {
			t.Error(err)
		}
	})
}

// However accounts come and go, and connections with them, the last word counts.
func TestTheLastWordCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(1, 2, 3, 4, 5)
		s := staged(t, f, func(s *stage) { s.JoinOnly = true })
		defer s.close(t)
		mustReady(t, s)
		var all sync.WaitGroup
		for account := int64(1); account <= 5; account++ {
			all.Go(func() {
				for i := range 40 {
					time.Sleep(time.Duration(account*7+int64(i)) * time.Millisecond)
					go func() { _ = s.Join(t.Context(), account) }()
					if quotes, err := s.Spots(within(t, time.Millisecond), account, []int64{1}); err == nil {
						defer quotes.Close()
					}
					if time.Sleep(time.Duration(i%3)*time.Millisecond + 1); i < 39 || account > 3 {
						s.Leave(account)
					}
					if i%10 == int(account) {
						f.last().nc.Close()
					}
				}
			})
		}
		all.Wait()
		time.Sleep(2 * time.Minute)
		has(t, s, 1, 2, 3)
		p := f.last()
		for account := int64(1); account <= 5; account++ {
			if p.authorised[account] != (account <= 3) {
				t.Errorf("account %d at the service: %v", account, p.authorised[account])
			}
		}
		for key := range p.subscribed {
			if key[1] > 3 {
				t.Error("subscribed for an account that left:", key)
			}
		}
	})
}

// The emulator judges too: it answers a logout and then says that the session ended.
func TestAnAccountLeavesAndComesBack(t *testing.T) {
	for _, how := range transports() {
		t.Run(how.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, how, emulated.Knobs{})
				defer r.close()
				r.watch()
				for range 3 {
					spots := r.spots
					r.Leave(demoAccount)
					for range spots.All(within(t, time.Second)) { // what waited still comes
					}
					if _, err := spots.Next(t.Context()); !errors.Is(err, openapi.ErrLeft) {
						t.Error(err)
					}
					time.Sleep(time.Second)
					r.want("trader of an account that left", r.trader(), "account session lost INVALID_REQUEST")
					if err := r.Join(within(t, time.Minute), demoAccount); err != nil {
						t.Fatal(err)
					}
					var err error
					if r.spots, err = r.Spots(t.Context(), demoAccount, []int64{1}); err != nil {
						t.Fatal(err)
					}
					newer(t, within(t, time.Minute), "spot", r.spots)
					r.want("trader", r.trader(), "")
				}
			})
		})
	}
}

// A session that was announced as lost and went on still has its subscriptions, and none
// that was asked for meanwhile.
func TestASessionThatWentOnGetsWhatWasAskedForMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		before, err := s.Spots(t.Context(), 7, []int64{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		defer before.Close()
		f.last().send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 7})
		synctest.Wait()
		meanwhile, err := s.Spots(t.Context(), 7, []int64{1, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		defer meanwhile.Close()
		synctest.Wait()
		for _, symbol := range []int64{1, 2, 3} {
			if !f.last().subscribed[[3]int64{1, 7, symbol}] {
				t.Errorf("symbol %d is not subscribed to", symbol)
			}
		}
	})
}

// Accounts join and leave at once with all that else happens; the last word of each counts.
func TestAccountsComeAndGoWhileAllElseHappens(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			f := newFake(7, 8, 9)
			s := staged(t, f, func(s *stage) { s.Accounts = []int64{7} })
			defer s.close(t)
			mustReady(t, s)
			member := map[int64]bool{7: true}
			type quotesOf struct {
				*openapi.Stream[*message.SpotEvent]
				symbol int64
			}
			streams := map[int64][]quotesOf{}
			var mu sync.Mutex
			var doing sync.WaitGroup
			for range 30 {
				account := 7 + random.Int64N(3)
				switch random.IntN(8) {
				case 0, 1:
					member[account] = true
					doing.Go(func() { _ = s.Join(within(t, time.Minute), account) })
					synctest.Wait()
				case 2, 3:
					member[account] = false
					s.Leave(account)
				case 4:
					if !member[account] {
						break
					}
					symbol := 1 + random.Int64N(4)
					doing.Go(func() {
						quotes, err := s.Spots(within(t, time.Minute), account, []int64{symbol, 5})
						if err == nil {
							mu.Lock()
							streams[account] = append(streams[account], quotesOf{quotes, symbol})
							mu.Unlock()
						}
					})
				case 5:
					f.last().send("", &message.AccountDisconnectEvent{CtidTraderAccountID: account})
				case 6:
					f.last().nc.Close()
				case 7:
					token := fmt.Sprint("access-", random.Int64())
					f.setToken(token)
					s.setToken(token)
				}
				if random.IntN(3) == 0 {
					time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
				}
			}
			time.Sleep(10 * time.Minute)
			doing.Wait()
			synctest.Wait()
			last, subscribed := f.last(), maps.Clone(f.last().subscribed)
			for account, is := range member {
				if last.authorised[account] != is {
					t.Errorf("seed %d: account %d is authorised: %v, want %v", seed, account, last.authorised[account], is)
				}
			}
			for account, list := range streams {
				for _, one := range list {
					_, err := one.Next(within(t, time.Second))
					for _, symbol := range []int64{one.symbol, 5} {
						if has := subscribed[[3]int64{1, account, symbol}]; errors.Is(err, context.DeadlineExceeded) && !has {
							t.Errorf("seed %d: symbol %d of account %d is not subscribed to, member %v", seed, symbol, account, member[account])
						}
					}
					if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, openapi.ErrLeft) {
						t.Errorf("seed %d: %v", seed, err)
					}
					one.Close()
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			for key := range last.subscribed {
				t.Errorf("seed %d: %v is subscribed to still", seed, key)
			}
		})
	}
}
