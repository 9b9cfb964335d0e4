package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/loopback"
)

// proxy.go owns the handler: who may make a call, and where it goes.

// ErrForbidden is the outcome of a call that Allow forbids.
var ErrForbidden = agent.ErrForbidden

// Asked is a call that a program asks for. The zero Asked is none yet.
type Asked struct {
	// Method is that of HTTP, or SOCKET for a message through a WebSocket.
	Method string
	// Name is the venue's name of the call, such as order/list.
	Name string
	// Effect is what it does.
	Effect venuekey.Effect
}

// methodSocket stands for the method of a message.
const methodSocket = "SOCKET"

// String returns the call as "GET order/list".
func (a Asked) String() string { return a.Method + " " + a.Name }

// Handler forwards calls. Set the fields before the first one.
type Handler struct {
	// Keeper owns the sign-ins. It is required.
	Keeper *venuekey.Keeper
	// Allow, unless nil, says whether a request may make a call with a sign-in. It is asked
	// about the zero Asked first: if it forbids that, the sign-in does not exist for whoever
	// asks. Its other errors are what the program gets.
	Allow func(r *http.Request, id venuekey.ID, asked Asked) error
	// Told, unless nil, is called before each call is sent, and for each that is forbidden. If
	// it returns an error, nothing is sent.
	Told func(r *http.Request, id venuekey.ID, asked Asked, generation int64, outcome error) error
	// Took, unless nil, is called with how long the venue took to begin its answer. The
	// status is 0 if none came.
	Took func(id venuekey.ID, status int, took time.Duration)
	// Base sends the requests of apps that trust no authorities of their own; nil means a
	// transport like http.DefaultTransport.
	Base http.RoundTripper
	// Log receives what happens; nil means no log.
	Log *slog.Logger

	once    sync.Once
	forward *httputil.ReverseProxy
	pools   pools
}

// call is a call that is forwarded.
type call struct {
	id     venuekey.ID
	asked  Asked
	target venuekey.Target
	source *venuekey.Source
	token  *venuekey.Token
	prefix string // of the paths that lead here
}

type callKey struct{}

func callIn(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(h.begin)
	place, wrong := placeOf(r)
	if wrong != nil {
		agent.Fail(w, http.StatusBadRequest, wrong)
		return
	}
	if err := h.allowed(r, place.id, Asked{}); err != nil {
		_ = h.told(r, place.id, Asked{Method: r.Method}, 0, ErrForbidden)
		agent.Fail(w, 0, &venuekey.Error{ID: place.id, Class: venuekey.ClassRefused, Err: venuekey.ErrNotFound}) // as if there were none
		return
	}
	c, status, err := h.judge(r, place)
	if err != nil {
		agent.Fail(w, status, err)
		return
	}
	patient := &patientWriter{w, http.NewResponseController(w)}
	_ = patient.control.SetReadDeadline(time.Time{}) // a body may take as long as it takes
	_ = patient.control.EnableFullDuplex()           // and the answer may begin before its end
	if c.target.Message != nil && isUpgrade(r) {
		h.socket(patient, r, c)
		return
	}
	h.forward.ServeHTTP(patient, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
}

// judge finds out what a call is, and whether it may be made. With an error comes the status of
// the answer; 0 is that of the error's class.
func (h *Handler) judge(r *http.Request, at place) (*call, int, error) {
	source := h.Keeper.Source(at.id)
	token, err := source.Token(r.Context())
	if err != nil {
		return nil, 0, err
	}
	asked := venuekey.Call{Host: at.host, Method: r.Method, Path: at.path, Query: r.URL.Query()}
	target, err := h.Keeper.Call(r.Context(), at.id, *token, asked)
	if err != nil {
		return nil, 0, err
	}
	if target.URL.Scheme != "https" && !loopback.Host(target.URL.Hostname()) {
		return nil, 0, &venuekey.Error{ID: at.id, Op: "proxy", Class: venuekey.ClassMisconfigured, Reason: "the venue's address is not https, and the token is not sent without"}
	}
	c := &call{id: at.id, asked: Asked{r.Method, target.Name, target.Effect}, target: target, source: source, token: token, prefix: at.prefix}
	if err := h.may(r, c.id, c.asked, token.Generation); err != nil {
		return nil, statusOf(err), err
	}
	return c, 0, nil
}

// may says whether a call may be made, and has it written down.
func (h *Handler) may(r *http.Request, id venuekey.ID, asked Asked, generation int64) error {
	err := h.allowed(r, id, asked)
	if asked.Effect == venuekey.EffectCredentials {
		err = fmt.Errorf("%s concerns the sign-in itself, which only venuekey renews and ends: %w", foreign.Name(asked.Name), ErrForbidden)
	}
	if err != nil {
		_ = h.told(r, id, asked, 0, ErrForbidden)
		return &venuekey.Error{ID: id, Op: "proxy", Class: venuekey.ClassDeclined, Reason: err.Error(), Err: ErrForbidden}
	}
	return h.told(r, id, asked, generation, nil)
}

func statusOf(err error) int {
	if errors.Is(err, ErrForbidden) {
		return http.StatusForbidden
	}
	return 0
}

func (h *Handler) allowed(r *http.Request, id venuekey.ID, asked Asked) error {
	if h.Allow == nil {
		return nil
	}
	return h.Allow(r, id, asked)
}

func (h *Handler) told(r *http.Request, id venuekey.ID, asked Asked, generation int64, outcome error) error {
	if h.Told == nil {
		return nil
	}
	return h.Told(r, id, asked, generation, outcome)
}

func (h *Handler) took(id venuekey.ID, status int, began time.Time) {
	if h.Took != nil {
		h.Took(id, status, time.Since(began))
	}
}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}

// Format implements fmt.Formatter: a Handler prints as its name alone.
func (h *Handler) Format(f fmt.State, _ rune) { fmt.Fprint(f, "proxy.Handler") }

// CloseIdleConnections closes connections to venues that wait for a next call.
func (h *Handler) CloseIdleConnections() { h.pools.close() }

// begin makes what forwards.
func (h *Handler) begin() {
	h.forward = &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: signing{h}, FlushInterval: -1, // streams are not held back
		ModifyResponse: h.answer, ErrorHandler: h.failed, BufferPool: new(buffers),
		ErrorLog: slog.NewLogLogger(h.log().Handler(), slog.LevelDebug),
	}
}
