package openapi

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// server.go owns the server: its fields, its state, and what tests ask of it. How it
// listens is in listen.go, what it is told to send in push.go.

// Server is the emulated Open API of one emulated cTrader. The fields are read
// when it is first used and must not be changed from then on; Tune moves knobs.
type Server struct {
	// Venue is whose apps, users and tokens count. It must be set.
	Venue *ctrader.Server
	Knobs Knobs
	// Listen says where to listen; an empty address is a port of 127.0.0.1 that
	// the system chooses.
	Listen Addresses
	// Hosts are names and addresses that the certificate is good for, beside those
	// of loopback: the real service's, for a client whose host is fixed.
	Hosts []string
	// Symbols is what is traded; empty means [DefaultSymbols].
	Symbols []Symbol
	// Deposits are the accounts that begin with something else than
	// [DefaultDeposit].
	Deposits map[int64]Deposit

	once     sync.Once
	settings *core.Settings[Knobs]
	log      Log
	faults   faults
	unwatch  func()

	certified   sync.Once
	authority   *x509.Certificate
	certificate tls.Certificate

	running sync.WaitGroup // listeners, connections and the walk of prices

	// mu guards everything below and in it: connections, sessions, market, books.
	// No call that may wait is made while it is held.
	mu          sync.Mutex
	closed      bool
	listeners   []net.Listener
	addresses   Addresses
	streams     map[net.Conn]bool
	conns       map[*conn]bool
	connCount   int
	maintenance time.Time
	walking     bool
	kick        chan struct{}
	market      market
	books       map[int64]*book
	lastID      int64
	events      []published // by the request or the price that is worked on
	after       []func()    // to run once its answer is queued
}

// Addresses are the four ports, as "127.0.0.1:40123".
type Addresses struct {
	LiveProtobuf, LiveJSON, DemoProtobuf, DemoJSON string
}

func (s *Server) begin() {
	s.once.Do(func() {
		s.settings = core.NewSettings(s.Knobs)
		s.unwatch = s.Venue.Watch(s.ended)
		s.streams = make(map[net.Conn]bool)
		s.conns = make(map[*conn]bool)
		s.books = make(map[int64]*book)
		s.market = newMarket(s.Symbols, s.Knobs.Seed)
	})
}

// Addresses are where the server listens, once it is started.
func (s *Server) Addresses() Addresses {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addresses
}

// Current is a copy of the knobs as they stand.
func (s *Server) Current() Knobs { s.begin(); return s.settings.Current() }

// Tune moves knobs of the running server.
func (s *Server) Tune(change func(*Knobs)) {
	s.begin()
	s.settings.Tune(change)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kicked()
	for c := range s.conns {
		wake(c.nudge)
	}
}

// Events is what happened so far.
func (s *Server) Events() []Event { return s.log.Events() }

// Log is the event log, to count in it and to wait for it.
func (s *Server) Log() *Log { return &s.log }

// Inject orders a fault. It panics on one that makes no sense, since that is a
// mistake in a test.
func (s *Server) Inject(f Fault) {
	if err := s.faults.add(f); err != nil {
		panic(err)
	}
}

// ClearFaults takes back what was ordered and has not happened.
func (s *Server) ClearFaults() { s.faults.clear() }

// Connections is how many connections are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close ends all connections and waits until nothing of the server runs.
func (s *Server) Close() error {
	s.begin()
	s.unwatch()
	s.mu.Lock()
	s.closed = true
	for _, l := range s.listeners {
		l.Close()
	}
	s.listeners = nil
	s.kicked()
	for c := range s.conns {
		c.finishLocked("the server was closed")
	}
	for stream := range s.streams {
		stream.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

func (s *Server) now() time.Time { return s.Venue.Time().Now() }

// nextID numbers orders, positions, deals and whatever else. The caller holds
// the lock.
func (s *Server) nextID() int64 {
	if s.lastID == 0 {
		s.lastID = 1000
	}
	s.lastID++
	return s.lastID
}
