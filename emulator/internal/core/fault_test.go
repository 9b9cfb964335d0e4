package core

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// worker is a small venue with one endpoint that counts its work.
type worker struct {
	Base
	core *Core
	done atomic.Int32
}

func newWorker() *worker {
	w := new(worker)
	w.core = Start(&w.Base, Setup{})
	return w
}

func (v *worker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) {
		v.done.Add(1)
		Reply(w, http.StatusOK, map[string]string{"access_token": "aaaa"})
	}, emulator.AtToken, emulator.AtRefresh)
}

// got is what a client sees.
type got struct {
	status   int
	header   http.Header
	body     string
	sendErr  error // no answer
	cutShort bool  // the body ended too early
}

func ask(t *testing.T, ctx context.Context, url string) got {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // else the transport would repeat a GET by itself
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return got{sendErr: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return got{status: res.StatusCode, header: res.Header, body: string(body), cutShort: errors.Is(err, io.ErrUnexpectedEOF)}
}

func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind emulator.FaultKind
		set  emulator.Fault
		want func(g got) bool
	}{
		{kind: "drop", want: func(g got) bool { return g.sendErr != nil }},
		{kind: "delay", set: emulator.Fault{Delay: time.Nanosecond}, want: func(g got) bool { return g.status == 200 && strings.Contains(g.body, "aaaa") }},
		{kind: "status", want: func(g got) bool { return g.status == 503 && g.header.Get("Retry-After") == "" }},
		{kind: "status", set: emulator.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond},
			want: func(g got) bool { return g.status == 429 && g.header.Get("Retry-After") == "2" }},
		{kind: "status", set: emulator.Fault{Status: 403, Body: `{"message":"Forbidden"}`, ContentType: "application/json"},
			want: func(g got) bool {
				return g.status == 403 && g.body == `{"message":"Forbidden"}` && g.header.Get("Content-Type") == "application/json"
			}},
		{kind: "truncate", want: func(g got) bool { return g.status == 200 && g.cutShort && len(g.body) > 0 }},
		{kind: "html", want: func(g got) bool {
			return g.status == 200 && strings.HasPrefix(g.header.Get("Content-Type"), "text/html") && strings.Contains(g.body, "WordPress")
		}},
		{kind: "html", set: emulator.Fault{Status: 403}, want: func(g got) bool { return g.status == 403 }},
		{kind: "redirect", want: func(g got) bool { return g.status == 302 && g.header.Get("Location") == "https://elsewhere.invalid/" }},
		{kind: "redirect", set: emulator.Fault{Status: 307, Location: "http://x.invalid/"},
			want: func(g got) bool { return g.status == 307 && g.header.Get("Location") == "http://x.invalid/" }},
		{kind: "wrong-content-type", want: func(g got) bool {
			return g.status == 200 && g.header.Get("Content-Type") == "text/plain; charset=utf-8" && strings.HasPrefix(g.body, "{")
		}},
		{kind: "huge", want: func(g got) bool { return g.status == 200 && len(g.body) > 10<<20 }},
		{kind: "garbage", want: func(g got) bool { return g.header.Get("Content-Type") == "application/json" && len(g.body) < 100 }},
		{kind: "empty", want: func(g got) bool { return g.status == 200 && g.body == "" && !g.cutShort }},
	} {
		for _, when := range []emulator.FaultKind{"-before", "-after"} {
			kind := tc.kind + when
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				venue := newWorker()
				web := httptest.NewServer(venue)
				defer web.Close()
				f := tc.set
				f.Kind = kind
				venue.Inject(f)
				if g := ask(t, t.Context(), web.URL); !tc.want(g) {
					t.Errorf("status %d, error %v, cut short %v, headers %v, %d bytes", g.status, g.sendErr, g.cutShort, g.header, len(g.body))
				}
				worked := int32(0)
				if when == "-after" || kind == emulator.FaultDelayBefore {
					worked = 1
				}
				if n := venue.done.Load(); n != worked {
					t.Errorf("the work was done %d times, want %d", n, worked)
				}
				if venue.core.Log.Count(emulator.EventFaultInjected) != 1 {
					t.Error("the log does not have the fault")
				}
				if g := ask(t, t.Context(), web.URL); g.status != 200 || !strings.Contains(g.body, "aaaa") {
					t.Errorf("the fault stays: %+v", g)
				}
			})
		}
	}
}

func TestDelayWithoutEndLastsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	venue := newWorker()
	web := httptest.NewServer(venue)
	defer web.Close()
	venue.Inject(emulator.Fault{Kind: emulator.FaultDelayAfter})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan got, 1)
	go func() { left <- ask(t, ctx, web.URL) }()
	if err := venue.core.Log.Wait(t.Context(), emulator.EventFaultInjected, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if g := <-left; g.sendErr == nil {
		t.Error("an answer came")
	}
}

func TestDelayTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []emulator.FaultKind{emulator.FaultDelayBefore, emulator.FaultDelayAfter, emulator.FaultStatusBefore, emulator.FaultStatusAfter} {
			venue := newWorker()
			venue.Inject(emulator.Fault{Kind: kind, Delay: time.Hour})
			start := time.Now()
			venue.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			if got := time.Since(start); got != time.Hour {
				t.Errorf("%s took %v", kind, got)
			}
		}
	})
}

func TestFaultQueue(t *testing.T) {
	t.Parallel()
	var q Faults
	for _, f := range []emulator.Fault{
		{On: emulator.AtMe, Kind: emulator.FaultDropBefore, Times: -1},
		{On: emulator.AtRefresh, Kind: emulator.FaultStatusBefore, Times: 2},
		{On: emulator.AtToken, Kind: emulator.FaultHTMLBefore, Skip: 1},
		{On: emulator.AtExchange, Kind: emulator.FaultDropAfter},
	} {
		if err := q.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	var hits []emulator.FaultKind
	for range 5 {
		if f, ok := q.Take(emulator.AtToken, emulator.AtRefresh); ok {
			hits = append(hits, f.Kind)
		} else {
			hits = append(hits, "")
		}
	}
	want := []emulator.FaultKind{emulator.FaultStatusBefore, emulator.FaultStatusBefore, "", emulator.FaultHTMLBefore, ""}
	for i := range want {
		if hits[i] != want[i] {
			t.Fatalf("hits %q, want %q", hits, want)
		}
	}
	for range 3 {
		if _, ok := q.Take(emulator.AtMe); !ok {
			t.Fatal("a fault for ever ended")
		}
	}
	if p := q.Pending(); len(p) != 2 || p[1].On != emulator.AtExchange {
		t.Errorf("pending: %+v", p)
	}
	q.Clear()
	if _, ok := q.Take(emulator.AtMe); ok {
		t.Error("cleared faults strike")
	}
}

func TestFaultValid(t *testing.T) {
	t.Parallel()
	for _, f := range []emulator.Fault{
		{}, {Kind: "drop"}, {Kind: emulator.FaultDropAfter, Times: -2}, {Kind: emulator.FaultDropAfter, Skip: -1},
		{Kind: emulator.FaultDropAfter, Delay: -1}, {Kind: emulator.FaultStatusAfter, Status: 99}, {Kind: emulator.FaultStatusAfter, Status: 600},
	} {
		if new(Faults).Add(f) == nil {
			t.Errorf("%+v was taken", f)
		}
	}
	for _, k := range emulator.FaultKinds() {
		if err := (emulator.Fault{Kind: k}).Valid(); err != nil {
			t.Error(err)
		}
	}
}
