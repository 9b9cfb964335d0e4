package tradovate

import (
	"cmp"
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
	open     map[string]*held // by network and endpoint
}

// held is what a network has to wait for at an endpoint.
type held struct {
	tickets map[string]ticket // by the request's body
	wait    time.Duration     // of the last one; every breach doubles it
}

// ticket represents a request that was not executed.
type ticket struct {
	value   string
	issued  time.Time
	ready   time.Time // when the request may be sent again
	captcha bool
}

// end is when the ticket holds back nobody else any more.
func (t ticket) end() time.Time {
	if t.captcha {
		return t.issued.Add(captchaHour)
	}
	return t.ready
}

// presented is what tells a request from others: its body without a ticket, and the ticket.
type presented struct{ body, ticket string }

const (
	// captchaHour is how long users are told to wait when a captcha is demanded, which no
	// program can solve.
	captchaHour = time.Hour
	// longestPenalty ends the doubling; that it ends is made up.
	longestPenalty = time.Hour
)

// hasNoBody reports whether requests to an endpoint have no body, so that no way to present
// a ticket is documented, and waiting is enough.
func hasNoBody(on emulator.Endpoint) bool {
	return on == emulator.AtRenew || on == emulator.AtMe || on == AccountList || on == AtOperation
}

// penalised answers a request with a penalty and returns true, or returns false if the
// request may be executed. spent says that the endpoint's quota is used up.
func (s *Server) penalised(w http.ResponseWriter, r *http.Request, k Knobs, on emulator.Endpoint, p presented, spent bool) bool {
	now, net := s.core.Clock.Now(), network(r)
	t, held := s.hold(now, net, k, on, p, spent)
	if !held {
		return false
	}
	// A remaining wait is never reported as 0.
	wait := max(1, int((t.ready.Sub(now)+time.Second-1)/time.Second))
	s.core.Record(emulator.Event{Kind: emulator.EventPenalty, Fingerprint: emulator.Fingerprint(t.value), Status: http.StatusOK, Detail: fmt.Sprintf("%s, %d s, captcha %t", on, wait, t.captcha)})
	core.Reply(w, http.StatusOK, map[string]any{"p-ticket": t.value, "p-time": wait, "p-captcha": t.captcha})
	return true
}

// hold finds or creates the ticket that a request must wait for. Only the identical body with
// its ticket, after the wait, ends the penalty. Whoever comes too early, with whatever body,
// or late without the ticket, waits twice as long: a penalty is of the network, not of a
// request, and repeated violations lengthen it (Tradovate facts §1.4).
func (s *Server) hold(now time.Time, net string, k Knobs, on emulator.Endpoint, p presented, spent bool) (ticket, bool) {
	s.penalties.mu.Lock()
	defer s.penalties.mu.Unlock()
	key := net + " " + string(on)
	h := s.penalties.open[key]
	if h == nil {
		h = &held{tickets: map[string]ticket{}}
	}
	t, open := h.tickets[p.body]
	switch {
	case open && t.captcha && now.Sub(t.issued) >= captchaHour:
		open = false
		delete(h.tickets, p.body)
	case open && t.captcha:
		return t, true
	case open && !now.Before(t.ready) && (p.ticket == t.value || hasNoBody(on)):
		delete(s.penalties.open, key)
		return ticket{}, false
	}
	breach := open || h.isBreached(now, p)
	if !breach && !spent && !s.deserved(now, net, k, on) {
		return ticket{}, false
	}
	h.wait = cmp.Or(h.wait, k.backOff(on))
	if breach {
		h.wait = min(2*h.wait, longestPenalty)
	}
	if s.penalties.open == nil {
		s.penalties.open = make(map[string]*held)
	}
	s.penalties.open[key] = h
	h.tickets[p.body] = ticket{value: k.format().Mint(), issued: now, ready: now.Add(h.wait), captcha: k.PenaltyCaptcha}
	return h.tickets[p.body], true
}

// isBreached reports whether a request that has no ticket of its own breaks a penalty: it comes
// while another request has to wait, or with the ticket of that.
func (h *held) isBreached(now time.Time, p presented) bool {
	for _, other := range h.tickets {
		if p.ticket == other.value || now.Before(other.end()) {
			return true
		}
	}
	return false
}

// backOff is the first wait at an endpoint (Tradovate facts §1.6).
func (k Knobs) backOff(on emulator.Endpoint) time.Duration {
	switch {
	case k.PenaltyWait != 0:
		return k.PenaltyWait
	case on == emulator.AtMe:
		return 30 * time.Second
	}
	return 15 * time.Second
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

// refusesRight reports whether even a right password is refused for a while.
func (p *penalties) refusesRight(now time.Time, net string, k Knobs) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	times := lastHour(now, p.failures[net])
	return k.RefusesRight > 0 && k.PenaltyAfter > 0 && len(times) >= k.PenaltyAfter && now.Sub(times[len(times)-1]) < k.RefusesRight
}

// forgive forgets the failures.
func (p *penalties) forgive(net string) {
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
