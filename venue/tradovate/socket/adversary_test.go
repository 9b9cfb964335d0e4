package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// adversary_test.go owns what nobody does on purpose: a Client that is ended in every phase,
// readers that do not read, lines that take nothing in, and requests that kill connections.

// hangs waits for the context, as what reads a slow store does.
func hangs(ctx context.Context) (venuekey.Secret, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// A Client ends at once in whatever phase its context ends, and leaves nothing behind.
func TestAClientEndsInEveryPhase(t *testing.T) {
	refuse := func(on string, kind tradovate.SocketFaultKind, status int) func(p *program, s *stage) {
		return func(p *program, s *stage) {
			s.InjectSocket(tradovate.SocketFault{On: on, Kind: kind, Status: status, Times: -1, Delay: time.Hour})
		}
	}
	for name, row := range map[string]struct {
		edit  func(p *program, s *stage)
		phase socket.Phase
	}{
		"the token hangs": {func(p *program, s *stage) { p.Token = hangs }, socket.PhaseConnecting},
		"the hosts hang":  {func(p *program, s *stage) { p.Hosts = hangs }, socket.PhaseConnecting},
		"dialling hangs":  {func(p *program, s *stage) { p.Endpoint.Dial = dialsNobody }, socket.PhaseConnecting},
		"TLS hangs":       {func(p *program, s *stage) { p.Endpoint.Dial = silentLine(s) }, socket.PhaseConnecting},
		"the handshake hangs": {func(p *program, s *stage) {
			s.Inject(emulator.Fault{On: tradovate.AtSocket, Kind: emulator.FaultDelayBefore, Delay: time.Hour})
		}, socket.PhaseConnecting},
		"no o comes":             {func(p *program, s *stage) { p.Endpoint = s.endpoint(scripted); s.follow(false, script.drain) }, socket.PhaseConnecting},
		"authorize hangs":        {refuse("authorize", tradovate.FaultSocketDrop, 0), socket.PhaseConnecting},
		"authorize is penalised": {refuse("authorize", tradovate.FaultSocketPenalty, 0), socket.PhaseWaiting},
		"the token is in doubt": {func(p *program, s *stage) {
			p.stubborn = true
			refuse("authorize", tradovate.FaultSocketRefuse, 401)(p, s)
		}, socket.PhaseWaiting},
		"a renewal hangs": {func(p *program, s *stage) {
			p.Rejected = func(ctx context.Context, _ venuekey.Secret) (venuekey.Secret, error) { return hangs(ctx) }
			refuse("authorize", tradovate.FaultSocketRefuse, 401)(p, s)
		}, socket.PhaseWaiting},
		"the sync hangs": {refuse("user/syncrequest", tradovate.FaultSocketDrop, 0), socket.PhaseRestoring},
		"it is ready":    {func(p *program, s *stage) {}, socket.PhaseReady},
		"it waits":       {func(p *program, s *stage) { s.refuse(true) }, socket.PhaseWaiting},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.DemoHost)
				row.edit(p, s)
				events := p.Events(socket.Buffer{})
				p.run()
				time.Sleep(5 * time.Second)
				if got := p.State().Phase; got != row.phase {
					t.Errorf("phase %v, want %v", got, row.phase)
				}
				var waiting sync.WaitGroup
				for _, ask := range []func() error{
					func() error { return p.Ready(context.Background()) },
					func() error {
						s.InjectSocket(tradovate.SocketFault{On: order.Endpoint, Kind: tradovate.FaultSocketDrop})
						_, err := p.Do(context.Background(), order)
						return err
					},
					func() error { _, err := p.Raw(context.Background(), socket.FeedQuotes, 3001); return err },
				} {
					waiting.Go(func() {
						if err := ask(); err != nil && !errors.Is(err, socket.ErrClosed) && known(t, err).Class != venuekey.ClassDeclined {
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				began := time.Now()
				p.stop()
				if err := <-p.ended; !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				waiting.Wait()
				if took := time.Since(began); took > 0 {
					t.Error("it took", took)
				}
				for err := error(nil); err == nil; {
					if _, err = events.Next(t.Context()); err != nil && !errors.Is(err, socket.ErrClosed) {
						t.Error(err)
					}
				}
				if p.State().Phase != socket.PhaseIdle {
					t.Error(p.State())
				}
			})
		})
	}
}

func dialsNobody(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// silentLine connects to somebody who takes everything in and says nothing.
func silentLine(s *stage) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for b := make([]byte, 1024); ; {
				if _, err := theirs.Read(b); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}
}

// A line that takes nothing in any more is given up, and holds nobody for longer.
func TestALineThatTakesNothingIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe() // without any room
		stuck := make(chan struct{})
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer ws.CloseNow()
			_ = ws.Write(context.Background(), websocket.MessageText, []byte("o"))
			<-stuck
		})}
		go server.Serve(&oneConn{conn: theirs, done: make(chan struct{})})
		defer server.Close()
		defer close(stuck)
		conn, err := socket.Dial(t.Context(), socket.Endpoint{Plain: true, Address: "127.0.0.1:1", Dial: func(context.Context, string, string) (net.Conn, error) { return ours, nil }}, socket.Options{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.Sleep(3 * time.Second) // a heartbeat is stuck by now
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := conn.Do(ctx, order); known(t, err).Class != venuekey.ClassNotSent || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		<-conn.Done()
		if took := time.Since(began); took > 35*time.Second || known(t, conn.Err()).Class != venuekey.ClassLater {
			t.Error(took, conn.Err())
		}
	})
}

// oneConn is a listener that has one connection.
type oneConn struct {
	once sync.Once
	conn net.Conn
	done chan struct{}
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	l.once.Do(func() { c = l.conn })
	if c == nil {
		<-l.done
		err = net.ErrClosed
	}
	return c, err
}

func (l *oneConn) Close() error   { close(l.done); return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

// A reader that stops reading costs nobody the connection: without Block it loses its own
// oldest events, and with Block everything waits for it, but the heartbeats.
func TestAReaderThatDoesNotRead(t *testing.T) {
	for _, block := range []bool{false, true} {
		play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{QuoteEvery: 100 * time.Millisecond}}, func(t *testing.T, s *stage) {
			p := newProgram(s, socket.MarketDataHost)
			gaps := p.Events(socket.Buffer{}, socket.EventGap)
			p.run()
			slow, err := p.Raw(t.Context(), socket.FeedQuotes, 3001, socket.Buffer{Size: 8, Block: block})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Minute)
			if block {
				for range 20 { // and it reads again
					next(t, slow)
				}
			} else if slow.Dropped() < 1000 {
				t.Error(slow.Dropped(), "dropped")
			}
			slow.Close()
			if _, err := p.Do(t.Context(), find); err != nil && known(t, err).Status == 0 {
				t.Error(err)
			}
			p.quit()
			if e, err := gaps.Next(t.Context()); err == nil {
				t.Errorf("block %t: a gap: %v", block, e)
			}
		})
	}
}

// A request that ends each connection it is sent on is not sent for ever.
func TestARequestThatKillsConnections(t *testing.T) {
	for _, kind := range []tradovate.SocketFaultKind{tradovate.FaultSocketHuge, tradovate.FaultSocketCutBefore, tradovate.FaultSocketGarbage} {
		play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
			p := newProgram(s, socket.DemoHost)
			p.run()
			defer p.quit()
			p.ready()
			before := s.Log().Count(tradovate.SocketOpened)
			s.InjectSocket(tradovate.SocketFault{On: find.Endpoint, Kind: kind, Times: -1})
			if _, err := p.Do(t.Context(), find); known(t, err).Class != venuekey.ClassUnknown {
				t.Error(err)
			}
			time.Sleep(5 * time.Second)
			p.ready()
			if n := s.Log().Count(tradovate.SocketOpened) - before; n != 3 {
				t.Error(n, "more connections")
			}
		})
		play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
			p := newProgram(s, socket.MarketDataHost)
			p.run()
			defer p.quit()
			p.ready()
			s.InjectSocket(tradovate.SocketFault{On: "md/subscribeQuote", Kind: kind, Times: -1})
			if _, err := p.Raw(t.Context(), socket.FeedQuotes, 3001); known(t, err).Class != venuekey.ClassUnknown {
				t.Error(err)
			}
			p.ready() // it is not restored, since nobody has it
		})
	}
}

// Everything at once: requests, subscriptions that come and go, cuts and rotations. Every
// call returns, no answer is another's, and at the end all is alive.
func TestEverythingAtOnce(t *testing.T) {
	play(t, tradovate.Knobs{SessionLimit: -1, RenewQuota: -1, Socket: tradovate.SocketKnobs{QuoteEvery: 20 * time.Millisecond}}, func(t *testing.T, s *stage) {
		users, market := newProgram(s, socket.DemoHost), newProgram(s, socket.MarketDataHost)
		users.run()
		market.run()
		users.ready()
		market.ready()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		chance := func() time.Duration { return time.Duration(rand.N(200)) * time.Millisecond }
		for range 8 {
			all.Go(func() {
				for ctx.Err() == nil {
					got, err := users.Do(ctx, find)
					if err == nil && !strings.Contains(string(got), `"id":3001`) || err != nil && ctx.Err() == nil && known(t, err).Class != venuekey.ClassUnknown {
						t.Errorf("%s %v", got, err)
					}
					time.Sleep(chance())
				}
			})
			all.Go(func() {
				for ctx.Err() == nil {
					contract := int64(3001 + rand.N(3))
					quotes, err := market.Raw(ctx, socket.FeedQuotes, contract)
					if err != nil {
						if ctx.Err() == nil && known(t, err).Class != venuekey.ClassUnknown {
							t.Error(err)
						}
						continue
					}
					for range rand.N(5) {
						if part, err := quotes.Next(ctx); err == nil && !strings.Contains(string(part), fmt.Sprint(contract)) {
							t.Errorf("%s is not of %d", part, contract)
						}
					}
					quotes.Close()
					time.Sleep(chance())
				}
			})
		}
		all.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(10 * chance())
				switch rand.N(4) {
				case 0:
					s.CutSockets()
				case 1:
					users.rotate()
					users.Rotated()
				case 2:
					s.ShutDown(tradovate.ShutdownMaintenance, "")
				case 3:
					s.Say(`a[{"i":1,"s":200,"d":"stray"},{"e":"md","d":{"quotes":[{"contractId":3001}]}}]`)
				}
			}
		})
		all.Wait()
		users.ready()
		market.ready()
		if _, err := users.Do(t.Context(), find); err != nil {
			t.Error(err)
		}
		quotes, err := market.Raw(t.Context(), socket.FeedQuotes, 3002)
		if err != nil {
			t.Fatal(err)
		}
		var part struct{ ContractID int64 }
		if err := json.Unmarshal(next(t, quotes), &part); err != nil || part.ContractID != 3002 {
			t.Error(part, err)
		}
		users.quit()
		market.quit()
	})
}

// A market-data token that no token can be is not presented again.
func TestAMarketTokenThatIsNone(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		p := newProgram(s, socket.MarketDataHost)
		p.tokens.MDAccessToken = prefix + "two\nlines"
		p.run()
		defer p.quit()
		p.ready()
	})
}
