package openapi

import (
	"net"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// server.go owns the server: its fields, its state, and the methods that tests call. How it
// listens is in listen.go, and what tests make it send in push.go.

// Server is the emulated Open API of an emulated cTrader. The fields are read when it is
// first used and must not be changed afterwards; Tune changes knobs. Call Start to listen,
// or ServeConn for each connection.
type Server struct {
	// Venue has the apps, users and tokens. It is required.
	Venue *ctrader.Server
	Knobs Knobs
	// Listen says where to listen. An empty address means a port of 127.0.0.1 that the
	// system chooses.
	Listen Addresses
	// Hosts are host names and addresses for which the certificate is valid, besides
	// those of loopback: for example the real service's, for a client whose host is fixed.
	Hosts []string
	// Authority issues the certificate; nil means one that is made at the start, for Hosts.
	Authority *emulator.Authority
	// Symbols are the symbols traded; empty means [DefaultSymbols].
	Symbols []Symbol
	// Deposits are the initial deposits by account; others have [DefaultDeposit].
	Deposits map[int64]Deposit

	once     sync.Once
	settings *core.Settings[Knobs]
	log      Log
	faults   faults
	unwatch  func()

	certified sync.Once
	authority *emulator.Authority

	running sync.WaitGroup // listeners, connections and the walk of prices

	// mu guards everything below and what it contains: connections, sessions, market,
	// books. It is not held during a call that may block.
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
	events      []published // by the request or price that is being processed
	after       []func()    // to run once its answer is queued
}

// Addresses are the addresses of the four ports, such as "127.0.0.1:40123".
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

// Addresses returns where the server listens, once it is started.
func (s *Server) Addresses() Addresses {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addresses
}

// Current returns a copy of the current knobs.
func (s *Server) Current() Knobs { s.begin(); return s.settings.Current() }

// Tune changes knobs of the running server.
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

// Events returns what has happened so far, oldest first.
func (s *Server) Events() []Event { return s.log.Events() }

// Log returns the event log, which can count events and wait for them.
func (s *Server) Log() *Log { return &s.log }

// Inject adds a fault. It panics if Fault.Valid returns an error, since that is a mistake
// in the test.
func (s *Server) Inject(f Fault) {
	if err := s.faults.add(f); err != nil {
		panic(err)
	}
}

// ClearFaults removes all faults that have not struck yet.
func (s *Server) ClearFaults() { s.faults.clear() }

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close ends all connections and waits until all goroutines of the server have ended. It
// always returns nil.
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

// nextID returns the next number for an order, position, deal and so on. The caller holds
// the lock.
func (s *Server) nextID() int64 {
	if s.lastID == 0 {
		s.lastID = 1000
	}
	s.lastID++
	return s.lastID
}
