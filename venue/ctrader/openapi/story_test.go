package openapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	emulated "github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// story_test.go owns what becomes of a Client when the service, the line or
// the token do what they are known to do. The other side is the emulator, which
// was written independently of the client.

// The accounts of alice, as the emulator has them.
const demoAccount, liveAccount = 5001, 5002

// transport is how the two sides speak.
type transport struct {
	name            string
	webSocket, json bool
}

func transports() []transport {
	return []transport{{name: "protobuf"}, {"protobuf on WebSocket", true, false}, {"JSON on WebSocket", true, true}}
}

// rig is a Client, the emulated service, and a line between them that takes
// virtual time only.
type rig struct {
	*openapi.Client
	t        *testing.T
	server   *emulated.Server
	venue    *ctrader.Server
	wrap     func(*tls.Conn) net.Conn // of the server's side; nil for none
	renewals int

	renewing sync.Mutex
	mu       sync.Mutex
	pair     emulator.Pair
	secrets  []string
	log      bytes.Buffer
	said     []string // all errors and states there were

	spots *openapi.Stream[*message.SpotEvent]
	depth *openapi.Stream[*message.DepthEvent]
	bars  *openapi.Stream[*message.Trendbar]
	stop  context.CancelFunc
	ended chan error
}

// newRig is ready to run; tune and the fields may be changed before.
func newRig(t *testing.T, how transport, k emulated.Knobs) *rig {
	if k.QuoteEvery == 0 {
		k.QuoteEvery = time.Second
	}
	app := emulator.DefaultApp()
	r := &rig{t: t, ended: make(chan error, 1), venue: &ctrader.Server{
		Knobs: ctrader.Knobs{TokenPrefix: "hush-"},
		Apps:  []emulator.App{app, {ClientID: "other-client", ClientSecret: "other-secret"}},
	}}
	r.server = &emulated.Server{Venue: r.venue, Knobs: k, Deposits: map[int64]emulated.Deposit{
		demoAccount: {Currency: "USD", Balance: 10_000_000_00, Leverage: 100},
	}}
	r.secrets = []string{app.ClientSecret, "hush-"}
	r.issue(emulator.Grant{User: "alice", Client: app.ClientID, Scope: "trading"})
	r.Client = &openapi.Client{
		ClientID: app.ClientID, ClientSecret: venuekey.Secret(app.ClientSecret),
		Endpoint: openapi.Endpoint{Address: fakeHost, WebSocket: how.webSocket, JSON: how.json, TLS: &tls.Config{RootCAs: identity().roots}, Dial: r.dial},
		Token:    func(context.Context) (venuekey.Secret, error) { return r.access(), nil },
		Rejected: func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
			if access.Equal(r.access()) {
				if err := r.renew(); err != nil {
					return "", err
				}
			}
			return r.access(), nil
		},
		OnState: func(s openapi.State) { r.hear(s.Err, s.Accounts) },
	}
	r.Options.Log = slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return r
}

func (r *rig) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ours, theirs := pipe()
	secured := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{identity().server}})
	var side net.Conn = secured
	if r.wrap != nil {
		side = r.wrap(secured)
	}
	go r.server.ServeConn(side, r.Live, r.Endpoint.JSON)
	return ours, nil
}

func (r *rig) access() venuekey.Secret {
	r.mu.Lock()
	defer r.mu.Unlock()
	return venuekey.Secret(r.pair.Access)
}

// issue signs in anew.
func (r *rig) issue(g emulator.Grant) {
	pair := r.venue.Issue(g)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pair = pair
}

// renew does what a Keeper does. The venue acts on it before any program here can know the
// new token.
func (r *rig) renew() error {
	r.renewing.Lock()
	defer r.renewing.Unlock()
	r.mu.Lock()
	old := r.pair.Refresh
	r.mu.Unlock()
	pair, err := r.venue.Refresh(r.ClientID, old)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		return &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the grant is gone"}
	}
	r.pair, r.renewals = pair, r.renewals+1
	return nil
}

// hear keeps what was said, to search it for secrets.
func (r *rig) hear(about ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, what := range about {
		r.said = append(r.said, fmt.Sprintf("%v %+v %#v", what, what, what))
	}
}

func (r *rig) start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- r.Run(ctx) }()
}

// watch starts and subscribes to everything of one symbol.
func (r *rig) watch() {
	r.t.Helper()
	r.start()
	ctx := within(r.t, 10*time.Minute)
	var errs [3]error
	r.spots, errs[0] = r.Spots(ctx, demoAccount, []int64{1})
	r.depth, errs[1] = r.Depth(ctx, demoAccount, []int64{1})
	r.bars, errs[2] = r.Trendbars(ctx, demoAccount, 1, message.TrendbarPeriodM1)
	if err := errors.Join(errs[:]...); err != nil {
		r.t.Fatal(err)
	}
	r.flows()
}

// flows checks that the subscribed events arrive on the existing streams, and that the Client
// is ready.
func (r *rig) flows() {
	r.t.Helper()
	began := time.Now()
	ctx := within(r.t, 5*time.Minute)
	synctest.Wait()
	newer(r.t, ctx, "spot", r.spots)
	newer(r.t, ctx, "depth", r.depth)
	newer(r.t, ctx, "bar", r.bars)
	if err := r.Ready(ctx); err != nil {
		r.t.Errorf("not ready after %v: %v", time.Since(began), err)
	}
}

// newer checks that an event arrives after those that are waiting.
func newer[M any](t *testing.T, ctx context.Context, what string, s *openapi.Stream[M]) {
	t.Helper()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for {
		if _, err := s.Next(gone); err != nil {
			break
		}
	}
	if _, err := s.Next(ctx); err != nil {
		t.Errorf("no %s comes any more: %v", what, err)
	}
}

// close ends everything. Goroutines that stay would end the test in a panic.
func (r *rig) close() {
	r.t.Helper()
	if r.stop != nil {
		r.stop()
		err := <-r.ended
		r.hear(err)
		r.hear(r.State())
	}
	r.server.Close()
	synctest.Wait()
	for _, secret := range r.secrets {
		if strings.Contains(r.log.String(), secret) {
			r.t.Errorf("the log has a secret:\n%s", r.log.String())
		}
		for _, text := range r.said {
			if strings.Contains(text, secret) {
				r.t.Errorf("a secret was told: %s", text)
			}
		}
	}
	if r.t.Failed() {
		r.t.Log("\n" + r.log.String())
	}
}

// told is an outcome in brief: nothing for success, else class and code.
func (r *rig) told(err error) string {
	if err == nil {
		return ""
	}
	r.hear(err)
	var known *openapi.Error
	if !errors.As(err, &known) {
		return "another error: " + err.Error()
	}
	said := known.Class.String()
	if known.Kind != openapi.KindPlain {
		said = known.Kind.String()
	}
	return strings.TrimSpace(said + " " + known.Code)
}

func (r *rig) trader() string {
	_, err := r.Trader(within(r.t, 10*time.Minute), &message.TraderReq{CtidTraderAccountID: demoAccount})
	return r.told(err)
}

// purchase is an order with a label to recognise it by.
func purchase(label string) *message.NewOrderReq {
	return &message.NewOrderReq{
		CtidTraderAccountID: demoAccount, SymbolID: 1, OrderType: message.OrderTypeMarket,
		TradeSide: message.TradeSideBuy, Volume: 1000_00, Label: message.Some(label),
	}
}

func (r *rig) order(label string) string {
	_, err := r.NewOrder(within(r.t, 10*time.Minute), purchase(label))
	return r.told(err)
}

// placed is how often each order was carried out.
func (r *rig) placed() map[string]int {
	r.t.Helper()
	answer, err := r.Reconcile(within(r.t, 10*time.Minute), &message.ReconcileReq{CtidTraderAccountID: demoAccount})
	if err != nil {
		r.t.Fatal(err)
	}
	list := map[string]int{}
	for _, p := range answer.Position {
		list[p.TradeData.Label.Or("")]++
	}
	for _, o := range answer.Order {
		list[o.TradeData.Label.Or("")]++
	}
	return list
}

func (r *rig) want(what, got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// A request that only reads is repeated if that helps. An order is not, and the error says
// whether it was carried out only if that is known.
func TestFaultsThatHitARequest(t *testing.T) {
	const unknown = "unknown outcome"
	for _, how := range transports() {
		endless := "" // a length that is too long is noticed
		if how.webSocket {
			endless = unknown // where lengths are not seen, what comes is counted, and nothing does
		}
		for _, row := range []struct {
			name          string
			fault         emulated.Fault
			trader, order string
			placed        int
		}{
			{"close before", emulated.Fault{Kind: emulated.CloseBefore}, "", unknown, 0},
			{"close without a byte", emulated.Fault{Kind: emulated.CloseAt}, "", unknown, 1},
			{"close in the length", emulated.Fault{Kind: emulated.CloseAt, Bytes: 3}, "", unknown, 1},
			{"close in the message", emulated.Fault{Kind: emulated.CloseAt, Bytes: 20}, "", unknown, 1},
			{"drop", emulated.Fault{Kind: emulated.Drop}, unknown, unknown, 1},
			{"silence", emulated.Fault{Kind: emulated.Silence}, unknown, unknown, 1},
			{"half-close", emulated.Fault{Kind: emulated.HalfClose}, "", unknown, 1},
			{"twice", emulated.Fault{Kind: emulated.Twice}, "", "", 1},
			{"late", emulated.Fault{Kind: emulated.Late, Delay: 10 * time.Second}, "", "", 1},
			{"too late", emulated.Fault{Kind: emulated.Late, Delay: 45 * time.Second}, unknown, unknown, 1},
			{"swap", emulated.Fault{Kind: emulated.Swap}, "", "", 1},
			{"coalesce", emulated.Fault{Kind: emulated.Coalesce}, "", "", 1},
			{"one byte", emulated.Fault{Kind: emulated.OneByte}, "", "", 1},
			{"2 GB", emulated.Fault{Kind: emulated.Oversize}, endless, unknown, 1},
			{"garbage", emulated.Fault{Kind: emulated.Garbage}, "", unknown, 1},
		} {
			t.Run(how.name+"/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, how, emulated.Knobs{})
					defer r.close()
					r.watch()
					row.fault.On = message.TypeTraderReq
					r.server.Inject(row.fault)
					r.want("trader", r.trader(), row.trader)
					r.flows()
					row.fault.On = message.TypeNewOrderReq
					r.server.Inject(row.fault)
					r.want("order", r.order("one"), row.order)
					r.flows()
					if n := r.placed()["one"]; n != row.placed {
						t.Errorf("the order was carried out %d times, want %d", n, row.placed)
					}
				})
			})
		}
	}
}

// The error code decides what the Client does.
func TestWordsOfTheService(t *testing.T) {
	for _, row := range []struct {
		code, description string
		trader, order     string
		safe              bool // to send the order again
	}{
		{"MARKET_CLOSED", "", "declined MARKET_CLOSED", "declined MARKET_CLOSED", false},
		{"TRADING_BAD_VOLUME", "", "declined TRADING_BAD_VOLUME", "declined TRADING_BAD_VOLUME", false},
		{"INVALID_REQUEST", "Malformed message", "declined INVALID_REQUEST", "declined INVALID_REQUEST", false},
		{"CANT_ROUTE_REQUEST", "", "later CANT_ROUTE_REQUEST", "later CANT_ROUTE_REQUEST", true},
		{"TIMEOUT_ERROR", "", "later TIMEOUT_ERROR", "later TIMEOUT_ERROR", false},
		{"REQUEST_FREQUENCY_EXCEEDED", "", "", "too many requests REQUEST_FREQUENCY_EXCEEDED", true},
		{"BLOCKED_PAYLOAD_TYPE", "", "", "too many requests BLOCKED_PAYLOAD_TYPE", true},
		{"INVALID_REQUEST", "Trading account is not authorized", "", "account session lost INVALID_REQUEST", true},
		{"ACCOUNT_NOT_AUTHORIZED", "", "", "account session lost ACCOUNT_NOT_AUTHORIZED", true},
		{"CH_CLIENT_NOT_AUTHENTICATED", "", "", "application session lost CH_CLIENT_NOT_AUTHENTICATED", true},
		{"CH_ACCESS_TOKEN_INVALID", "", "", "token dead CH_ACCESS_TOKEN_INVALID", true},
		{"RET_ACCOUNT_DISABLED", "", "misconfigured RET_ACCOUNT_DISABLED", "misconfigured RET_ACCOUNT_DISABLED", false},
		{"UNKNOWN_ERROR", "", "unknown outcome UNKNOWN_ERROR", "unknown outcome UNKNOWN_ERROR", false},
		{"NEVER_HEARD_OF", "", "unknown outcome NEVER_HEARD_OF", "unknown outcome NEVER_HEARD_OF", false},
	} {
		for _, common := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %s, common %t", row.code, row.description, common), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, transport{}, emulated.Knobs{CommonErrors: common})
					defer r.close()
					r.watch()
					fault := emulated.Fault{Kind: emulated.Refuse, Code: row.code, Description: row.description}
					fault.On = message.TypeTraderReq
					r.server.Inject(fault)
					r.want("trader", r.trader(), row.trader)
					r.flows()
					fault.On = message.TypeNewOrderReq
					r.server.Inject(fault)
					_, err := r.NewOrder(within(t, time.Hour), purchase("one"))
					r.want("order", r.told(err), row.order)
					var known *openapi.Error
					if errors.As(err, &known) && known.SafeToRetry() != row.safe {
						t.Errorf("safe to retry: %t", known.SafeToRetry())
					}
					r.flows()
					if n := r.placed()["one"]; n != 0 {
						t.Errorf("a refused order was carried out %d times", n)
					}
				})
			})
		}
	}
}

// What goes wrong once while reconnecting only delays that.
func TestFaultsThatHitAReconnect(t *testing.T) {
	for _, kind := range emulated.FaultKinds() {
		for i, on := range []message.PayloadType{
			message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq, message.TypeAccountAuthReq,
			message.TypeSubscribeSpotsReq, message.TypeSubscribeDepthQuotesReq, message.TypeSubscribeLiveTrendbarReq,
			message.TypeSpotEvent,
		} {
			if kind == emulated.Refuse && on == message.TypeSpotEvent {
				continue // nobody asked for one
			}
			how := transports()[i%3]
			t.Run(fmt.Sprint(kind, " on ", on), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, how, emulated.Knobs{})
					defer r.close()
					r.watch()
					held := string(r.access()) // a service may repeat what it was given
					if on == message.TypeApplicationAuthReq {
						held = string(r.ClientSecret)
					}
					r.server.Inject(emulated.Fault{
						Kind: kind, On: on, Bytes: 5, Delay: 40 * time.Second,
						Code: "CANT_ROUTE_REQUEST", Description: "no route" + map[bool]string{true: " for " + held}[i < 3],
					})
					r.server.HangUp()
					r.flows()
					r.want("trader", r.trader(), "")
					if r.server.Log().Count(emulated.FaultInjected) != 1 {
						t.Error("the fault hit nothing")
					}
					if r.renewals != 0 {
						t.Error("a token was renewed for it")
					}
				})
			})
		}
	}
}

// What happens to sessions in the background: a request right afterwards is answered, and the
// streams continue, on the same connection if possible.
func TestHappenings(t *testing.T) {
	day := 24 * time.Hour
	rotate := func(r *rig) {
		if err := r.renew(); err != nil {
			r.t.Error(err)
		}
	}
	maintain := func(r *rig, d time.Duration) { r.server.Maintenance(r.venue.Time().Now().Add(d)) }
	for _, row := range []struct {
		name        string
		knobs       emulated.Knobs
		happens     func(*rig)
		trader      string
		connections int
		renewals    int
	}{
		{"nothing", emulated.Knobs{}, func(*rig) {}, "", 1, 0},
		{"the line is cut", emulated.Knobs{}, func(r *rig) { r.server.HangUp() }, "", 2, 0},
		{"the app is disconnected", emulated.Knobs{}, func(r *rig) { r.server.Disconnect("for a test") }, "", 2, 0},
		{"the app is disconnected, its connection is not", emulated.Knobs{DisconnectKeepsOpen: true}, func(r *rig) { r.server.Disconnect("") }, "", 2, 0},
		{"the account is disconnected", emulated.Knobs{}, func(r *rig) { r.server.DropAccounts(demoAccount) }, "", 1, 0},
		{"the account is disconnected and says so in a word", emulated.Knobs{NotAuthorizedTyped: true}, func(r *rig) { r.server.DropAccounts(demoAccount) }, "", 1, 0},
		{"the account is disconnected, nobody is told", emulated.Knobs{}, func(r *rig) {
			r.server.Inject(emulated.Fault{Kind: emulated.Drop, On: message.TypeAccountDisconnectEvent})
			r.server.DropAccounts(demoAccount)
		}, "", 1, 0},
		{"the token is called invalid and is not", emulated.Knobs{}, func(r *rig) { r.server.Invalidate(demoAccount) }, "", 1, 0},
		{"another connection takes the account", emulated.Knobs{OneSessionPerAccount: true}, another, "", 1, 0},
		{"maintenance", emulated.Knobs{}, func(r *rig) { maintain(r, 2*time.Minute) }, "later SERVER_IS_UNDER_MAINTENANCE", 1, 0},
		{"maintenance that says no route", emulated.Knobs{MaintenanceCode: "CANT_ROUTE_REQUEST"}, func(r *rig) { maintain(r, 2*time.Minute) }, "later CANT_ROUTE_REQUEST", 1, 0},
		{"maintenance with a restart", emulated.Knobs{}, func(r *rig) { maintain(r, 2*time.Minute); r.server.HangUp() }, "", 3, 0},
		{"maintenance with a restart, in the other unit", emulated.Knobs{MaintenanceOtherUnit: true}, func(r *rig) { maintain(r, 2*time.Minute); r.server.HangUp() }, "", 3, 0},
		{"maintenance with a restart, as a common error", emulated.Knobs{CommonErrors: true}, func(r *rig) { maintain(r, 2*time.Minute); r.server.HangUp() }, "", 3, 0},
		{"maintenance that loses the account", emulated.Knobs{}, func(r *rig) {
			maintain(r, 2*time.Minute)
			r.server.DropAccounts(demoAccount)
			synctest.Wait() // else the request is there first
		}, "", 1, 0},
		{"maintenance at a service that is a day behind", emulated.Knobs{}, func(r *rig) {
			r.venue.Time().Advance(-day)
			maintain(r, 2*time.Minute)
			r.server.HangUp()
		}, "", 0, 0},
		{"a service that is a day behind", emulated.Knobs{}, func(r *rig) { r.venue.Time().Advance(-day); r.server.HangUp() }, "", 2, 0},
		{"a service that is a day ahead", emulated.Knobs{}, func(r *rig) { r.venue.Time().Advance(day); r.server.HangUp() }, "", 2, 0},
		{"a renewal that invalidates", emulated.Knobs{OnRefresh: emulated.RefreshInvalidates}, rotate, "", 1, 1},
		{"a renewal that disconnects", emulated.Knobs{OnRefresh: emulated.RefreshDisconnects}, rotate, "", 1, 1},
		{"a renewal without a word", emulated.Knobs{OnRefresh: emulated.RefreshSilent}, rotate, "", 1, 1},
		{"a renewal while the line is cut", emulated.Knobs{}, func(r *rig) { r.server.HangUp(); rotate(r) }, "", 2, 1},
		{"a renewal by somebody who says so", emulated.Knobs{}, func(r *rig) { rotate(r); r.Rotated() }, "", 1, 1},
		{"renewals in a row", emulated.Knobs{}, func(r *rig) {
			for range 5 {
				rotate(r)
				time.Sleep(70 * time.Millisecond)
			}
		}, "", 1, 5},
		{"the token expires", emulated.Knobs{EnforceExpiry: true}, func(r *rig) { r.venue.Time().Advance(31 * day) }, "", 1, 1},
		{"the token expires while the line is cut", emulated.Knobs{}, func(r *rig) { r.venue.Time().Advance(31 * day); r.server.HangUp() }, "", 2, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, transport{}, row.knobs)
				defer r.close()
				r.watch()
				row.happens(r)
				r.want("trader", r.trader(), row.trader)
				r.flows()
				r.want("trader", strings.TrimPrefix(r.trader(), row.trader), "") // maintenance may go on
				time.Sleep(2 * time.Minute)
				r.flows()
				r.want("trader after it", r.trader(), "")
				if n := r.server.Log().Count(emulated.Connected); row.connections != 0 && n != row.connections+r.others() {
					t.Errorf("%d connections, want %d", n, row.connections)
				}
				if r.renewals != row.renewals {
					t.Errorf("%d renewals, want %d", r.renewals, row.renewals)
				}
			})
		})
	}
}

// another is a connection of another program that takes the account over and ends.
func another(r *rig) {
	conn, err := openapi.Dial(r.t.Context(), r.Endpoint, openapi.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	_, err = conn.ApplicationAuth(r.t.Context(), &message.ApplicationAuthReq{ClientID: r.ClientID, ClientSecret: r.ClientSecret})
	if err == nil {
		_, err = conn.AccountAuth(r.t.Context(), &message.AccountAuthReq{CtidTraderAccountID: demoAccount, AccessToken: r.access()})
	}
	if err != nil {
		r.t.Error(err)
	}
}

// others is how many connections were not the Client's.
func (r *rig) others() int {
	if r.server.Current().OneSessionPerAccount {
		return 1
	}
	return 0
}

// choking is a connection that, on demand, sends half of a message and nothing more.
type choking struct {
	*tls.Conn
	orders *atomic.Bool
	choked atomic.Bool
}

func (c *choking) Write(b []byte) (int, error) {
	if c.orders.CompareAndSwap(true, false) {
		c.choked.Store(true)
		_, err := c.Conn.Write(b[:len(b)/2])
		return len(b), err
	}
	if c.choked.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func TestHalfAMessageAndThenSilence(t *testing.T) {
	for _, how := range transports() {
		t.Run(how.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, how, emulated.Knobs{})
				defer r.close()
				var orders atomic.Bool
				r.wrap = func(c *tls.Conn) net.Conn { return &choking{Conn: c, orders: &orders} }
				r.watch()
				orders.Store(true)
				r.want("order", r.order("one"), "unknown outcome")
				r.flows()
				if n := r.placed()["one"]; n != 1 || r.server.Log().Count(emulated.AppAuthorized) != 2 {
					t.Errorf("the order was carried out %d times", n)
				}
			})
		})
	}
}

// What no retry can fix: the Client reports it, and either ends or waits until a person has
// fixed it.
func TestWhatAPersonHasToMend(t *testing.T) {
	var mended atomic.Bool
	till := func(broken, whole func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			if mended.Load() {
				return whole(ctx, network, address)
			}
			return broken(ctx, network, address)
		}
	}
	for _, row := range []struct {
		name  string
		edit  func(*rig)
		says  string
		words string // in the text of the error
		mend  func(*rig)
		ends  bool
	}{
		{"a wrong secret of the app", func(r *rig) {
			r.ClientSecret = "hush-wrong"
		}, "misconfigured CH_CLIENT_AUTH_FAILURE", "check the client ID and secret", nil, true},
		{"an app that there is not", func(r *rig) { r.ClientID = "nobody" }, "misconfigured CH_CLIENT_AUTH_FAILURE", "check the client ID", nil, true},
		{"an account that there is not", func(r *rig) { r.Accounts = []int64{3100001} }, "misconfigured CH_CTID_TRADER_ACCOUNT_NOT_FOUND", "not the login number", nil, true},
		{"the account of another", func(r *rig) { r.Accounts = []int64{5003} }, "misconfigured CH_CTID_TRADER_ACCOUNT_NOT_FOUND", "", nil, true},
		{"an account of the other host", func(r *rig) { r.Accounts = []int64{liveAccount} }, "later CANT_ROUTE_REQUEST", "live accounts are at", nil, false},
		{"no account of this host", func(r *rig) {
			r.Live = true
			r.issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading", Accounts: []int64{demoAccount}})
		}, "misconfigured", "no live account", nil, true},
		{"a sign-in that was taken back", func(r *rig) { r.venue.RevokeUser("alice") }, "refused", "the grant is gone", nil, true},
		{"a token of another app", func(r *rig) {
			r.Rejected = nil
			r.issue(emulator.Grant{User: "alice", Client: "other-client", Scope: "trading"})
		}, "token dead CH_ACCESS_TOKEN_INVALID", "sign in again", func(r *rig) {
			r.issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading"})
		}, false},
		{"no token at all", func(r *rig) {
			token := r.Token
			r.Token = func(ctx context.Context) (venuekey.Secret, error) {
				if !mended.Load() {
					return "", errors.New("the vault is closed")
				}
				return token(ctx)
			}
		}, "later", "the vault is closed", func(*rig) {}, false},
		{"an authority that nobody knows", func(r *rig) { r.Endpoint.TLS.RootCAs = x509.NewCertPool() }, "not sent", "does not verify", nil, false},
		{"another host's certificate", func(r *rig) { r.Endpoint.Address = "live.ctraderapi.com" }, "not sent", "does not verify", nil, false},
		{"a clock that is a day behind the certificate", func(r *rig) {
			r.Endpoint.TLS.Time = func() time.Time {
				if mended.Load() {
					return time.Now()
				}
				return time.Date(1989, 12, 31, 0, 0, 0, 0, time.UTC) // the fake's begins with 1990
			}
		}, "not sent", "does not verify", func(*rig) {}, false},
		{"a server without TLS", func(r *rig) { r.Endpoint.Dial = till(talkative, r.dial) }, "not sent", "does not speak TLS", func(*rig) {}, false},
		{"a server without a word", func(r *rig) { r.Endpoint.Dial = till(silent, r.dial) }, "not sent", "deadline", func(*rig) {}, false},
		{"no way there", func(r *rig) { r.Endpoint.Dial = till(noRoute, r.dial) }, "not sent", "no route to host", func(*rig) {}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			mended.Store(false)
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, transport{}, emulated.Knobs{})
				defer r.close()
				r.secrets = append(r.secrets, string(r.ClientSecret))
				row.edit(r)
				r.start()
				err := r.Ready(within(t, 2*time.Minute))
				r.want("a wait", r.told(err), "not sent")
				synctest.Wait()
				state := r.State()
				r.want("state", r.told(state.Err), row.says)
				if err == nil || !strings.Contains(err.Error(), row.words) || !strings.Contains(state.Err.Error(), row.words) {
					t.Errorf("got %v and %v, want %q in both", err, state.Err, row.words)
				}
				if (state.Phase == openapi.PhaseIdle) != row.ends {
					t.Errorf("the phase is %v", state.Phase)
				}
				if row.mend != nil {
					mended.Store(true)
					row.mend(r)
					if err := r.Ready(within(t, 2*time.Minute)); err != nil {
						t.Error(err)
					}
					r.want("trader", r.trader(), "")
				}
			})
		})
	}
}

func noRoute(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}
}

// An account that is refused does not keep the others from being used.
func TestOneAccountOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, transport{}, emulated.Knobs{})
		defer r.close()
		r.Accounts = []int64{demoAccount, liveAccount}
		r.start()
		r.want("trader", r.trader(), "")
		r.want("order", r.order("one"), "")
		ctx := within(t, time.Minute)
		_, err := r.Trader(ctx, &message.TraderReq{CtidTraderAccountID: liveAccount})
		r.want("trader of the other", r.told(err), "not sent")
	})
}

// What is refused to the caller leaves everything else as it was.
func TestRequestsThatAreMistakes(t *testing.T) {
	for _, row := range []struct {
		name  string
		scope string
		ask   func(*rig) error
		says  string
	}{
		{"an order with a token that may look only", "accounts", func(r *rig) error {
			_, err := r.NewOrder(r.t.Context(), purchase("one"))
			return err
		}, "declined TRADING_NOT_ALLOWED"},
		{"quotes of a symbol that there is not", "trading", func(r *rig) error {
			_, err := r.Spots(r.t.Context(), demoAccount, []int64{1, 999})
			return err
		}, "declined SYMBOL_NOT_FOUND"},
		{"an order for it", "trading", func(r *rig) error {
			order := purchase("one")
			order.SymbolID = 999
			_, err := r.NewOrder(r.t.Context(), order)
			return err
		}, "declined SYMBOL_NOT_FOUND"},
		{"an order for half of the least", "trading", func(r *rig) error {
			order := purchase("one")
			order.Volume /= 2
			_, err := r.NewOrder(r.t.Context(), order)
			return err
		}, "declined TRADING_BAD_VOLUME"},
		{"the trader of an account of the other host", "trading", func(r *rig) error {
			_, err := r.Trader(r.t.Context(), &message.TraderReq{CtidTraderAccountID: liveAccount})
			return err
		}, "account session lost INVALID_REQUEST"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, transport{}, emulated.Knobs{})
				defer r.close()
				r.issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: row.scope})
				r.watch()
				r.want(row.name, r.told(row.ask(r)), row.says)
				r.flows()
				if n := r.placed()["one"]; n != 0 {
					t.Error("the order was carried out")
				}
				if n := r.server.Log().Count(emulated.Connected); n != 1 {
					t.Errorf("%d connections", n)
				}
			})
		})
	}
}
