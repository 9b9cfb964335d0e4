package agent

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// metrics.go owns what a monitor reads, in the text format of Prometheus (version 0.0.4). No ID and
// no user is in a label.

// metrics counts what the server does. The zero value is ready to use.
type metrics struct {
	streams atomic.Int64
	mu      sync.Mutex
	asked   map[asked]int64
}

// asked is a use of a sign-in.
type asked struct {
	venue, outcome string
	verb           Verb
}

func (m *metrics) count(venue string, verb Verb, outcome error) {
	word := "given"
	if outcome != nil {
		if class, err := venuekey.ClassOf(outcome).MarshalText(); err == nil {
			word = string(class)
		}
	}
	if outcome == ErrForbidden {
		word = "forbidden"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked == nil {
		m.asked = map[asked]int64{}
	}
	m.asked[asked{venue, word, verb}]++
}

// gathered is what is known of the sign-ins at a time.
type gathered struct {
	states   map[[2]string]int // by venue and state
	deaths   map[string]float64
	late     map[string]int
	failures map[string]int
}

// gather reads the status of all sign-ins.
func (s *Server) gather(r *http.Request) (g gathered, err error) {
	g = gathered{map[[2]string]int{}, map[string]float64{}, map[string]int{}, map[string]int{}}
	now := time.Now()
	for status, err := range s.Keeper.Statuses(r.Context()) {
		if err != nil {
			return g, err
		}
		venue := status.ID.Venue
		g.states[[2]string{venue, string(status.State)}]++
		if status.Failures > 0 {
			g.failures[venue]++
		}
		if !status.NextRefresh.IsZero() && now.Sub(status.NextRefresh) > time.Minute {
			g.late[venue]++
		}
		if status.EndsAnyway && !status.SignInEnds.IsZero() {
			left := status.SignInEnds.Sub(now).Seconds()
			if before, known := g.deaths[venue]; !known || left < before {
				g.deaths[venue] = left
			}
		}
	}
	return g, nil
}

// monitor answers a monitor. One that may not see every sign-in sees none.
func (s *Server) monitor(w http.ResponseWriter, r *http.Request) {
	if err := s.allowed(r, venuekey.ID{Venue: "*"}, VerbStatus); err != nil {
		failWith(w, http.StatusNotFound, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "metrics are for those who may see the status of every sign-in"})
		return
	}
	g, err := s.gather(r)
	if err != nil {
		fail(w, err)
		return
	}
	var out strings.Builder
	family := func(name, kind, help string, samples map[string]float64) {
		fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, labels := range slices.Sorted(maps.Keys(samples)) {
			fmt.Fprintf(&out, "%s%s %g\n", name, labels, samples[labels])
		}
	}
	byVenue := func(counts map[string]int) map[string]float64 {
		samples := map[string]float64{}
		for venue, n := range counts {
			samples[fmt.Sprintf(`{venue=%q}`, venue)] = float64(n)
		}
		return samples
	}
	states, deaths, uses := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for of, n := range g.states {
		states[fmt.Sprintf(`{venue=%q,state=%q}`, of[0], of[1])] = float64(n)
	}
	for venue, left := range g.deaths {
		deaths[fmt.Sprintf(`{venue=%q}`, venue)] = left
	}
	s.metrics.mu.Lock()
	for a, n := range s.metrics.asked {
		uses[fmt.Sprintf(`{venue=%q,verb=%q,outcome=%q}`, a.venue, a.verb, a.outcome)] = float64(n)
	}
	s.metrics.mu.Unlock()
	family("venuekey_agent_info", "gauge", "Which agent this is.", map[string]float64{fmt.Sprintf(`{version=%q}`, cmp.Or(s.Version, "unknown")): 1})
	family("venuekey_signins", "gauge", "Sign-ins by state.", states)
	family("venuekey_signins_failing", "gauge", "Sign-ins whose last renewal failed.", byVenue(g.failures))
	family("venuekey_signins_late", "gauge", "Sign-ins that have been due for more than a minute.", byVenue(g.late))
	family("venuekey_first_end_seconds", "gauge", "Seconds until the first sign-in ends that no renewal saves.", deaths)
	family("venuekey_asked_total", "counter", "Uses of sign-ins by verb and outcome.", uses)
	family("venuekey_event_streams", "gauge", "Clients that read events.", map[string]float64{"": float64(s.metrics.streams.Load())})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(out.String()))
}
