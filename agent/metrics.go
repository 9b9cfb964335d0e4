package agent

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// metrics.go owns what is counted, and what a monitor reads of it, in the text format of Prometheus
// (version 0.0.4). No ID is in a label unless the server is told to have them, and no user ever.

// metrics counts what the server does. The zero value is ready to use.
type metrics struct {
	streams  atomic.Int64
	mu       sync.Mutex
	asked    map[asked]int64
	renewals map[venueOutcome]*spent
	proxied  map[venueOutcome]*spent
}

// asked is a use of a sign-in.
type asked struct {
	venue, outcome, consumer string
	verb                     Verb
}

// venueOutcome is what came of something at a venue.
type venueOutcome struct{ venue, outcome string }

// spent is how often something took how long.
type spent struct {
	count   int64
	seconds float64
}

func add(to *map[venueOutcome]*spent, of venueOutcome, took time.Duration) {
	if *to == nil {
		*to = map[venueOutcome]*spent{}
	}
	if (*to)[of] == nil {
		(*to)[of] = new(spent)
	}
	(*to)[of].count++
	(*to)[of].seconds += took.Seconds()
}

// outcomeWord is an outcome as a label: granted words, or the class of an error.
func outcomeWord(good string, outcome error) string {
	switch {
	case outcome == nil:
		return good
	case errors.Is(outcome, ErrForbidden):
		return "forbidden"
	}
	if class, err := venuekey.ClassOf(outcome).MarshalText(); err == nil {
		return string(class)
	}
	return "failed"
}

func (m *metrics) count(venue string, verb Verb, consumer string, outcome error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked == nil {
		m.asked = map[asked]int64{}
	}
	m.asked[asked{venue, outcomeWord("given", outcome), consumer, verb}]++
}

// Presented counts a renewal. It is for Keeper.Presented.
func (s *Server) Presented(p venuekey.Presentation) {
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	add(&s.metrics.renewals, venueOutcome{p.ID.Venue, outcomeWord("granted", p.Err)}, p.Took)
}

// Proxied counts a call that a proxy forwarded, with the status of its answer, 0 for none. It is for
// Took of a proxy.Handler.
func (s *Server) Proxied(id venuekey.ID, status int, took time.Duration) {
	word := "none"
	if status > 0 {
		word = fmt.Sprintf("%dxx", status/100)
	}
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	add(&s.metrics.proxied, venueOutcome{id.Venue, word}, took)
}

// monitor answers a monitor. One that may not see every sign-in sees none.
func (s *Server) monitor(w http.ResponseWriter, r *http.Request) {
	if err := s.allowed(r, venuekey.ID{Venue: "*"}, VerbStatus); err != nil {
		failWith(w, http.StatusNotFound, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "metrics are for those who may see the status of every sign-in"})
		return
	}
	g, err := s.survey(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	page := exposition{maps.Clone(g.page.families)} // the counters have families of their own
	s.metrics.write(&page)
	page.add("venuekey_agent_info", "gauge", "Which agent this is.", labels("version", cmp.Or(s.Version, "unknown")), 1)
	page.add("venuekey_agent_start_time_seconds", "gauge", "When the agent began, in Unix time.", "", float64(s.started.Unix()))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := page.text()
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = io.WriteString(w, text)
}

// write adds what was counted.
func (m *metrics) write(page *exposition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for a, n := range m.asked {
		page.add("venuekey_asked_total", "counter", "Uses of sign-ins by verb, outcome and consumer; no consumer is this user.",
			labels("venue", a.venue, "verb", string(a.verb), "outcome", a.outcome, "consumer", a.consumer), float64(n))
	}
	for of, s := range m.renewals {
		at := labels("venue", of.venue, "outcome", of.outcome)
		page.add("venuekey_renewals_total", "counter", "Renewals that this agent asked of venues, by outcome.", at, float64(s.count))
		page.add("venuekey_renewal_seconds_total", "counter", "How long venues took for them.", at, s.seconds)
	}
	for of, s := range m.proxied {
		at := labels("venue", of.venue, "status", of.outcome)
		page.add("venuekey_proxied_total", "counter", "Calls that the proxy forwarded, by the status of the answer.", at, float64(s.count))
		page.add("venuekey_proxied_seconds_total", "counter", "How long venues took to begin their answers to them.", at, s.seconds)
	}
	page.add("venuekey_event_streams", "gauge", "Clients that read events.", "", float64(m.streams.Load()))
}

func counted(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// exposition is a page of metrics.
type exposition struct{ families map[string]*family }

type family struct {
	kind, help string
	samples    map[string]float64 // by labels
}

func (e *exposition) family(name, kind, help string) *family {
	if e.families == nil {
		e.families = map[string]*family{}
	}
	if e.families[name] == nil {
		e.families[name] = &family{kind, help, map[string]float64{}}
	}
	return e.families[name]
}

func (e *exposition) add(name, kind, help, at string, value float64) {
	e.family(name, kind, help).samples[at] = value
}

func (e *exposition) sum(name, kind, help, at string, value float64) {
	e.family(name, kind, help).samples[at] += value
}

func (e *exposition) most(name, kind, help, at string, value float64) {
	f := e.family(name, kind, help)
	if before, ok := f.samples[at]; !ok || value > before {
		f.samples[at] = value
	}
}

func (e *exposition) least(name, kind, help, at string, value float64) {
	f := e.family(name, kind, help)
	if before, ok := f.samples[at]; !ok || value < before {
		f.samples[at] = value
	}
}

// text is the page, in an order that stays.
func (e *exposition) text() string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(e.families)) {
		f := e.families[name]
		fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", name, f.help, name, f.kind)
		for _, at := range slices.Sorted(maps.Keys(f.samples)) {
			fmt.Fprintf(&out, "%s%s %g\n", name, at, f.samples[at])
		}
	}
	return out.String()
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labels are names and values in turn, as they are written behind a name. A value has letters that
// IDs, consumers and versions have, and is quoted all the same.
func labels(pairs ...string) string {
	var all []string
	for i := 0; i+1 < len(pairs); i += 2 {
		value := escaped.Replace(pairs[i+1])
		all = append(all, pairs[i]+`="`+value+`"`)
	}
	return "{" + strings.Join(all, ",") + "}"
}
