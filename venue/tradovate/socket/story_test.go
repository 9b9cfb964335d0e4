package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// story_test.go owns the tables: every fault, and what must be alive afterwards. The other
// side is the emulator, which was written independently of the client.

// alive is a program with everything that has to stay so, on the host of users and on that
// of market data.
type alive struct {
	*program
	events              *socket.Stream[socket.Event]
	quotes, depth, bars *socket.Stream[json.RawMessage]
	orders              int
}

// lives is a program that is ready and hears of everything.
func lives(s *stage, host string) *alive {
	s.t.Helper()
	a := &alive{program: newProgram(s, host)}
	a.events = a.Events(socket.Buffer{}, socket.EventProps)
	a.run()
	if host == socket.MarketDataHost {
		var errs [3]error
		a.quotes, errs[0] = a.Raw(s.t.Context(), socket.FeedQuotes, 3001)
		a.depth, errs[1] = a.Raw(s.t.Context(), socket.FeedDepth, 3002)
		a.bars, errs[2] = a.RawChart(s.t.Context(), 3001, socket.Chart{Description: map[string]any{"underlyingType": "MinuteBar"}, TimeRange: map[string]any{"asMuchAsElements": 5}})
		if err := errors.Join(errs[:]...); err != nil {
			s.t.Fatal(err)
		}
	}
	a.flows()
	return a
}

// flows checks that the program is ready or will be soon, that its requests are answered,
// and that events come on the streams that it has.
func (a *alive) flows() {
	a.s.t.Helper()
	a.ready()
	if a.quotes == nil {
		a.orders++
		if _, err := a.Do(a.s.t.Context(), order); err != nil {
			a.s.t.Error("order:", err)
		}
		if err := newer(a.s.t, a.events); err != nil {
			a.s.t.Error("no event comes any more:", err)
		}
		return
	}
	for name, stream := range map[string]*socket.Stream[json.RawMessage]{"quote": a.quotes, "depth": a.depth, "bar": a.bars} {
		drop(stream)
		if err := newer(a.s.t, stream); err != nil {
			a.s.t.Errorf("no %s comes any more: %v", name, err)
		}
	}
}

// drop reads what waits.
func drop[M any](s *socket.Stream[M]) {
	for waiting := true; waiting; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
		_, err := s.Next(ctx)
		waiting = err == nil
		cancel()
	}
}

func newer[M any](t *testing.T, s *socket.Stream[M]) error {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	_, err := s.Next(ctx)
	return err
}

// told is an outcome in brief: nothing for success.
func told(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	e := known(t, err)
	if e.Kind != socket.KindPlain {
		return e.Kind.String()
	}
	return e.Class.String()
}

// A request that only reads is repeated if that helps. An order is not.
func TestFaultsThatHitARequest(t *testing.T) {
	const unknown = "unknown outcome"
	rows := map[tradovate.SocketFaultKind]struct {
		read, order string
		placed      int
	}{
		tradovate.FaultSocketCutBefore: {"", unknown, 0},
		tradovate.FaultSocketRefuse:    {"later", "later", 0},
		tradovate.FaultSocketPenalty:   {"", "time penalty", 0},
		tradovate.FaultSocketCutAfter:  {"", unknown, 1},
		tradovate.FaultSocketDrop:      {unknown, unknown, 1},
		tradovate.FaultSocketMute:      {"", unknown, 1},
		tradovate.FaultSocketStall:     {"", unknown, 1},
		tradovate.FaultSocketTwice:     {"", "", 1},
		tradovate.FaultSocketLate:      {"", "", 1},
		tradovate.FaultSocketHalf:      {"", unknown, 1},
		tradovate.FaultSocketGarbage:   {"", unknown, 1},
		tradovate.FaultSocketHuge:      {"", unknown, 1},
		tradovate.FaultSocketStranger:  {"", "", 1},
	}
	for _, kind := range tradovate.SocketFaultKinds() {
		row, listed := rows[kind]
		if !listed {
			t.Errorf("%s is in no row", kind)
		}
		t.Run(string(kind), func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				a := lives(s, socket.DemoHost)
				defer a.quit()
				fault := tradovate.SocketFault{Kind: kind, On: find.Endpoint, Delay: 10 * time.Second, Status: 503}
				s.InjectSocket(fault)
				if _, err := a.Do(t.Context(), find); told(t, err) != row.read {
					t.Errorf("read: %v, want %q", err, row.read)
				}
				a.flows()
				fault.On = order.Endpoint
				s.InjectSocket(fault)
				_, err := a.Do(t.Context(), order)
				if told(t, err) != row.order {
					t.Errorf("order: %v, want %q", err, row.order)
				}
				if err != nil && row.placed == 1 && (known(t, err).SafeToRetry() || !known(t, err).MayBeDone()) {
					t.Errorf("an order that stands would be sent again: %v", err)
				}
				if n := s.Log().Count(tradovate.OrderPlaced) - a.orders; n != row.placed {
					t.Errorf("the order was carried out %d times, want %d", n, row.placed)
				}
				if kind == tradovate.FaultSocketPenalty { // what the program does, since it may look at the price first
					wait := known(t, err)
					time.Sleep(wait.RetryAfter)
					body := maps.Clone(order.Body.(map[string]any))
					body["p-ticket"] = string(wait.Ticket)
					if _, err := a.Do(t.Context(), socket.Request{Endpoint: order.Endpoint, Body: body}); err != nil {
						t.Error(err)
					}
				}
				drop(a.events)
				a.flows()
				if a.renewals != 0 {
					t.Error("a token was renewed for it")
				}
			})
		})
	}
}

// What goes wrong once while reconnecting only delays that.
func TestFaultsThatHitAReconnect(t *testing.T) {
	for host, endpoints := range map[string][]string{
		socket.DemoHost:       {"authorize", "user/syncrequest"},
		socket.MarketDataHost: {"authorize", "md/subscribeQuote", "md/subscribeDOM", "md/getChart"},
	} {
		for _, on := range endpoints {
			for _, kind := range tradovate.SocketFaultKinds() {
				t.Run(fmt.Sprint(host, " ", kind, " on ", on), func(t *testing.T) {
					play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
						a := lives(s, host)
						defer a.quit()
						before := s.Log().Count(emulator.EventFaultInjected)
						s.InjectSocket(tradovate.SocketFault{Kind: kind, On: on, Delay: 40 * time.Second, Status: 503, Text: "for " + string(a.tokens.AccessToken)})
						s.CutSockets()
						synctest.Wait()
						a.flows()
						if s.Log().Count(emulator.EventFaultInjected) != before+1 {
							t.Error("the fault hit nothing")
						}
						if a.renewals != 0 {
							t.Error("a token was renewed for it")
						}
					})
				})
			}
		}
	}
}

// What happens to tokens, hosts and limits in the background: the program goes on, with as
// few connections and renewals as it takes.
func TestHappenings(t *testing.T) {
	for name, row := range map[string]struct {
		knobs       tradovate.Knobs
		prepare     func(p *program)
		happens     func(a *alive)
		connections int // more than the first; -1 for any number
		renewals    int
	}{
		"nothing": {happens: func(*alive) {}},
		"nothing for 9 hours": {happens: func(a *alive) {
			for range 9 {
				time.Sleep(time.Hour)
				a.rotate()
			}
		}},
		"a rotation": {happens: func(a *alive) { a.rotate() }},
		"rotations, told": {happens: func(a *alive) {
			for range 5 {
				a.rotate()
				a.Rotated()
				time.Sleep(70 * time.Millisecond)
			}
		}},
		"a rotation that kills the old":    {knobs: tradovate.Knobs{RenewKillsOld: true}, happens: func(a *alive) { a.rotate() }},
		"a rotation while the line is cut": {happens: func(a *alive) { a.s.CutSockets(); a.rotate() }, connections: 1},
		"expired, and the socket stays":    {happens: func(a *alive) { a.s.Time().Advance(81 * time.Minute) }},
		"expired, and the socket is closed": {knobs: tradovate.Knobs{Socket: tradovate.SocketKnobs{Dead: tradovate.DeadTokenCloses}},
			happens: func(a *alive) { a.s.Time().Advance(81 * time.Minute); time.Sleep(2 * time.Second) }, connections: 2, renewals: 1},
		"expired, and the socket stalls": {knobs: tradovate.Knobs{Socket: tradovate.SocketKnobs{Dead: tradovate.DeadTokenStalls}},
			happens: func(a *alive) { a.s.Time().Advance(81 * time.Minute); time.Sleep(25 * time.Second) }, connections: 2, renewals: 1},
		"renewed, and the old one's socket stalls": {knobs: tradovate.Knobs{RenewKillsOld: true, Socket: tradovate.SocketKnobs{Dead: tradovate.DeadTokenStalls}},
			happens: func(a *alive) { a.rotate(); time.Sleep(25 * time.Second) }, connections: 1},
		"an answer says that the token is dead": {happens: func(a *alive) {
			a.rotate()
			a.s.InjectSocket(tradovate.SocketFault{On: find.Endpoint, Kind: tradovate.FaultSocketRefuse, Status: 401, Text: "Expired Access Token"})
			if _, err := a.Do(a.s.t.Context(), find); err != nil {
				a.s.t.Error("a read that was not carried out is asked again:", err)
			}
		}, connections: 1},
		"two such answers": {happens: func(a *alive) {
			a.rotate()
			a.s.InjectSocket(tradovate.SocketFault{On: find.Endpoint, Kind: tradovate.FaultSocketRefuse, Status: 401, Text: "Expired Access Token", Times: 2})
			if _, err := a.Do(a.s.t.Context(), find); told(a.s.t, err) != "token dead" {
				a.s.t.Error(err)
			}
		}, connections: 1},
		"a silent venue that answers": {knobs: tradovate.Knobs{Socket: tradovate.SocketKnobs{Heartbeat: -1}}, happens: func(*alive) { time.Sleep(time.Hour) }},
		"closed for a limit":          {happens: func(a *alive) { a.s.ShutDown(tradovate.ShutdownConnectionQuota, ""); a.s.RevokeUser("alice") }, connections: 1, renewals: 1},
		"closed for a limit, renewed since": {happens: func(a *alive) {
			a.rotate()
			a.Rotated()
			time.Sleep(2 * time.Second)
			a.s.ShutDown(tradovate.ShutdownIPQuota, "")
		}, connections: 1},
		"421, and the sign-in knows the host": {prepare: func(p *program) { p.hosts = `{"demo":"` + otherHost + `","userContext":{}}` }, happens: func(a *alive) {
			if a.State().Address != otherHost {
				a.s.t.Error("connected to", a.State().Address)
			}
			a.s.move(true)
			a.s.CutSockets()
		}, connections: 1},
		"421, and a newer sign-in knows it": {happens: func(a *alive) {
			a.mu.Lock()
			a.fresh = `{"demo":"` + otherHost + `:443"}`
			a.mu.Unlock()
			a.s.move(true)
			a.s.CutSockets()
		}, connections: 1, renewals: 1},
		"421 for a while, and nobody knows": {prepare: func(p *program) { p.stubborn = true }, happens: func(a *alive) {
			a.s.move(true)
			a.s.CutSockets()
			time.Sleep(10 * time.Minute)
			a.s.move(false)
		}, connections: 1},
		"a host that does not exist":     {prepare: func(p *program) { p.hosts = `{"demo":"demo-404.tradovateapi.com"}` }, happens: func(a *alive) { a.s.CutSockets() }, connections: 1},
		"a host that is not the venue's": {prepare: func(p *program) { p.hosts = `{"demo":"tradovateapi.com.evil.example"}` }, happens: func(a *alive) { a.s.CutSockets() }, connections: 1},
		"hosts that are nonsense":        {prepare: func(p *program) { p.hosts = `["demo"]` }, happens: func(a *alive) { a.s.CutSockets() }, connections: 1},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, row.knobs, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.DemoHost)
				if row.prepare != nil {
					row.prepare(p)
				}
				a := &alive{program: p}
				a.events = a.Events(socket.Buffer{}, socket.EventProps)
				a.run()
				defer a.quit()
				a.flows()
				before := s.Log().Count(tradovate.SocketOpened)
				row.happens(a)
				synctest.Wait()
				time.Sleep(time.Second)
				drop(a.events)
				a.flows()
				time.Sleep(2 * time.Minute)
				a.flows()
				if n := s.Log().Count(tradovate.SocketOpened) - before; n != row.connections {
					t.Errorf("%d more connections, want %d", n, row.connections)
				}
				if a.renewals != row.renewals {
					t.Errorf("%d renewals, want %d", a.renewals, row.renewals)
				}
			})
		})
	}
}

// Two programs that may not both be connected do not throw each other out for ever.
func TestALimitIsMetWithPatience(t *testing.T) {
	play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Limit: 1, KeepToken: true}, SessionLimit: 9}, func(t *testing.T, s *stage) {
		one, two := newProgram(s, socket.DemoHost), newProgram(s, socket.DemoHost)
		one.run()
		defer one.quit()
		one.ready()
		two.run()
		defer two.quit()
		time.Sleep(6 * time.Hour)
		if n := s.Log().Count(tradovate.SocketOpened); n > 70 {
			t.Error(n, "connections in six hours")
		}
		if one.renewals+two.renewals > 70 {
			t.Error(one.renewals, two.renewals, "renewals")
		}
		if err := errors.Join(one.State().Err, two.State().Err); err == nil || !strings.Contains(err.Error(), "close other connections") {
			t.Error(err)
		}
	})
}

// Maintenance is waited for until its window ends, and tried now and then.
func TestMaintenanceIsWaitedFor(t *testing.T) {
	for name, row := range map[string]struct {
		lasts time.Duration // the venue is away
		least int           // handshakes meanwhile
		most  int
		takes time.Duration // after its return
	}{
		"the whole window": {time.Hour, 25, 32, 3 * time.Minute},
		"a short one":      {5 * time.Minute, 2, 4, 3 * time.Minute},
		"a longer one":     {2 * time.Hour, 60, 160, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				monday := time.Date(2000, 1, 3, 22, 0, 0, 0, time.UTC) // 16:00 in Chicago
				time.Sleep(time.Until(monday) - time.Minute)
				a := lives(s, socket.DemoHost)
				defer a.quit()
				time.Sleep(time.Until(monday))
				s.refuse(true)
				s.ShutDown(tradovate.ShutdownMaintenance, "")
				const closes = 10 * time.Second // at most: the close has to be answered
				time.Sleep(closes)
				state := a.State()
				if e := known(t, state.Err); e.Kind != socket.KindMaintenance || !e.MaintenanceEnd.Equal(monday.Add(time.Hour)) || state.Phase != socket.PhaseWaiting || !strings.Contains(e.Error(), "its window ends 2000-01-03T23:00:00Z") {
					t.Error(state)
				}
				before := s.tries()
				time.Sleep(row.lasts - closes)
				if n := s.tries() - before; n < row.least || n > row.most {
					t.Errorf("%d tries", n)
				}
				s.refuse(false)
				began := time.Now()
				a.ready()
				if took := time.Since(began); took > row.takes {
					t.Error("ready after", took)
				}
				a.flows()
			})
		})
	}
}

// What no retry can fix: the Client reports it, and either ends or waits until a person has
// fixed it.
func TestWhatAPersonHasToMend(t *testing.T) {
	gone := &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the sign-in has ended"}
	for name, row := range map[string]struct {
		edit func(p *program, s *stage)
		says string
		text string
		mend func(p *program, s *stage)
	}{
		"a sign-in that has ended":           {func(p *program, s *stage) { p.final = gone }, "refused", "the sign-in has ended", nil},
		"one that turns out to":              {func(p *program, s *stage) { s.RevokeUser("alice"); p.refuses = gone }, "refused", "the sign-in has ended", nil},
		"the wrong host":                     {func(p *program, s *stage) { s.move(true); p.Hosts = nil }, "wrong host", "the host that apiHosts", nil},
		"the wrong host, and none is better": {func(p *program, s *stage) { s.move(true) }, "wrong host", "the host that apiHosts", nil},
		"two wrong hosts": {func(p *program, s *stage) {
			s.Tune(func(k *tradovate.Knobs) { k.Socket.Misdirected = true })
			p.hosts = `{"demo":"` + otherHost + `"}`
		}, "wrong host", "the host that apiHosts", nil},
		"no token at all":                {func(p *program, s *stage) { p.closed = errors.New("the vault is closed") }, "later", "the vault is closed", func(p *program, s *stage) { p.closed = nil }},
		"an authority that nobody knows": {func(p *program, s *stage) { p.Endpoint.TLS.RootCAs = nil }, "not sent", "certificate", nil},
		"no way there":                   {func(p *program, s *stage) { s.refuse(true) }, "not sent", "dial", func(p *program, s *stage) { s.refuse(false) }},
		"a sync of another's":            {func(p *program, s *stage) { p.Sync.Users = []int64{9} }, "access denied", "approved this device", nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.DemoHost)
				row.edit(p, s)
				p.run()
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				err := p.Ready(ctx)
				if told(t, err) != "not sent" || !strings.Contains(err.Error(), row.text) {
					t.Errorf("a wait: %v", err)
				}
				synctest.Wait()
				if state := p.State(); told(t, state.Err) != row.says || !strings.Contains(state.Err.Error(), row.text) {
					t.Errorf("%v, want %s and %q", state.Err, row.says, row.text)
				}
				if row.mend != nil {
					p.mu.Lock()
					row.mend(p, s)
					p.mu.Unlock()
					p.ready()
				}
				p.quit()
			})
		})
	}
}

// Market data that is denied leaves everything else as it was.
func TestMarketDataThatIsDenied(t *testing.T) {
	play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{QuotesDenied: true}}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.MarketDataHost)
		p.run()
		defer p.quit()
		_, err := p.Raw(t.Context(), socket.FeedQuotes, 3001)
		if e := known(t, err); e.Kind != socket.KindDenied || e.Class != venuekey.ClassDeclined || !strings.Contains(e.Error(), "Prices: Read") || !strings.Contains(e.Error(), "Access is denied") {
			t.Error(err)
		}
		s.Tune(func(k *tradovate.Knobs) { k.Socket.QuotesDenied = false })
		quotes, err := p.Raw(t.Context(), socket.FeedQuotes, 3001)
		if err != nil {
			t.Fatal(err)
		}
		next(t, quotes)
		s.Tune(func(k *tradovate.Knobs) { k.Socket.QuotesDenied = true }) // and it ends
		s.CutSockets()
		time.Sleep(5 * time.Second)
		p.ready()
		drop(quotes)
		if _, err := quotes.Next(t.Context()); known(t, err).Kind != socket.KindDenied {
			t.Error(err)
		}
	})
}
