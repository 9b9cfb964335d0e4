package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// streaming.go owns server-sent events (WHATWG HTML, section 9.2).

const (
	// beat is how often a stream without events says that it is alive.
	beat = 15 * time.Second
	// slowest is how long a client may take to read what is written at once.
	slowest = 30 * time.Second
)

// events streams what happens to sign-ins: what is known of each, as "found", and then what
// happens; or what happened after Last-Event-ID.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	query, ok := queryOf(w, r)
	if !ok {
		return
	}
	only, wrong := onlyOf(query["id"])
	if wrong != nil {
		failWith(w, http.StatusBadRequest, wrong)
		return
	}
	control := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	out := &eventStream{s: s, r: r, w: w, control: control, only: only}
	at, known := s.ring.position(r.Header.Get("Last-Event-ID"))
	s.metrics.streams.Add(1)
	defer s.metrics.streams.Add(-1)
	ok = out.write(": venuekey agent\n\n")
	if !known {
		at, ok = out.whole(r.Header.Get("Last-Event-ID") != "")
	}
	timer := time.NewTicker(beat)
	defer timer.Stop()
	for ok {
		events, lost, next := s.ring.since(at)
		if lost {
			at, ok = out.whole(true)
			continue
		}
		for _, e := range events {
			at, ok = e.number, ok && out.event(e)
		}
		if !ok {
			return
		}
		select {
		case <-next:
		case <-timer.C:
			ok = s.stillAdmitted(r) && out.write(":\n\n")
		case <-s.ending:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// stillAdmitted reports whether whoever began a stream would be let in now.
func (s *Server) stillAdmitted(r *http.Request) bool {
	if s.Admit == nil {
		return true
	}
	_, err := s.Admit(r)
	return err == nil
}

// eventStream is a client that reads events.
type eventStream struct {
	s       *Server
	r       *http.Request
	w       http.ResponseWriter
	control *http.ResponseController
	only    map[venuekey.ID]bool // empty for all
}

// write sends text at once. It is false if the client has gone, or reads too slowly.
func (e *eventStream) write(text string) bool {
	_ = e.control.SetWriteDeadline(time.Now().Add(slowest))
	_, err := fmt.Fprint(e.w, text)
	return err == nil && e.control.Flush() == nil
}

// event sends an event if the client wants it and may have it.
func (e *eventStream) event(h happening) bool {
	if len(e.only) > 0 && !e.only[h.id] || e.s.allowed(e.r, h.id, VerbStatus) != nil {
		return true
	}
	return e.write(e.s.ring.format(h))
}

// whole sends what is known of every sign-in, and says before that events are missing if some
// are. It returns the number of the last event that is in it.
func (e *eventStream) whole(missing bool) (at int64, ok bool) {
	all, at := e.s.ring.found()
	ok = !missing || e.write(e.s.ring.reset(at))
	for _, known := range all {
		if !ok {
			return at, false
		}
		h := *known
		h.number, h.form.Kind, h.form.Before = at, h.kind, ""
		ok = e.event(h)
	}
	return at, ok
}

// onlyOf reads the IDs that a client wants to hear of.
func onlyOf(texts []string) (map[venuekey.ID]bool, *venuekey.Error) {
	only := map[venuekey.ID]bool{}
	for _, text := range texts {
		id, err := venuekey.ParseID(text)
		if err != nil {
			return nil, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "id is an ID, as in ctrader/alice"}
		}
		only[id] = true
	}
	return only, nil
}

// position is where a stream goes on: after the event that the client saw last. It is not known
// if there is none, or if that is another process's.
func (r *ring) position(lastEventID string) (at int64, known bool) {
	mark, number, ok := strings.Cut(lastEventID, "-")
	at, err := strconv.ParseInt(number, 10, 64)
	return at, ok && err == nil && mark == r.mark && at >= 0
}

// format is an event as it is sent.
func (r *ring) format(e happening) string {
	data, _ := json.Marshal(e.form)
	return fmt.Sprintf("id: %s-%d\nevent: %s\ndata: %s\n\n", r.mark, e.number, e.kind, data)
}

// reset tells a client that events are missing, and that it has to read everything again.
func (r *ring) reset(at int64) string {
	return fmt.Sprintf("id: %s-%d\nevent: reset\ndata: {\"kind\":\"reset\"}\n\n", r.mark, at)
}
