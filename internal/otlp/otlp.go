package otlp

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// otlp.go owns the exporter: spans wait, and are sent in batches. It never delays who sends one.

const (
	mostWaiting = 2048
	mostAtOnce  = 512
	batchEvery  = 5 * time.Second
	// mostTries is how often a batch is sent to a collector that cannot take it now.
	mostTries = 5
	// farewell is how long the last batch may take when the program ends.
	farewell = 3 * time.Second
)

// Span is a piece of work.
type Span struct {
	Name string
	// Server says that somebody asked for it; otherwise it asked a server itself.
	Server bool
	// Trace, ID and Parent are its numbers; New makes them.
	Trace      [16]byte
	ID, Parent [8]byte
	Began      time.Time
	Ended      time.Time
	// Attributes are strings, ints and bools by their names.
	Attributes map[string]any
	// Failed is why it failed; "" if it did not.
	Failed string
}

// Exporter sends spans. A nil one sends nothing.
type Exporter struct {
	settings *settings
	client   *http.Client
	log      *slog.Logger
	version  string

	mu      sync.Mutex
	waiting []Span
	dropped int
	full    chan struct{} // holds an item if a batch is full
}

// New returns the exporter that the environment asks for, nil if it asks for none.
func New(env func(string) string, version string, log *slog.Logger) (*Exporter, error) {
	s, err := read(env, version)
	if s == nil || err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client := &http.Client{Transport: transport, Timeout: s.timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Exporter{settings: s, client: client, log: log, version: version, full: make(chan struct{}, 1)}, nil
}

// Send queues a span, or drops it if too many wait.
func (e *Exporter) Send(s Span) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) >= mostWaiting {
		e.dropped++
		return
	}
	if e.waiting = append(e.waiting, s); len(e.waiting) >= mostAtOnce {
		select {
		case e.full <- struct{}{}:
		default:
		}
	}
}

// Run sends what was queued until the context ends, and then the rest.
func (e *Exporter) Run(ctx context.Context) {
	if e == nil {
		return
	}
	defer e.client.CloseIdleConnections()
	timer := time.NewTicker(batchEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
			defer cancel()
			for e.flush(last) {
			}
			return
		case <-timer.C:
		case <-e.full:
		}
		for e.flush(ctx) {
		}
	}
}

// flush sends a batch, and reports whether more wait.
func (e *Exporter) flush(ctx context.Context) bool {
	e.mu.Lock()
	n := min(len(e.waiting), mostAtOnce)
	batch := append([]Span(nil), e.waiting[:n]...)
	e.waiting = append(e.waiting[:0], e.waiting[n:]...)
	dropped := e.dropped
	e.dropped = 0
	e.mu.Unlock()
	if dropped > 0 {
		e.log.Warn("spans were dropped, because the collector does not take them", "spans", dropped)
	}
	if n == 0 {
		return false
	}
	if err := e.deliver(ctx, e.form(batch)); err != nil && ctx.Err() == nil {
		e.log.Warn("the collector did not take the traces", "spans", n, "error", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return ctx.Err() == nil && len(e.waiting) >= mostAtOnce
}

// deliver sends a batch, again if the collector says that it may be (OTLP, "Failures").
func (e *Exporter) deliver(ctx context.Context, batch any) error {
	body, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	pause := time.Second
	for try := 1; ; try++ {
		again, after, err := e.post(ctx, body)
		if err == nil || !again || try == mostTries {
			return err
		}
		timer := time.NewTimer(max(pause, min(after, time.Minute)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		pause *= 2
	}
}

func (e *Exporter) post(ctx context.Context, body []byte) (again bool, after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.settings.endpoint, bytes.NewReader(body))
	if err != nil {
		return false, 0, err
	}
	request.Header.Set("User-Agent", "venuekey/"+e.version)
	for name, value := range e.settings.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := e.client.Do(request)
	if err != nil {
		return true, 0, err
	}
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, 0, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return true, time.Duration(seconds) * time.Second, fmt.Errorf("it answered %d", response.StatusCode)
	}
	return false, 0, fmt.Errorf("it answered %d", response.StatusCode)
}

// attribute is a key and a value, in the JSON of OTLP.
type attribute struct {
	Key   string         `json:"key"`
	Value map[string]any `json:"value"`
}

func text(key, value string) attribute {
	return attribute{key, map[string]any{"stringValue": value}}
}

func attributeOf(key string, value any) attribute {
	switch value := value.(type) {
	case bool:
		return attribute{key, map[string]any{"boolValue": value}}
	case int:
		return attribute{key, map[string]any{"intValue": strconv.Itoa(value)}} // 64 bits are text in this JSON
	case int64:
		return attribute{key, map[string]any{"intValue": strconv.FormatInt(value, 10)}}
	}
	return text(key, fmt.Sprint(value))
}

// The JSON of a batch.
type (
	batchForm struct {
		Resources []resourceForm `json:"resourceSpans"`
	}
	resourceForm struct {
		Resource struct {
			Attributes []attribute `json:"attributes"`
		} `json:"resource"`
		Scopes []scopeForm `json:"scopeSpans"`
	}
	scopeForm struct {
		Scope struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"scope"`
		Spans []spanForm `json:"spans"`
	}
	spanForm struct {
		Trace      string      `json:"traceId"`
		ID         string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"`
		Began      string      `json:"startTimeUnixNano"`
		Ended      string      `json:"endTimeUnixNano"`
		Attributes []attribute `json:"attributes,omitempty"`
		Status     *statusForm `json:"status,omitempty"`
	}
	statusForm struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
)

const (
	kindServer = 2
	kindClient = 3
	codeError  = 2
)

func (e *Exporter) form(batch []Span) batchForm {
	var resource resourceForm
	resource.Resource.Attributes = e.settings.resource
	var scope scopeForm
	scope.Scope.Name, scope.Scope.Version = "github.com/venuekey/venuekey", e.version
	for _, s := range batch {
		form := spanForm{
			Trace: hex.EncodeToString(s.Trace[:]), ID: hex.EncodeToString(s.ID[:]), Name: s.Name, Kind: kindClient,
			Began: strconv.FormatInt(s.Began.UnixNano(), 10), Ended: strconv.FormatInt(s.Ended.UnixNano(), 10),
		}
		if s.Parent != [8]byte{} {
			form.Parent = hex.EncodeToString(s.Parent[:])
		}
		if s.Server {
			form.Kind = kindServer
		}
		if s.Failed != "" {
			form.Status = &statusForm{codeError, s.Failed}
		}
		for key, value := range s.Attributes {
			form.Attributes = append(form.Attributes, attributeOf(key, value))
		}
		scope.Spans = append(scope.Spans, form)
	}
	resource.Scopes = []scopeForm{scope}
	return batchForm{[]resourceForm{resource}}
}
