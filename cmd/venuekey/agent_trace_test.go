package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// Traces have renewals and calls, in the trace of whoever asks; and no token, and no ID unless the
// metrics have it too.
func TestTracesSayNoSecret(t *testing.T) {
	for _, ids := range []bool{false, true} {
		var got strings.Builder
		collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(&got, r.Body) }))
		p := &program{host: host{stderr: io.Discard, environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL}}}
		traces, err := p.newTracer(ids)
		if err != nil {
			t.Fatal(err)
		}
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		server := &agent.Server{Keeper: keeper}
		traces.trace(server)
		handler := server.Around(server)
		const caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		for _, call := range []string{"GET /v1/token/stage/alice", "POST /v1/signins/stage/alice/refresh", "GET /v1/token/stage/nobody", "GET /v1/signins"} {
			method, path, _ := strings.Cut(call, " ")
			request := httptest.NewRequest(method, "/", nil)
			request.URL.Path = path
			request.Header.Set("Traceparent", caller)
			handler.ServeHTTP(httptest.NewRecorder(), request)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		traces.exporter.Run(ended)
		collector.Close()
		text := got.String()
		for _, want := range []string{`"name":"renew stage"`, `"name":"GET /v1/token"`, `"name":"POST /v1/signins"`, `"traceId":"0af7651916cd43dd8448eb211c80319c"`, `"parentSpanId":"b7ad6b7169203331"`, `{"intValue":"404"}`, `{"stringValue":"granted"}`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is not in %s", want, text)
			}
		}
		if strings.Contains(text, "access-") || strings.Contains(text, "refresh-") || strings.Contains(text, "alice") != ids {
			t.Error(text)
		}
	}
}
