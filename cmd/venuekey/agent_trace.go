package main

import (
	"net/http"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/otlp"
)

// agent_trace.go owns what the agent's traces say: a span for each renewal and for each call, without a
// token, and without an ID unless metrics have it too.

// tracer makes spans. Its exporter is nil if nobody asked for traces.
type tracer struct {
	exporter *otlp.Exporter
	ids      bool
}

// newTracer reads the standard environment variables of OpenTelemetry.
func (p *program) newTracer(ids bool) (tracer, error) {
	exporter, err := otlp.New(p.env, version().Version, p.log())
	if err != nil {
		return tracer{}, &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Reason: err.Error(), Remedy: "correct it, or set OTEL_SDK_DISABLED=true"}
	}
	return tracer{exporter, ids}, nil
}

// trace lets a server and its Keeper send spans.
func (t tracer) trace(server *agent.Server) {
	if t.exporter == nil {
		server.Keeper.Presented = server.Presented
		return
	}
	server.Around = func(next http.Handler) http.Handler { return t.exporter.Around(next, t.call) }
	server.Keeper.Presented = func(p venuekey.Presentation) {
		server.Presented(p)
		t.renewal(p)
	}
}

func (t tracer) renewal(p venuekey.Presentation) {
	span, ok := t.exporter.Begin("renew "+p.ID.Venue, p.Began)
	if !ok {
		return
	}
	span.Ended = p.Began.Add(p.Took)
	span.Attributes = map[string]any{"venuekey.venue": p.ID.Venue, "venuekey.generation": p.Generation, "venuekey.outcome": "granted"}
	if p.Err != nil {
		class := venuekey.ClassOf(p.Err).String()
		span.Attributes["venuekey.outcome"], span.Failed = class, class
	}
	if t.ids {
		span.Attributes["venuekey.id"] = p.ID.String()
	}
	t.exporter.Send(span)
}

// call names a call without what it is about. Streams of events have no end that says anything.
func (t tracer) call(r *http.Request) (name string, attributes map[string]any) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	route, about := "/"+parts[0], parts[1:]
	if parts[0] == "v1" && len(parts) > 1 {
		route, about = "/v1/"+parts[1], parts[2:]
	}
	if route == "/v1/events" {
		return "", nil
	}
	attributes = map[string]any{"http.route": route}
	if len(about) > 1 {
		if id, err := venuekey.ParseID(about[0] + "/" + about[1]); err == nil {
			attributes["venuekey.venue"] = id.Venue
			if t.ids {
				attributes["venuekey.id"] = id.String()
			}
		}
	}
	return r.Method + " " + route, attributes
}
