package agent_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
)

// FuzzFailure reads whatever may stand at the other end of a socket: there is always a class, and
// a reason that can be shown.
func FuzzFailure(f *testing.F) {
	for _, text := range []string{`{"error":{"class":"later","reason":"x","retry_after":1e300}}`, `{"error":{"class":"?"}}`, "<html>", "", `{"error":[]}`} {
		f.Add(503, []byte(text))
	}
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		known := agent.FailureOf(status, text)
		if _, err := known.Class.MarshalText(); err != nil || known.Error() == "" || known.RetryAfter < 0 {
			t.Errorf("%d %q: %+v", status, text, known)
		}
		if venuekey.NeedsSignIn(known) != (known.Class == venuekey.ClassRefused) {
			t.Errorf("%+v", known)
		}
	})
}

// FuzzEvent reads whatever may come in a stream.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"kind":"rotated","id":"stage/alice","at":"2026-01-02T03:04:05Z","generation":3}`))
	f.Add([]byte(`{"kind":"reset"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if event, ok := agent.EventOf(data); ok && event.Kind == "" {
			t.Errorf("%q: %+v", data, event)
		}
	})
}
