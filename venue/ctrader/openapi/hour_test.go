package openapi_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	emulated "github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// hour_test.go lets a bad hour pass: something goes wrong every half a minute, in
// an order that a seed decides. With VENUEKEY_HEAVY=1 many of them.

func TestABadHour(t *testing.T) {
	seeds := 3
	if os.Getenv("VENUEKEY_HEAVY") != "" {
		seeds = 60
	}
	for seed := range uint64(seeds) {
		how := transports()[seed%3]
		t.Run(fmt.Sprintf("seed %d, %s", seed, how.name), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hour{rig: newRig(t, how, emulated.Knobs{Seed: seed, QuoteEvery: 4 * time.Second}), random: rand.New(rand.NewPCG(seed, 0)), orders: map[string]error{}}
				defer h.close()
				h.pass()
			})
		})
	}
}

// hour is what a caller saw of it.
type hour struct {
	*rig
	random *rand.Rand
	orders map[string]error // by their labels
	did    []string
	quotes *openapi.Stream[*message.SpotEvent]
	books  *openapi.Stream[*message.DepthEvent]
}

// hourSymbols are the symbols that are watched.
func hourSymbols() []int64 { return []int64{1, 2, 4} }

func (h *hour) pass() {
	h.watch()
	var errs [2]error
	h.quotes, errs[0] = h.Spots(h.t.Context(), demoAccount, hourSymbols())
	h.books, errs[1] = h.Depth(h.t.Context(), demoAccount, hourSymbols()[1:])
	if err := errors.Join(errs[:]...); err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	bought := make(chan struct{})
	go func() {
		defer close(bought)
		h.buy(ctx)
	}()
	for pausing(ctx, time.Second+h.between(time.Minute)) {
		h.trouble()
	}
	<-bought
	h.server.ClearFaults()
	h.server.Maintenance(time.Time{})
	h.isWell()
	h.ordersAreRight()
	time.Sleep(3 * time.Minute) // what was late has come, what hung was given up
	synctest.Wait()
	// The count is of the whole process, whose runtime has goroutines that come and
	// go; one left behind for each of the hour's connections would be dozens.
	if after := runtime.NumGoroutine(); after > before+4 {
		h.t.Errorf("%d goroutines before, %d after", before, after)
	}
	if n := h.server.Connections(); n != 1 {
		h.t.Errorf("%d connections", n)
	}
	if h.t.Failed() {
		for _, what := range h.did {
			h.t.Log(what)
		}
	}
}

func (h *hour) between(most time.Duration) time.Duration {
	return time.Duration(h.random.Int64N(int64(most)))
}

// buy places an order from time to time and accepts the answer.
func (h *hour) buy(ctx context.Context) {
	for i := 0; pausing(ctx, 30*time.Second); i++ {
		label := fmt.Sprint("order ", i)
		within, cancel := context.WithTimeout(context.Background(), time.Minute)
		_, h.orders[label] = h.NewOrder(within, purchase(label))
		cancel()
	}
}

// trouble is one thing that goes wrong.
func (h *hour) trouble() {
	what := "a fault"
	switch h.random.IntN(20) {
	case 0:
		what = "the line is cut"
		h.server.HangUp()
	case 1:
		keep := h.random.IntN(2) == 0
		what = fmt.Sprint("the app is disconnected, its connection is kept: ", keep)
		h.server.Tune(func(k *emulated.Knobs) { k.DisconnectKeepsOpen = keep })
		h.server.Disconnect("for a test")
	case 2:
		what = "the account is dropped"
		h.server.DropAccounts(demoAccount)
	case 3:
		what = "the token is called invalid"
		h.server.Invalidate(demoAccount)
	case 4, 5, 6:
		effect := emulated.RefreshEffect(h.random.IntN(3))
		what = fmt.Sprint("a renewal that ", effect)
		h.server.Tune(func(k *emulated.Knobs) { k.OnRefresh = effect })
		if err := h.renew(); err != nil {
			h.t.Error(err)
		}
		if h.random.IntN(2) == 0 {
			h.Rotated()
		}
	case 7:
		long := h.between(90 * time.Second)
		what = fmt.Sprint("maintenance for ", long)
		h.server.Maintenance(h.venue.Time().Now().Add(long))
		if h.random.IntN(2) == 0 {
			h.server.HangUp()
		}
	default:
		f := h.fault()
		what = fmt.Sprintf("%s on %v, %s", f.Kind, f.On, f.Code)
		h.server.Inject(f)
		if h.random.IntN(3) == 0 { // else it waits for an order or a reconnect
			h.server.HangUp()
		}
	}
	h.did = append(h.did, time.Now().Format(time.TimeOnly)+" "+what)
}

// fault is one from which a client must recover by itself.
func (h *hour) fault() emulated.Fault {
	codes := map[message.PayloadType][]string{
		message.TypeApplicationAuthReq:             {"CANT_ROUTE_REQUEST", "REQUEST_FREQUENCY_EXCEEDED", "UNKNOWN_ERROR"},
		message.TypeGetAccountListByAccessTokenReq: {"CH_SERVER_NOT_REACHABLE", "CH_CLIENT_NOT_AUTHENTICATED", "CH_ACCESS_TOKEN_INVALID"},
		message.TypeAccountAuthReq:                 {"CANT_ROUTE_REQUEST", "CH_ACCESS_TOKEN_INVALID", "REQUEST_FREQUENCY_EXCEEDED", "TIMEOUT_ERROR"},
		message.TypeSubscribeSpotsReq:              {"TIMEOUT_ERROR", "ACCOUNT_NOT_AUTHORIZED", "BLOCKED_PAYLOAD_TYPE", "CH_CLIENT_NOT_AUTHENTICATED"},
		message.TypeSubscribeDepthQuotesReq:        {"TIMEOUT_ERROR", "REQUEST_FREQUENCY_EXCEEDED", "UNKNOWN_ERROR"},
		message.TypeSubscribeLiveTrendbarReq:       {"CANT_ROUTE_REQUEST", "ACCOUNT_NOT_AUTHORIZED"},
		message.TypeNewOrderReq:                    {"MARKET_CLOSED", "NOT_ENOUGH_MONEY", "TIMEOUT_ERROR", "CANT_ROUTE_REQUEST", "ACCOUNT_NOT_AUTHORIZED", "REQUEST_FREQUENCY_EXCEEDED", "CH_ACCESS_TOKEN_INVALID", "UNKNOWN_ERROR"},
		message.TypeSpotEvent:                      nil,
		message.TypeDepthEvent:                     nil,
		message.TypeAccountDisconnectEvent:         nil,
		message.TypeAccountsTokenInvalidatedEvent:  nil,
		message.TypeExecutionEvent:                 nil,
	}
	on := []message.PayloadType{
		message.TypeNewOrderReq, message.TypeNewOrderReq, message.TypeNewOrderReq, message.TypeNewOrderReq,
		message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq, message.TypeAccountAuthReq,
		message.TypeSubscribeSpotsReq, message.TypeSubscribeDepthQuotesReq, message.TypeSubscribeLiveTrendbarReq,
		message.TypeSpotEvent, message.TypeDepthEvent, message.TypeExecutionEvent,
		message.TypeAccountDisconnectEvent, message.TypeAccountsTokenInvalidatedEvent,
	}
	kinds := emulated.FaultKinds()
	f := emulated.Fault{
		Kind: kinds[h.random.IntN(len(kinds))], On: on[h.random.IntN(len(on))],
		Bytes: h.random.IntN(40), Delay: h.between(time.Minute), Times: 1 + h.random.IntN(2),
	}
	words := codes[f.On]
	if f.Kind == emulated.Refuse && words == nil {
		f.Kind = emulated.Garbage // there is no saying no to an event
	}
	if f.Kind == emulated.Refuse {
		f.Code = words[h.random.IntN(len(words))]
	}
	return f
}

// isWell checks that everything recovers once nothing goes wrong any more.
func (h *hour) isWell() {
	h.t.Helper()
	h.flows()
	ctx := within(h.t, time.Minute)
	quotes, books := map[int64]bool{}, map[int64]bool{}
	newer(h.t, ctx, "quote", h.quotes)
	newer(h.t, ctx, "book", h.books)
	for len(quotes) < len(hourSymbols()) {
		e, err := h.quotes.Next(ctx)
		if err != nil {
			h.t.Errorf("quotes come of %v only: %v", quotes, err)
			break
		}
		quotes[e.SymbolID] = true
	}
	for len(books) < len(hourSymbols())-1 {
		e, err := h.books.Next(ctx)
		if err != nil {
			h.t.Errorf("books come of %v only: %v", books, err)
			break
		}
		books[int64(e.SymbolID)] = true
	}
}

// ordersAreRight compares the answers that a caller got with what was done.
func (h *hour) ordersAreRight() {
	placed := h.placed()
	said := map[string]int{}
	for label, err := range h.orders {
		n := placed[label]
		delete(placed, label)
		said[h.told(err)]++
		var known *openapi.Error
		switch {
		case n > 1:
			h.t.Errorf("%s was carried out %d times: %v", label, n, err)
		case err == nil && n != 1:
			h.t.Errorf("%s was reported and is not there", label)
		case err == nil:
		case !errors.As(err, &known):
			h.t.Errorf("%s: an error of another kind: %v", label, err)
		case n != 0 && (known.SafeToRetry() || known.Class == venuekey.ClassDeclined):
			h.t.Errorf("%s was carried out, and yet: %v", label, err)
		}
	}
	if len(placed) > 0 {
		h.t.Errorf("nobody ordered %v", placed)
	}
	if said[""] < 10 || len(h.orders) < 50 { // else it shows nothing
		h.t.Errorf("of %d orders: %v", len(h.orders), said)
	}
	h.t.Logf("%d troubles, %d connections, %d renewals; orders: %v", len(h.did), h.server.Log().Count(emulated.Connected), h.renewals, said)
}
