package otlp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// env returns variables from "A=b C=d".
func env(list string) func(string) string {
	all := map[string]string{}
	for _, one := range strings.Fields(list) {
		name, value, _ := strings.Cut(one, "=")
		all[name] = value
	}
	return func(name string) string { return all[name] }
}

func TestWhatTheEnvironmentAsksFor(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "nothing",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318":                                            "http://c:4318/v1/traces",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/base/":                                      "http://c:4318/base/v1/traces",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://c/x":                                       "https://c/x",
		"OTEL_TRACES_EXPORTER=otlp":                                                            "http://localhost:4318/v1/traces",
		"OTEL_TRACES_EXPORTER=none OTEL_EXPORTER_OTLP_ENDPOINT=http://c":                       "nothing",
		"OTEL_SDK_DISABLED=true OTEL_EXPORTER_OTLP_ENDPOINT=http://c":                          "nothing",
		"OTEL_TRACES_EXPORTER=zipkin":                                                          "! only otlp and none",
		"OTEL_EXPORTER_OTLP_ENDPOINT=c:4318":                                                   "! no http address",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_TRACES_SAMPLER=x":                           "! none that is known",
		"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                           "! http/json only",
		"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_HEADERS=key-secret":                      "! not a list",
		"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_HEADERS=a=b%20c,d=e":                     "http://localhost:4318/v1/traces",
		"OTEL_TRACES_EXPORTER=otlp OTEL_TRACES_SAMPLER=traceidratio":                           "http://localhost:4318/v1/traces",
		"OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=2 OTEL_TRACES_EXPORTER=otlp": "! from 0 to 1",
	} {
		s, err := read(env(given), "1")
		got := "nothing"
		switch {
		case err != nil:
			got = "! " + err.Error()
		case s != nil:
			got = s.endpoint
		}
		if got != want && (!strings.HasPrefix(want, "!") || !strings.HasPrefix(got, "!") || !strings.Contains(got, want[2:])) || strings.Contains(got, "key-secret") {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}

// collector is a collector that answers in turn, and keeps what it took.
type collector struct {
	answers []int // 0 for none; then 200
	took    []string
	at      []time.Time
}

// RoundTrip implements http.RoundTripper.
func (c *collector) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c.at = append(c.at, time.Now())
	code := 200
	if len(c.answers) > 0 {
		code, c.answers = c.answers[0], c.answers[1:]
	}
	if code == 0 {
		return nil, errors.New("nobody there")
	}
	if code == 200 {
		c.took = append(c.took, r.Header.Get("X-Key")+" "+string(text))
	}
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func exporting(t *testing.T, c *collector) *Exporter {
	t.Helper()
	e, err := New(env("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1 OTEL_EXPORTER_OTLP_HEADERS=x-key=k OTEL_RESOURCE_ATTRIBUTES=host=a"), "1.0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	e.client.Transport = c
	return e
}

func TestSpansAreSentInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &collector{answers: []int{503, 0, 200}}
		e := exporting(t, c)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan bool)
		go func() { e.Run(ctx); close(done) }()
		span, ok := e.Begin("renew ttp", time.Now())
		if !ok {
			t.Fatal("it is left out")
		}
		span.Ended, span.Failed, span.Attributes = span.Began.Add(time.Second), "later", map[string]any{"n": int64(3), "b": true, "s": "x"}
		e.Send(span)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(c.took) != 1 || len(c.at) != 3 || c.at[2].Sub(c.at[0]) != 3*time.Second {
			t.Fatal(c.took, c.at)
		}
		key, text, _ := strings.Cut(c.took[0], " ")
		var form batchForm
		if err := json.Unmarshal([]byte(text), &form); err != nil || key != "k" {
			t.Fatal(key, err)
		}
		one := form.Resources[0].Scopes[0].Spans[0]
		if one.Name != "renew ttp" || one.Kind != kindClient || len(one.Trace) != 32 || len(one.ID) != 16 || one.Parent != "" || one.Status.Code != codeError ||
			one.Ended != strconv.FormatInt(span.Ended.UnixNano(), 10) || !strings.Contains(text, `{"key":"n","value":{"intValue":"3"}}`) || !strings.Contains(text, `{"key":"service.name","value":{"stringValue":"venuekey"}}`) {
			t.Error(text)
		}
		e.Send(span)
		stop() // what waits is sent
		<-done
		if len(c.took) != 2 {
			t.Error(c.took)
		}
	})
}

// A collector that is away costs a bounded number of spans, and no time.
func TestACollectorThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &collector{answers: make([]int, 1000)}
		e := exporting(t, c)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan bool)
		go func() { e.Run(ctx); close(done) }()
		for range 3 * mostWaiting {
			e.Send(Span{Name: "x"})
		}
		e.mu.Lock()
		if len(e.waiting) > mostWaiting {
			t.Error(len(e.waiting))
		}
		e.mu.Unlock()
		time.Sleep(time.Minute)
		began := time.Now()
		stop()
		<-done
		if took := time.Since(began); took > farewell {
			t.Error("the end took", took)
		}
		if tries := len(c.at); tries > 4*mostTries+2 {
			t.Error(tries, "tries")
		}
	})
}

func TestWhoseTraceItIs(t *testing.T) {
	t.Parallel()
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for field, want := range map[string]bool{
		good: true, good[:53] + "00": true, "": false, strings.ToUpper(good): false, good + "-x": false, "ff" + good[2:]: false, "01" + good[2:] + "-x": true,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false, "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		good[:54]: false, strings.Replace(good, "b7", "zz", 1): false,
	} {
		if _, _, _, ok := parent(field); ok != want {
			t.Errorf("%q: %v", field, ok)
		}
	}
	half := sampler{ratio: 0.5}
	trace := [16]byte{}
	low := half.takes(trace, false, false)
	trace[8] = 0xff
	if high := half.takes(trace, false, false); !low || high {
		t.Error(low, high)
	}
	based, err := samplerOf("", "")
	if err != nil || !based.takes(trace, false, false) || based.takes(trace, true, false) || !(sampler{0, true}).takes(trace, true, true) {
		t.Error(based, err)
	}
}

func FuzzParent(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Fuzz(func(t *testing.T, field string) {
		trace, id, _, ok := parent(field)
		if ok != (trace != [16]byte{}) || ok != (id != [8]byte{}) {
			t.Errorf("%q: %x %x %v", field, trace, id, ok)
		}
	})
}
