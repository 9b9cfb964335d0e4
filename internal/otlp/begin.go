package otlp

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// begin.go owns where a span begins: by itself, or in the trace of whoever asks.

// Begin begins a span of its own trace, and returns it unless the sampler leaves it out.
func (e *Exporter) Begin(name string, at time.Time) (s Span, ok bool) {
	if e == nil {
		return s, false
	}
	s = Span{Name: name, Began: at}
	rand.Read(s.Trace[:])
	rand.Read(s.ID[:])
	return s, e.settings.sampler.takes(s.Trace, false, false)
}

// parent is what a caller says of its own span (W3C Trace Context §3.2).
func parent(field string) (trace [16]byte, id [8]byte, sampled, ok bool) {
	parts := strings.Split(field, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" || parts[0] == "00" && len(parts) != 4 || len(parts[1]) != 32 || len(parts[2]) != 16 || len(parts[3]) != 2 || strings.ToLower(field) != field {
		return trace, id, false, false
	}
	flags, err := hex.DecodeString(parts[3])
	_, wrongTrace := hex.Decode(trace[:], []byte(parts[1]))
	_, wrongID := hex.Decode(id[:], []byte(parts[2]))
	if err != nil || wrongTrace != nil || wrongID != nil || trace == [16]byte{} || id == [8]byte{} {
		return [16]byte{}, [8]byte{}, false, false
	}
	return trace, id, flags[0]&1 == 1, true
}

// Around returns a handler that sends a span for each request that name has a name for, which must
// not be one of a sign-in.
func (e *Exporter) Around(next http.Handler, name func(*http.Request) (string, map[string]any)) http.Handler {
	if e == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called, attributes := name(r)
		s, takes := e.Begin(called, time.Now())
		if trace, id, sampled, ok := parent(r.Header.Get("Traceparent")); ok {
			s.Trace, s.Parent = trace, id
			takes = e.settings.sampler.takes(trace, true, sampled)
		}
		if called == "" || !takes {
			next.ServeHTTP(w, r)
			return
		}
		watched := &watchedWriter{ResponseWriter: w}
		defer func() {
			s.Server, s.Ended, s.Attributes = true, time.Now(), attributes
			if s.Attributes == nil {
				s.Attributes = map[string]any{}
			}
			s.Attributes["http.request.method"], s.Attributes["http.response.status_code"] = r.Method, watched.status()
			if watched.status() >= 500 {
				s.Failed = http.StatusText(watched.status())
			}
			e.Send(s)
		}()
		next.ServeHTTP(watched, r)
	})
}

// watchedWriter notes the status of an answer.
type watchedWriter struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements http.ResponseWriter.
func (w *watchedWriter) WriteHeader(code int) {
	if w.code == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watchedWriter) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}
