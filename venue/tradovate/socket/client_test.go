package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// client_test.go tells what becomes of a Client when the venue, the line or the token do
// what they are known to do.

// program is a Client with its sign-in: what a Keeper is to a real one.
type program struct {
	*socket.Client
	s     *stage
	stop  context.CancelFunc
	ended chan error

	mu       sync.Mutex
	tokens   tokens
	renewals int
	final    error // of a sign-in that has ended
	closed   error // of a vault that cannot be opened
	refuses  error // what a renewal says
	stubborn bool  // a renewal gives the same token again
	hosts    venuekey.Secret
	fresh    venuekey.Secret // hosts after a renewal
}

// newProgram is ready to run; its fields may be changed before.
func newProgram(s *stage, host string) *program {
	p := &program{s: s, tokens: s.signIn(), ended: make(chan error, 1)}
	p.Client = &socket.Client{
		Endpoint: s.endpoint(host), Options: s.options(),
		Token: func(context.Context) (venuekey.Secret, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.tokens.AccessToken, errors.Join(p.final, p.closed)
		},
		Hosts: func(context.Context) (venuekey.Secret, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.hosts, nil
		},
		Rejected: func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if err := errors.Join(p.final, p.refuses); err != nil || p.stubborn {
				return access, err
			}
			if access.Equal(p.tokens.AccessToken) {
				p.renewals++
				if p.fresh != "" {
					p.hosts = p.fresh
				}
				if got, status := s.renew(access); status == 200 {
					p.tokens = got
				} else {
					p.tokens = s.signIn()
				}
			}
			return p.tokens.AccessToken, nil
		},
	}
	if host == socket.MarketDataHost {
		p.MarketToken = func(context.Context) (venuekey.Secret, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.tokens.MDAccessToken, nil
		}
	} else {
		p.Sync = &socket.Sync{Users: []int64{1001}, EntityTypes: []string{"user", "order"}}
	}
	return p
}

func (p *program) run() {
	ctx, stop := context.WithCancel(p.s.t.Context())
	p.stop = stop
	go func() { p.ended <- p.Run(ctx) }()
}

func (p *program) quit() {
	p.stop()
	<-p.ended
}

// rotate renews the token, as a Keeper does in time.
func (p *program) rotate() {
	p.s.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	got, status := p.s.renew(p.tokens.AccessToken)
	if got.AccessToken == "" {
		p.s.t.Fatal("renewal:", status)
	}
	p.tokens = got
}

// ready waits for a quarter of an hour at most.
func (p *program) ready() {
	p.s.t.Helper()
	ctx, cancel := context.WithTimeout(p.s.t.Context(), 15*time.Minute)
	defer cancel()
	if err := p.Ready(ctx); err != nil {
		p.s.t.Fatal(err)
	}
}

// next is the next event of a stream, within some minutes.
func next[M any](t *testing.T, s *socket.Stream[M]) M {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	m, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// show is an event in short.
func show(e socket.Event) string {
	return e.Kind + " " + string(e.Data)
}

func TestClientSyncsAndOrders(t *testing.T) {
	for split, whole := range map[string]bool{"": false, "props": false, "whole": true} {
		k := tradovate.SocketKnobs{}
		if split == "props" {
			k.Split = tradovate.SplitProps
		}
		play(t, tradovate.Knobs{Socket: k}, func(t *testing.T, s *stage) {
			p := newProgram(s, socket.DemoHost)
			p.Sync.Whole = whole
			events := p.Events(socket.Buffer{}, socket.EventSnapshot, socket.EventProps, socket.EventGap)
			p.run()
			defer p.quit()
			user := `{"id":1001,"name":"alice","status":"Active"}`
			want := []string{`snapshot {"users":[` + user + `]}`, `snapshot {"orders":[]}`}
			switch split {
			case "props":
				want = []string{`snapshot {}`, `props {"entity":` + user + `,"entityType":"user","eventType":"Created"}`}
			case "whole":
				want = []string{`snapshot {"orders":[],"users":[` + user + `]}`}
			}
			for _, one := range want {
				if got := show(next(t, events)); got != one {
					t.Errorf("%s: got %s, want %s", split, got, one)
				}
			}
			if got, err := p.Do(t.Context(), order); err != nil || !strings.Contains(string(got), "orderId") {
				t.Errorf("%s %v", got, err)
			}
			if got := show(next(t, events)); !strings.Contains(got, `"entityType":"order"`) {
				t.Error(got)
			}
		})
	}
}

// A rotation is followed without a gap, whether the old token dies of it or not, for
// longer than any token lives.
func TestClientFollowsRotations(t *testing.T) {
	for _, kills := range []bool{false, true} {
		play(t, tradovate.Knobs{RenewKillsOld: kills}, func(t *testing.T, s *stage) {
			p := newProgram(s, socket.DemoHost)
			gaps := p.Events(socket.Buffer{}, socket.EventGap)
			p.run()
			p.ready()
			for range 4 {
				time.Sleep(time.Hour) // the venue's clock goes with it
				p.rotate()
				p.Rotated()
			}
			if _, err := p.Do(t.Context(), find); err != nil {
				t.Error(err)
			}
			p.quit()
			if e, err := gaps.Next(t.Context()); err == nil {
				t.Error("a gap:", e)
			}
			if n := s.Log().Count(tradovate.SocketOpened); n != 1 {
				t.Error(n, "connections")
			}
		})
	}
	// A venue that ends a connection with its token forces one, and it is short.
	play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Dead: tradovate.DeadTokenCloses}}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.DemoHost)
		gaps := p.Events(socket.Buffer{}, socket.EventGap)
		p.run()
		defer p.quit()
		p.ready()
		time.Sleep(65 * time.Minute)
		p.rotate()
		time.Sleep(10 * time.Minute)
		gap := next(t, gaps)
		if long := gap.To.Sub(gap.From); long > 2*time.Second || gap.From.IsZero() {
			t.Error("a gap of", long)
		}
		p.ready()
		if p.renewals != 0 {
			t.Error("the newer token was there, and renewed")
		}
	})
}

// With every fault: what must be alive afterwards.
func TestClientStories(t *testing.T) {
	for name, c := range map[string]struct {
		knobs    tradovate.SocketKnobs
		strike   func(p *program, s *stage)
		renewals int
		within   time.Duration // of the strike it is ready again; 0 means 5 s
		silent   bool          // nothing ends the connection
	}{
		"cut":              {strike: func(p *program, s *stage) { s.CutSockets() }},
		"maintenance":      {strike: func(p *program, s *stage) { s.ShutDown(tradovate.ShutdownMaintenance, "") }},
		"close frame":      {strike: func(p *program, s *stage) { s.Say(`c[3000,"Go away!"]`) }},
		"a bare c":         {strike: func(p *program, s *stage) { s.Say(`c`) }},
		"garbage":          {strike: func(p *program, s *stage) { s.Say("\x00\x01") }},
		"broken JSON":      {strike: func(p *program, s *stage) { s.Say(`a[{"e":"props"`) }},
		"unknown event":    {strike: func(p *program, s *stage) { s.Say(`a[{"e":"news","d":{"x":1}},{"i":4711,"s":200}]`) }, silent: true},
		"a frame too long": {strike: func(p *program, s *stage) { s.Say("a[" + strings.Repeat(" ", 17<<20) + "]") }},
		"muted":            {strike: func(p *program, s *stage) { s.MuteSockets() }, within: 80 * time.Second},
		"a dead line":      {strike: func(p *program, s *stage) { s.freeze() }, within: 30 * time.Second},
		"unreachable for 2m": {strike: func(p *program, s *stage) {
			s.refuse(true)
			s.CutSockets()
			time.AfterFunc(2*time.Minute, func() { s.refuse(false) })
		}, within: 4 * time.Minute},
		"503 thrice": {strike: func(p *program, s *stage) {
			s.Inject(emulator.Fault{On: tradovate.AtSocket, Kind: emulator.FaultStatusBefore, Status: 503, Times: 3})
			s.CutSockets()
		}, within: 10 * time.Second},
		"handshake hangs": {strike: func(p *program, s *stage) {
			s.Inject(emulator.Fault{On: tradovate.AtSocket, Kind: emulator.FaultDelayBefore, Delay: time.Hour})
			s.CutSockets()
		}, within: 40 * time.Second},
		"closed for a limit": {strike: func(p *program, s *stage) {
			s.Tune(func(k *tradovate.Knobs) { k.Socket.Limit = 1 })
			other := newProgram(s, socket.DemoHost)
			other.run()
			other.ready()
			s.Tune(func(k *tradovate.Knobs) { k.Socket.Limit = 0 })
			other.quit()
		}, renewals: 1, within: 2 * time.Minute},
		"authorize is refused once": {strike: func(p *program, s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: "authorize", Kind: tradovate.FaultSocketRefuse, Status: 401, Text: "Invalid access token"})
			s.CutSockets()
		}, renewals: 1},
		"authorize is 408": {strike: func(p *program, s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: "authorize", Kind: tradovate.FaultSocketRefuse, Status: 408})
			s.CutSockets()
		}, renewals: 1},
		"authorize hangs": {strike: func(p *program, s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: "authorize", Kind: tradovate.FaultSocketDrop})
			s.CutSockets()
		}, within: 20 * time.Second},
		"sync is penalised": {strike: func(p *program, s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: "user/syncrequest", Kind: tradovate.FaultSocketPenalty, Delay: 5 * time.Second})
			s.CutSockets()
		}, within: 20 * time.Second},
		"sync is refused once": {strike: func(p *program, s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: "user/syncrequest", Kind: tradovate.FaultSocketRefuse, Status: 500, Text: "timeout"})
			s.CutSockets()
		}},
		"the token died elsewhere":         {strike: func(p *program, s *stage) { s.RevokeUser("alice"); s.CutSockets() }, renewals: 1},
		"the token dies with the socket":   {knobs: tradovate.SocketKnobs{Dead: tradovate.DeadTokenCloses}, strike: func(p *program, s *stage) { s.RevokeUser("alice") }, renewals: 1},
		"the socket stalls with the token": {knobs: tradovate.SocketKnobs{Dead: tradovate.DeadTokenStalls}, strike: func(p *program, s *stage) { s.RevokeUser("alice") }, renewals: 1, within: 90 * time.Second},
		"a penalty for a read": {strike: func(p *program, s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: "contract/find", Kind: tradovate.FaultSocketPenalty, Delay: 3 * time.Second})
		}, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{Socket: c.knobs}, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.DemoHost)
				events := p.Events(socket.Buffer{}, socket.EventSnapshot, socket.EventProps, socket.EventGap)
				p.run()
				defer p.quit()
				p.ready()
				next(t, events)
				next(t, events) // a snapshot in two parts
				before := s.Log().Count(tradovate.SocketOpened)
				began := time.Now()
				c.strike(p, s)
				if !c.silent {
					gap := next(t, events)
					if gap.Kind != socket.EventGap || gap.From.Before(began.Add(-time.Second)) || gap.To.Before(gap.From) {
						t.Errorf("%s from %v to %v, strike %v", show(gap), gap.From, gap.To, began)
					}
					for _, want := range []string{"users", "orders"} {
						e := next(t, events)
						for e.Kind == socket.EventGap { // the venue failed again before it was ready
							e = next(t, events)
						}
						if !strings.HasPrefix(show(e), `snapshot {"`+want) {
							t.Error(show(e))
						}
					}
				}
				p.ready()
				within := c.within
				if within == 0 {
					within = 5 * time.Second
				}
				if took := time.Since(began); took > within {
					t.Error("ready after", took)
				}
				if _, err := p.Do(t.Context(), find); err != nil {
					t.Error(err)
				}
				if got, err := p.Do(t.Context(), order); err != nil || !strings.Contains(string(got), "orderId") {
					t.Errorf("%s %v", got, err)
				}
				if e := next(t, events); !strings.Contains(show(e), `"entityType":"order"`) {
					t.Error(show(e))
				}
				if n := s.Log().Count(tradovate.SocketOpened); c.silent && n != before {
					t.Error(n-before, "more connections")
				}
				if p.renewals != c.renewals {
					t.Error(p.renewals, "renewals")
				}
				if p.State().Err != nil {
					t.Error(p.State().Err)
				}
			})
		})
	}
}

// The same for market data: the subscriptions are there again, each once.
func TestClientRestoresSubscriptions(t *testing.T) {
	for name, strike := range map[string]func(s *stage){
		"cut":         func(s *stage) { s.CutSockets() },
		"maintenance": func(s *stage) { s.ShutDown(tradovate.ShutdownMaintenance, "") },
		"muted":       func(s *stage) { s.MuteSockets() },
		"restore hangs": func(s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: "md/subscribeDOM", Kind: tradovate.FaultSocketDrop})
			s.CutSockets()
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.MarketDataHost)
				p.run()
				defer p.quit()
				quotes, err := p.Raw(t.Context(), socket.FeedQuotes, 3001)
				depth, err2 := p.Raw(t.Context(), socket.FeedDepth, 3002)
				bars, err3 := p.RawChart(t.Context(), 3001, socket.Chart{Description: map[string]any{"underlyingType": "MinuteBar"}, TimeRange: map[string]any{"asMuchAsElements": 5}})
				histogram, err4 := p.Raw(t.Context(), socket.FeedHistograms, 3003)
				if err := errors.Join(err, err2, err3, err4); err != nil {
					t.Fatal(err)
				}
				streams := map[string]*socket.Stream[json.RawMessage]{`"contractId":3001`: quotes, `"contractId":3002`: depth, `"contractId":3003`: histogram, `"td":`: bars}
				look := func(when string) {
					t.Helper()
					for mark, stream := range streams {
						for range 3 {
							if part := string(next(t, stream)); !strings.Contains(part, mark) && !strings.Contains(part, `"eoh":true`) {
								t.Errorf("%s: %s has no %s", when, part, mark)
							}
						}
					}
				}
				look("before")
				opened := s.Log().Count(tradovate.SocketOpened)
				strike(s)
				time.Sleep(2 * time.Minute)
				p.ready()
				for _, stream := range streams { // what came meanwhile
					for waiting := true; waiting; {
						ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
						_, err := stream.Next(ctx)
						waiting = err == nil
						cancel()
					}
				}
				look("afterwards")
				if s.Log().Count(tradovate.SocketOpened) == opened {
					t.Error("nothing was struck")
				}
			})
		})
	}
}

// One subscription serves all of this program, and the last who leaves ends it.
func TestClientSharesSubscriptions(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.MarketDataHost)
		p.run()
		defer p.quit()
		var list []*socket.Stream[json.RawMessage]
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				q, err := p.Raw(t.Context(), socket.FeedQuotes, 3001)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				list = append(list, q)
			})
		}
		all.Wait()
		count := func(kind emulator.EventKind, want int) {
			t.Helper()
			synctest.Wait()
			if n := s.Log().Count(kind); n != want {
				t.Errorf("%s %d times, not %d", kind, n, want)
			}
		}
		count(tradovate.Subscribed, 1)
		for _, q := range list[1:] {
			q.Close()
		}
		next(t, list[0])
		count(tradovate.Unsubscribed, 0)
		list[0].Close()
		count(tradovate.Unsubscribed, 1)
		again, err := p.Raw(t.Context(), socket.FeedQuotes, 3001)
		if err != nil {
			t.Fatal(err)
		}
		next(t, again)
		count(tradovate.Subscribed, 2)
		// One that was given up while it was asked for is ended, too.
		s.InjectSocket(tradovate.SocketFault{On: "md/subscribeDOM", Kind: tradovate.FaultSocketLate, Delay: 3 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Raw(ctx, socket.FeedDepth, 3001); err == nil {
			t.Error("there is an answer")
		}
		count(tradovate.Unsubscribed, 2)
		if _, err := p.Raw(t.Context(), socket.FeedQuotes, 4); known(t, err).Class != venuekey.ClassDeclined {
			t.Error(err)
		}
	})
}

func TestClientMarketToken(t *testing.T) {
	for market, want := range map[tradovate.MarketAccess]int{tradovate.MarketByEither: 1, tradovate.MarketByMDToken: 1, tradovate.MarketByAccessToken: 2} {
		play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Market: market}}, func(t *testing.T, s *stage) {
			p := newProgram(s, socket.MarketDataHost)
			p.run()
			defer p.quit()
			p.ready()
			if n := s.Log().Count(tradovate.SocketOpened); n != want || p.renewals != 0 {
				t.Errorf("%q: %d connections, %d renewals", market, n, p.renewals)
			}
			s.CutSockets()
			time.Sleep(time.Second)
			p.ready()
			if n := s.Log().Count(tradovate.SocketOpened); n != want+1 {
				t.Errorf("%q: %d connections", market, n)
			}
		})
	}
}

// An order is sent once, whatever happens; what only reads is asked again.
func TestClientSendsAnOrderOnce(t *testing.T) {
	for _, kind := range []tradovate.SocketFaultKind{tradovate.FaultSocketCutBefore, tradovate.FaultSocketCutAfter, tradovate.FaultSocketDrop, tradovate.FaultSocketGarbage, tradovate.FaultSocketStall} {
		play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
			p := newProgram(s, socket.DemoHost)
			p.run()
			defer p.quit()
			s.InjectSocket(tradovate.SocketFault{On: order.Endpoint, Kind: kind})
			s.InjectSocket(tradovate.SocketFault{On: find.Endpoint, Kind: kind})
			_, err := p.Do(t.Context(), order)
			if e := known(t, err); e.Class != venuekey.ClassUnknown || !e.MayBeDone() || e.SafeToRetry() {
				t.Errorf("%s: %v", kind, err)
			}
			if n := s.Log().Count(tradovate.OrderPlaced); n > 1 {
				t.Errorf("%s: %d orders", kind, n)
			}
			if _, err := p.Do(t.Context(), find); err != nil && kind != tradovate.FaultSocketDrop { // where no connection was lost
				t.Errorf("%s: %v", kind, err)
			}
		})
	}
}

func TestClientEndsWhereOnlyAPersonHelps(t *testing.T) {
	gone := &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the sign-in has ended"}
	for name, c := range map[string]struct {
		strike func(p *program, s *stage)
		class  venuekey.Class
	}{
		"the sign-in ended": {func(p *program, s *stage) {
			p.mu.Lock()
			p.final = gone
			p.mu.Unlock()
			s.RevokeUser("alice")
			s.CutSockets()
		}, venuekey.ClassRefused},
		"the wrong host": {func(p *program, s *stage) {
			s.Tune(func(k *tradovate.Knobs) { k.Socket.Misdirected = true })
			s.CutSockets()
		}, venuekey.ClassMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.DemoHost)
				events := p.Events(socket.Buffer{}, socket.EventGap)
				p.run()
				p.ready()
				c.strike(p, s)
				if e := known(t, <-p.ended); e.Class != c.class {
					t.Errorf("%v: %v", e, e.Class)
				}
				if _, err := events.Next(t.Context()); !errors.Is(err, socket.ErrClosed) {
					t.Error(err)
				}
				if _, err := p.Do(t.Context(), find); known(t, err).Class != venuekey.ClassNotSent {
					t.Error(err)
				}
				p.stop()
			})
		})
	}
}

// A venue that does not take a token, and a sign-in that has no other, meet no storm.
func TestClientDoesNotStorm(t *testing.T) {
	for name, status := range map[string]int{"401": 401, "408": 408, "429": 429, "500": 500} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.DemoHost)
				asked := 0
				p.Rejected = func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) { asked++; return access, nil }
				s.InjectSocket(tradovate.SocketFault{On: "authorize", Kind: tradovate.FaultSocketRefuse, Status: status, Times: -1})
				p.run()
				time.Sleep(3 * time.Hour)
				if n := s.Log().Count(tradovate.SocketOpened); n < 2 || n > 20 {
					t.Error(n, "connections in three hours")
				}
				if asked > 1 {
					t.Error("the sign-in was asked", asked, "times about one token")
				}
				p.quit()
			})
		})
	}
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) { // a captcha lasts an hour
		p := newProgram(s, socket.DemoHost)
		s.InjectSocket(tradovate.SocketFault{On: "authorize", Kind: tradovate.FaultSocketPenalty, Captcha: true})
		p.run()
		defer p.quit()
		time.Sleep(59 * time.Minute)
		if n := s.Log().Count(tradovate.SocketOpened); n != 1 || p.State().Phase != socket.PhaseWaiting {
			t.Error(n, "connections", p.State())
		}
		time.Sleep(2 * time.Minute)
		p.ready()
	})
	// A newer token is noticed at once.
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.DemoHost)
		s.InjectSocket(tradovate.SocketFault{On: "authorize", Kind: tradovate.FaultSocketRefuse, Status: 429})
		p.run()
		defer p.quit()
		time.Sleep(10 * time.Second)
		p.rotate()
		began := time.Now()
		p.ready()
		if took := time.Since(began); took > 3*time.Second {
			t.Error(took)
		}
	})
}

func TestClientBeforeAndAfterRun(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.DemoHost)
		p.Rotated()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || known(t, err).Class != venuekey.ClassNotSent {
			t.Error(err)
		}
		p.run()
		p.ready()
		if err := p.Run(t.Context()); err == nil {
			t.Error("it ran twice")
		}
		p.quit()
		if err := p.Ready(t.Context()); !errors.Is(err, socket.ErrClosed) {
			t.Error(err)
		}
		p.run() // again
		synctest.Wait()
		p.ready()
		p.quit()
		for _, bad := range []*socket.Client{{}, {Token: p.Token, Sync: &socket.Sync{}}, {Token: p.Token, Sync: &socket.Sync{Users: []int64{1}}}} {
			if err := bad.Run(t.Context()); err == nil {
				t.Error("it runs")
			}
		}
		if text := fmt.Sprintf("%v %+v %#v", p.Client, p.Client, p.Client); strings.Contains(text, prefix) {
			t.Error("a Client prints a secret")
		}
	})
}
