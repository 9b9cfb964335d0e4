package openapi_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// conn_test.go owns the stories of one connection.

func dialed(t *testing.T, f *fake, o openapi.Options) *openapi.Conn {
	t.Helper()
	c, err := openapi.Dial(t.Context(), f.endpoint(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func authorised(t *testing.T, f *fake, o openapi.Options, accounts ...int64) *openapi.Conn {
	t.Helper()
	c := dialed(t, f, o)
	if _, err := c.ApplicationAuth(t.Context(), &message.ApplicationAuthReq{ClientID: "id", ClientSecret: fakeSecret}); err != nil {
		t.Fatal(err)
	}
	for _, id := range accounts {
		if _, err := c.AccountAuth(t.Context(), &message.AccountAuthReq{CtidTraderAccountID: id, AccessToken: "access-1"}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestARequestAndItsAnswer(t *testing.T) {
	for _, json := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.json = json
			c := authorised(t, f, openapi.Options{}, 7)
			defer c.Close()
			answer, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7})
			if err != nil || answer.Trader.Balance != 42 {
				t.Fatal(answer, err)
			}
			generic, err := c.Do(t.Context(), &message.VersionReq{})
			if err != nil || generic.(*message.VersionRes).Version != "99" {
				t.Fatal(generic, err)
			}
		})
	}
}

func TestTheReasonOfTheEndIsTheServicesWord(t *testing.T) {
	for name, story := range map[string]struct {
		says  func(*peer)
		code  string
		text  string
		class venuekey.Class
		kind  openapi.Kind
	}{
		"an error and then the end": {func(s *peer) {
			s.refuse("", "SERVER_IS_UNDER_MAINTENANCE", "back soon")
			s.nc.Close()
		}, "SERVER_IS_UNDER_MAINTENANCE", "back soon", venuekey.ClassLater, openapi.KindPlain},
		"disconnected by an administrator": {func(s *peer) {
			s.send("", &message.ClientDisconnectEvent{Reason: message.Some("The application access was blocked by cTrader Administrator")})
		}, "", "blocked by cTrader Administrator", venuekey.ClassLater, openapi.KindAppLost},
		"the end": {func(s *peer) { s.nc.Close() }, "", "the server closed the connection", venuekey.ClassLater, openapi.KindPlain},
		"half a frame and the end": {func(s *peer) {
			s.raw([]byte{0, 0, 0, 9, 8})
			s.nc.Close()
		}, "", "inside a frame", venuekey.ClassLater, openapi.KindPlain},
		"half a frame and silence": {func(s *peer) {
			s.f.hook = func(*peer, message.Envelope, message.Message) bool { return true }
			s.raw([]byte{0, 0, 0, 9, 8})
		}, "", "nothing received for 47.5s, not even after a probe", venuekey.ClassLater, openapi.KindPlain},
		"two gigabytes": {func(s *peer) { s.raw([]byte{0x7f, 0xff, 0xff, 0xff}) }, "", "2147483647 bytes is longer", venuekey.ClassLater, openapi.KindPlain},
		"no envelope":   {func(s *peer) { s.raw([]byte{0, 0, 0, 1, 0xff}) }, "", "is not an envelope", venuekey.ClassLater, openapi.KindPlain},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				c := authorised(t, f, openapi.Options{})
				story.says(f.last())
				<-c.Done()
				var got *openapi.Error
				if !errors.As(c.Err(), &got) || got.Code != story.code || got.Class != story.class || got.Kind != story.kind || !strings.Contains(got.Error(), story.text) {
					t.Errorf("%v, class %v, kind %v", got, got.Class, got.Kind)
				}
				_, err := c.Version(t.Context(), &message.VersionReq{})
				if venuekey.ClassOf(err) != venuekey.ClassNotSent || !err.(*openapi.Error).SafeToRetry() {
					t.Error(err)
				}
				f.last().nc.Close()
			})
		})
	}
}

func TestAWrongSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := dialed(t, f, openapi.Options{})
		_, err := c.ApplicationAuth(t.Context(), &message.ApplicationAuthReq{ClientID: "id", ClientSecret: "wrong"})
		if venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(err.Error(), "clientId or clientSecret is incorrect") {
			t.Error(err)
		}
		<-c.Done()
		if !strings.Contains(c.Err().Error(), "CH_CLIENT_AUTH_FAILURE") {
			t.Error(c.Err())
		}
	})
}

func TestServersThatAreNone(t *testing.T) {
	t.Run("speaks no TLS", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.plain = true
			f.hook = nil
			e := f.endpoint()
			e.Dial = talkative
			_, err := openapi.Dial(t.Context(), e, openapi.Options{})
			if err == nil || !strings.Contains(err.Error(), "does not speak TLS") || venuekey.ClassOf(err) != venuekey.ClassNotSent {
				t.Error(err)
			}
		})
	})
	t.Run("is another", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			e := f.endpoint()
			e.Address = "live.ctraderapi.com"
			_, err := openapi.Dial(t.Context(), e, openapi.Options{})
			if err == nil || !strings.Contains(err.Error(), "certificate does not verify") {
				t.Error(err)
			}
			e = f.endpoint()
			e.TLS = nil
			if _, err = openapi.Dial(t.Context(), e, openapi.Options{}); err == nil || !strings.Contains(err.Error(), "certificate does not verify") {
				t.Error(err)
			}
		})
	})
	t.Run("says nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := newFake().endpoint()
			e.Dial = silent
			began := time.Now()
			_, err := openapi.Dial(t.Context(), e, openapi.Options{})
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 30*time.Second {
				t.Error(err, time.Since(began))
			}
		})
	})
}

func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		for range 9 { // the service's own, so that it is not silent
			time.Sleep(10 * time.Second)
			f.last().send("", &message.HeartbeatEvent{})
		}
		times := f.times(message.TypeHeartbeatEvent)
		if len(times) < 9 {
			t.Fatal(len(times))
		}
		for i := 1; i < len(times); i++ {
			if gap := times[i].Sub(times[i-1]); gap > 10*time.Second || gap < 8*time.Second {
				t.Error(gap)
			}
		}
		if c.Err() != nil {
			t.Error(c.Err())
		}
		c.Close()
	})
}

func TestARequestIsAsGoodAsAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		for range 10 {
			time.Sleep(8 * time.Second)
			if _, err := c.Version(t.Context(), &message.VersionReq{}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(f.times(message.TypeHeartbeatEvent)); n != 0 {
			t.Error(n)
		}
		c.Close()
	})
}

func TestHeartbeatsGoOnWhileAConsumerBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		s := openapi.Events[message.SpotEvent](c, openapi.Buffer{Size: 2, Block: true})
		for i := range 5 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: int64(i)})
		}
		time.Sleep(5 * time.Minute)
		if n := len(f.times(message.TypeHeartbeatEvent)); n < 30 {
			t.Error(n, "heartbeats")
		}
		if c.Err() != nil {
			t.Error("a slow consumer of ours counts as silence of theirs:", c.Err())
		}
		for i := range 5 {
			if m, err := s.Next(t.Context()); err != nil || m.SymbolID != int64(i) {
				t.Error(m, err)
			}
		}
		if s.Dropped() != 0 {
			t.Error(s.Dropped())
		}
		c.Close()
	})
}

func TestAConsumerThatBlocksDoesNotOutliveTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		s := openapi.Events[message.SpotEvent](c, openapi.Buffer{Size: 1, Block: true})
		for range 3 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
		}
		synctest.Wait()
		c.Close()
		synctest.Wait()
		if _, err := s.Next(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := s.Next(t.Context()); !errors.Is(err, openapi.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestTheOldestAreDroppedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		defer c.Close()
		s := openapi.Events[message.SpotEvent](c, openapi.Buffer{Size: 3})
		for i := range 10 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: int64(i)})
		}
		synctest.Wait()
		if s.Dropped() != 7 {
			t.Error(s.Dropped())
		}
		for i := 7; i < 10; i++ {
			if m, err := s.Next(t.Context()); err != nil || m.SymbolID != int64(i) {
				t.Error(m, err)
			}
		}
		s.Close()
		if _, err := s.Next(t.Context()); !errors.Is(err, openapi.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestFiftyASecondAndFive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type != message.TypeGetTrendbarsReq {
				return false
			}
			s.send(e.ID, &message.GetTrendbarsRes{Period: message.TrendbarPeriodM1})
			return true
		}
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		done := make(chan error, 300)
		for range 199 {
			go func() { _, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); done <- err }()
		}
		for range 21 {
			go func() {
				_, err := c.GetTrendbars(t.Context(), &message.GetTrendbarsReq{CtidTraderAccountID: 7, Period: message.TrendbarPeriodM1})
				done <- err
			}()
		}
		for range 220 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		busiest(t, f.times(message.TypeTraderReq), 50)
		busiest(t, f.times(message.TypeGetTrendbarsReq), 5)
	})
}

func busiest(t *testing.T, times []time.Time, limit int) {
	t.Helper()
	for i := range times {
		if i >= limit && times[i].Sub(times[i-limit]) < time.Second {
			t.Fatalf("%d within %v", limit+1, times[i].Sub(times[i-limit]))
		}
	}
	if spent := times[len(times)-1].Sub(times[0]); spent > time.Duration(len(times)/limit+1)*time.Second {
		t.Errorf("%d took %v", len(times), spent)
	}
}

func TestWaitingForATurnObeysTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{Requests: 1})
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.NewOrder(ctx, &message.NewOrderReq{CtidTraderAccountID: 7, OrderType: message.OrderTypeMarket, TradeSide: message.TradeSideBuy})
		var got *openapi.Error
		if !errors.As(err, &got) || got.Class != venuekey.ClassNotSent || !got.SafeToRetry() || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestTooManyRequestsAreRepeatedIfThatIsSafe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		refusals := 3
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type != message.TypeTraderReq && e.Type != message.TypeNewOrderReq || refusals == 0 {
				return false
			}
			refusals--
			s.send(e.ID, &message.ErrorRes{ErrorCode: "BLOCKED_PAYLOAD_TYPE", RetryAfter: message.Some(uint64(3))})
			return true
		}
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		began := time.Now()
		if _, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); err != nil || time.Since(began) != 10*time.Second {
			t.Error(err, time.Since(began)) // 3, 3 and 4: the larger of theirs and ours
		}
		refusals = 1
		_, err := c.NewOrder(t.Context(), order)
		var got *openapi.Error
		if !errors.As(err, &got) || got.Class != venuekey.ClassLater || got.Kind != openapi.KindTooMany || got.RetryAfter != 3*time.Second || !got.SafeToRetry() || f.count(message.TypeNewOrderReq) != 1 {
			t.Error(err)
		}
		refusals = 100
		if _, err := c.Trader(within(t, 2*time.Second), &message.TraderReq{CtidTraderAccountID: 7}); !errors.As(err, &got) || got.Kind != openapi.KindTooMany {
			t.Error(err)
		}
	})
}

var order = &message.NewOrderReq{CtidTraderAccountID: 7, SymbolID: 1, OrderType: message.OrderTypeMarket, TradeSide: message.TradeSideBuy, Volume: 100}

func TestAnswersOutOfOrderLateAndTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		var held []message.Envelope
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeTraderReq {
				held = append(held, e)
			}
			return e.Type == message.TypeTraderReq
		}
		c := authorised(t, f, openapi.Options{}, 1, 2, 3)
		defer c.Close()
		ask := func(ctx context.Context, id int64) chan *message.TraderRes {
			got := make(chan *message.TraderRes, 1)
			go func() {
				answer, _ := c.Trader(ctx, &message.TraderReq{CtidTraderAccountID: id})
				got <- answer
			}()
			synctest.Wait()
			return got
		}
		a, b := ask(t.Context(), 1), ask(t.Context(), 2)
		abandoned := ask(within(t, time.Second), 3)
		s := f.last()
		for i := 1; i >= 0; i-- {
			s.usual(held[i], f.decode(held[i]))
			s.usual(held[i], f.decode(held[i])) // twice
		}
		if one, two := <-a, <-b; one.CtidTraderAccountID != 1 || two.CtidTraderAccountID != 2 {
			t.Error(one, two)
		}
		if <-abandoned != nil {
			t.Error("there was an answer")
		}
		s.usual(held[2], f.decode(held[2])) // late
		if _, err := c.Version(t.Context(), &message.VersionReq{}); err != nil {
			t.Error(err)
		}
	})
}

func TestTheTypeDecidesWhatAnAnswerIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		var answer message.Message
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeTraderReq {
				s.send(e.ID, answer)
			}
			return e.Type == message.TypeTraderReq
		}
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		for _, answer = range []message.Message{
			&message.ErrorRes{ErrorCode: "SYMBOL_NOT_FOUND", CtidTraderAccountID: message.Some(int64(7))},
			&message.CommonErrorRes{ErrorCode: "ENTITY_NOT_FOUND"},
		} {
			if _, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); venuekey.ClassOf(err) != venuekey.ClassDeclined {
				t.Error(err)
			}
		}
		answer = &message.VersionRes{Version: "1"}
		_, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7})
		if venuekey.ClassOf(err) != venuekey.ClassUnknown || !strings.Contains(err.Error(), "answer is ProtoOAVersionRes, not ProtoOATraderRes") {
			t.Error(err)
		}
	})
}

func TestOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		var answer message.Message
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type != message.TypeNewOrderReq || answer == nil {
				return false
			}
			s.send(e.ID, answer)
			return true
		}
		c := authorised(t, f, openapi.Options{}, 7)
		all := openapi.Events[message.ExecutionEvent](c)
		accepted, err := c.NewOrder(t.Context(), order)
		if err != nil || accepted.ExecutionType != message.ExecutionTypeOrderAccepted {
			t.Error(accepted, err)
		}
		if m, err := all.Next(t.Context()); err != nil || m.ExecutionType != message.ExecutionTypeOrderAccepted {
			t.Error("who watches orders did not see it:", m, err)
		}
		for _, answer = range []message.Message{
			&message.OrderErrorEvent{CtidTraderAccountID: 7, ErrorCode: "NOT_ENOUGH_MONEY", Description: message.Some("need more")},
			&message.ErrorRes{ErrorCode: "NOT_ENOUGH_MONEY", Description: message.Some("need more")},
			&message.ExecutionEvent{CtidTraderAccountID: 7, ExecutionType: message.ExecutionTypeOrderRejected, ErrorCode: message.Some("NOT_ENOUGH_MONEY")},
		} {
			_, err := c.NewOrder(t.Context(), order)
			var got *openapi.Error
			if !errors.As(err, &got) || got.Code != "NOT_ENOUGH_MONEY" || got.Class != venuekey.ClassDeclined || got.Account != 7 || got.SafeToRetry() {
				t.Error(err)
			}
		}
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			s.nc.Close()
			return true
		}
		_, err = c.NewOrder(t.Context(), order)
		var got *openapi.Error
		if !errors.As(err, &got) || got.Class != venuekey.ClassUnknown || got.SafeToRetry() {
			t.Error(err)
		}
	})
}

func TestAPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.mute = true
		c := dialed(t, f, openapi.Options{Requests: 1e6, Silence: time.Hour})
		big := &message.SubscribeSpotsReq{CtidTraderAccountID: 7, SymbolID: make([]int64, 1<<20)}
		go func() {
			for range 3 {
				_, _ = c.SubscribeSpots(t.Context(), big)
			}
		}()
		<-c.Done()
		if !strings.Contains(c.Err().Error(), "could not be written within 30s") {
			t.Error(c.Err())
		}
		f.open.Wait()
	})
}
