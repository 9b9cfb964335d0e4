package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
)

// main_test.go owns the stage of the stories: an endpoint that does as it is told, and a
// folder for what has not arrived.

func TestMain(m *testing.M) {
	if actAsSender() {
		return
	}
	goleak.VerifyTestMain(m)
}

const testKey venuekey.Secret = "0123456789abcdef0123456789abcdef"

var alice, bob = venuekey.ID{Venue: "ctrader", Name: "alice"}, venuekey.ID{Venue: "ctrader", Name: "bob"}

// endpoint is a webhook's other side.
type endpoint struct {
	mu sync.Mutex
	// answer is what the next requests get; nil is 204.
	answer func(*http.Request) (*http.Response, error)
	got    []request
}

type request struct {
	at     time.Time
	header http.Header
	body   string
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	e.got = append(e.got, request{time.Now(), r.Header, string(body)})
	answer := e.answer
	e.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body)) // an answer may depend on it
	if answer == nil {
		return answering(http.StatusNoContent, "")(r)
	}
	return answer(r)
}

// now answers so from now on.
func (e *endpoint) now(answer func(*http.Request) (*http.Response, error)) {
	e.mu.Lock()
	e.answer = answer
	e.mu.Unlock()
}

// take returns the requests since it was last called.
func (e *endpoint) take() []request {
	e.mu.Lock()
	defer e.mu.Unlock()
	got := e.got
	e.got = nil
	return got
}

// answering is a status with a body, and perhaps header fields in pairs.
func answering(status int, body string, fields ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		for i := 0; i+1 < len(fields); i += 2 {
			response.Header.Set(fields[i], fields[i+1])
		}
		return response, nil
	}
}

func refusing(*http.Request) (*http.Response, error) {
	return nil, errors.New("dial tcp 192.0.2.1:443: connect: connection refused")
}

// hanging never answers.
func hanging(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// cut breaks off in the middle of an answer.
func cut(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func mustAddress(t testing.TB, text string) Address {
	t.Helper()
	address, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// logged collects a log.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// post is a courier that runs, with its endpoint and folder.
type post struct {
	*Courier
	t      *testing.T
	folder string
	end    *endpoint
	said   *logged
	stop   func()
}

// newPost begins a courier over a folder; change, unless nil, changes it first.
func newPost(t *testing.T, folder string, end *endpoint, change func(*Courier)) *post {
	t.Helper()
	outbox, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	p := &post{t: t, folder: folder, end: end, said: &logged{}}
	p.Courier = &Courier{Webhook: Webhook{Address: mustAddress(t, "https://hooks.example.com/a/path"), Key: testKey, Transport: end}, Outbox: outbox, Log: slog.New(slog.NewTextHandler(p.said, nil))}
	if change != nil {
		change(p.Courier)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		if err := outbox.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

// files are the deliveries that wait, and those that are dead.
func (p *post) files() (waits, dead []Letter) {
	p.t.Helper()
	waits, odd, err := list(p.folder, waiting, nil)
	if err != nil || len(odd) > 0 {
		p.t.Fatal(err, odd)
	}
	dead, odd, err = Dead(p.folder)
	if err != nil || len(odd) > 0 {
		p.t.Fatal(err, odd)
	}
	return waits, dead
}

func trouble(id venuekey.ID, reason string) venuekey.Event {
	now := time.Now()
	return venuekey.Event{Kind: venuekey.EventTrouble, At: now, Reason: reason, Remedy: "venuekey login " + id.String(),
		Status: venuekey.Status{ID: id, State: venuekey.StateNeedsSignIn, Reason: reason, Ending: venuekey.EndNever, Expires: now.Add(30 * 24 * time.Hour), Left: 30 * 24 * time.Hour}}
}

func noticeOf(id venuekey.ID, reason string) Notice {
	return Of(trouble(id, reason), "venuekey login "+id.String())
}

func newFolder(t testing.TB) string { return filepath.Join(t.TempDir(), "notify", "vault") }
