package tradovate

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// penalty.go owns the time penalty: when it strikes, and what ends it (Tradovate
// facts §1.4).

// penalties holds failed sign-ins and open tickets, by the client's network. The zero value
// is ready to use.
type penalties struct {
	mu       sync.Mutex
	failures map[string][]time.Time
	open     map[string]ticket // by network and endpoint
}

// ticket represents a request that was not executed.
type ticket struct {
	value   string
	issued  time.Time
	ready   time.Time // when the request may be sent again
	captcha bool
}

// captchaHour is how long users are told to wait when a captcha is demanded, which no
// program can solve.
const captchaHour = time.Hour

// settles reports whether a request ends the penalty. A request with a body must present
// the ticket; for GET requests no way to do that is documented, so waiting is enough.
func (t ticket) settles(now time.Time, presented string, on emulator.Endpoint) bool {
	if t.captcha || now.Before(t.ready) {
		return false
	}
	return presented == t.value || on != emulator.AtLogin && on != emulator.AtToken && on != AtOrder
}

// penalised answers a request with a penalty and returns true, or returns false if the
// request may be executed.
func (s *Server) penalised(w http.ResponseWriter, r *http.Request, k Knobs, on emulator.Endpoint, presented string) bool {
	now, net := s.core.Clock.Now(), network(r)
	t, held := s.hold(now, net, k, on, presented)
	if !held {
		return false
	}
	// A remaining wait is never reported as 0.
	wait := max(1, int((t.ready.Sub(now)+time.Second-1)/time.Second))
	s.core.Record(emulator.Event{Kind: emulator.EventPenalty, Fingerprint: emulator.Fingerprint(t.value), Status: http.StatusOK, Detail: fmt.Sprintf("%s, %d s, captcha %t", on, wait, t.captcha)})
	core.Reply(w, http.StatusOK, map[string]any{"p-ticket": t.value, "p-time": wait, "p-captcha": t.captcha})
	return true
}

// hold finds or creates the ticket that a request must wait for. A client that comes too
// early gets the same ticket with the rest of the wait; one that comes late and without the
// ticket gets a new one.
func (s *Server) hold(now time.Time, net string, k Knobs, on emulator.Endpoint, presented string) (ticket, bool) {
	p := &s.penalties
	p.mu.Lock()
	defer p.mu.Unlock()
	key := net + " " + string(on)
	t, open := p.open[key]
	switch {
	case open && t.captcha && now.Sub(t.issued) >= captchaHour:
		open = false
		delete(p.open, key)
	case open && t.settles(now, presented, on):
		delete(p.open, key)
		return ticket{}, false
	case open && (t.captcha || now.Before(t.ready)):
		return t, true
	}
	if !open && !s.deserved(now, net, k, on) {
		return ticket{}, false
	}
	if p.open == nil {
		p.open = make(map[string]ticket)
	}
	p.open[key] = ticket{value: k.format().Mint(), issued: now, ready: now.Add(k.PenaltyWait), captcha: k.PenaltyCaptcha}
	return p.open[key], true
}

// deserved reports whether a new penalty is due. The caller holds the lock.
func (s *Server) deserved(now time.Time, net string, k Knobs, on emulator.Endpoint) bool {
	if on == emulator.AtLogin && k.PenaltyAfter >= 0 && len(lastHour(now, s.penalties.failures[net])) >= k.PenaltyAfter {
		return true
	}
	return on == k.PenaltyOn && s.spend(func(k *Knobs) *int { return &k.Penalties })
}

// failed counts a failed sign-in.
func (p *penalties) failed(now time.Time, net string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failures == nil {
		p.failures = make(map[string][]time.Time)
	}
	p.failures[net] = append(lastHour(now, p.failures[net]), now)
}

// succeeded forgets the failures. That a success resets them is made up.
func (p *penalties) succeeded(net string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.failures, net)
}

func (p *penalties) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.open = nil, nil
}

// network returns the client's /24 network, to which penalties apply. The /64 for IPv6 is
// made up.
func network(r *http.Request) string {
	ip, err := netip.ParseAddr(address(r))
	if err != nil {
		return address(r)
	}
	ip = ip.Unmap().WithZone("")
	bits := 24
	if ip.Is6() {
		bits = 64
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return address(r)
	}
	return prefix.String()
}
