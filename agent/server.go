package agent

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
)

// server.go owns the server: its fields, its routes, and its life.

const (
	// mostBody is the longest body of a request, in bytes: it holds one access token.
	mostBody = 64 << 10
	// mostHeader is the longest head of a request.
	mostHeader = 16 << 10
	// longest is how long an answer may take to be written, with all that it waits for, so that a
	// client that reads nothing goes one day.
	longest = 10 * time.Minute
	// bodyPatience is how long the body of a request may take.
	bodyPatience = 30 * time.Second
	// farewell is how long requests under way may take once the server ends.
	farewell = 5 * time.Second
)

// ErrForbidden is the outcome of what Allow forbids.
var ErrForbidden = errors.New("forbidden")

// Verb is what somebody may do with a sign-in.
type Verb string

// The verbs of API v1.
const (
	VerbStatus  Verb = "status"
	VerbToken   Verb = "token"
	VerbRefused Verb = "refused"
	VerbRefresh Verb = "refresh"
	VerbProxy   Verb = "proxy"
	VerbAdmin   Verb = "admin"
)

// Server answers for a Keeper. Set the fields before the first call. Keeper.Run runs beside it.
type Server struct {
	// Keeper owns the sign-ins. It is required.
	Keeper *venuekey.Keeper
	// Version is what /v1/version says.
	Version string
	// Vault names the vault, so that a client of another one is not answered; "" asks nobody.
	// See VaultName.
	Vault string
	// Admit, unless nil, says who asks, before anything else is answered. It returns the request
	// with what Allow and Told need to know in its context, or an error: then the answer is 401.
	// If it is nil, only what comes through a Unix socket is answered; anything else needs TLS.
	Admit func(r *http.Request) (*http.Request, error)
	// Certificate, unless nil, is that of the listeners which are no Unix sockets. A request that
	// came through one of them has to be for a host that it names.
	Certificate *x509.Certificate
	// Allow, unless nil, says whether a request may do that with a sign-in. Its error is what
	// the client gets; for the zero ID, it is about sign-ins in general. An ID that is not
	// allowed must look like one that does not exist.
	Allow func(r *http.Request, id venuekey.ID, verb Verb) error
	// Told, unless nil, is called after each use of a sign-in, with its outcome and the
	// generation of the token that is about to be handed out. The outcome of what Allow forbids
	// is ErrForbidden. If it returns an error, nothing is handed out.
	Told func(r *http.Request, id venuekey.ID, verb Verb, generation int64, outcome error) error
	// Around, unless nil, returns the handler that gets every request first, and hands it on to the
	// server.
	Around func(server http.Handler) http.Handler
	// Who, unless nil, names the consumer who makes a request, for metrics; "" is this user.
	Who func(r *http.Request) string
	// MetricIDs lets /metrics have IDs in labels.
	MetricIDs bool
	// Proxy, unless nil, answers below /proxy/, once it is known who asks: package agent/proxy
	// has one. A body may be of any length there, and its paths are not cleaned.
	Proxy http.Handler
	// Happened, unless nil, is called with each event of the Keeper that the server takes in, in order: for
	// a program that would otherwise read them as well. While it runs, streams hear nothing new.
	Happened func(venuekey.Event)
	// Log receives what happens; nil means no log.
	Log *slog.Logger

	once    sync.Once
	mux     *http.ServeMux
	started time.Time
	ring    *ring
	ending  chan struct{} // closed when the server ends
	written sync.Map      // venuekey.ID to *written
	tokens  http.HandlerFunc
	metrics metrics

	surveying chan struct{} // holds an item while surveyed is looked at
	surveyed  *gathered
}

func (s *Server) init() {
	s.once.Do(func() {
		s.started = time.Now()
		s.ring = newRing()
		s.ending = make(chan struct{})
		s.surveying = make(chan struct{}, 1)
		s.mux = http.NewServeMux()
		for pattern, handler := range s.routes() {
			s.mux.HandleFunc(pattern, handler)
		}
		s.mux.HandleFunc("/", s.nowhere)
		s.tokens = s.of(VerbToken, s.token)
	})
}

// routes are the calls of API v1.
func (s *Server) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /v1/version":                         s.version,
		"GET /v1/openapi.json":                    serveDocument,
		"GET /v1/signins":                         s.list,
		"GET /v1/signins/{venue}/{name}":          s.of(VerbStatus, s.show),
		"DELETE /v1/signins/{venue}/{name}":       s.of(VerbAdmin, s.signOut),
		"POST /v1/signins/{venue}/{name}/refresh": s.of(VerbRefresh, s.refresh),
		"GET /v1/token/{venue}/{name}":            s.of(VerbToken, s.token),
		"POST /v1/token/{venue}/{name}/refused":   s.of(VerbRefused, s.refused),
		"GET /v1/events":                          s.events,
		"GET /healthz":                            s.healthz,
		"GET /readyz":                             s.readyz,
		"GET /metrics":                            s.monitor,
	}
}

// Handle adds a handler beside the API. Call it before Serve.
func (s *Server) Handle(pattern string, h http.Handler) {
	s.init()
	s.mux.Handle(pattern, h)
}

// ServeHTTP implements http.Handler. It checks who connects only if the connection came through
// Serve; over any other listener that is the caller's matter, and Allow's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	if r.ContentLength != 0 { // a request without a body is read already
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience))
	}
	if status, wrong := s.refusal(r); wrong != nil {
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close") // what else it sends is not waited for
		}
		failWith(w, status, wrong)
		return
	}
	if s.Admit != nil {
		known, err := s.Admit(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer realm="venuekey agent"`)
			failWith(w, http.StatusUnauthorized, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: err.Error(),
				Remedy: "send the token that venuekey consumer add printed, as Authorization: Bearer …"})
			return
		}
		r = known
	}
	if s.isProxied(r) {
		s.Proxy.ServeHTTP(w, r)
		return
	}
	if r.ContentLength != 0 {
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	}
	if handle := s.fast(r); handle != nil {
		handle(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// fast returns the handler of the one call that programs make all the time, GET /v1/token/VENUE/NAME, and nil
// for any other: finding it takes as long as answering it.
func (s *Server) fast(r *http.Request) http.HandlerFunc {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/token/")
	venue, name, two := strings.Cut(rest, "/")
	if !ok || !two || r.Method != http.MethodGet || strings.Contains(name, "/") || r.URL.RawPath != "" {
		return nil
	}
	r.SetPathValue("venue", venue)
	r.SetPathValue("name", name)
	return s.tokens
}

// nowhere answers a request that the API does not have.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	var others []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := s.mux.Handler(&other); pattern != "/" {
			others = append(others, method)
		}
	}
	if allow := strings.Join(others, ", "); allow != "" {
		w.Header().Set("Allow", allow)
		failWith(w, http.StatusMethodNotAllowed, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "this path has other methods: " + allow})
		return
	}
	failWith(w, http.StatusNotFound, noSuchPath())
}

// rightVault returns an error if the client means another vault's agent.
func (s *Server) rightVault(r *http.Request) *venuekey.Error {
	if meant := r.Header.Get(vaultHeader); meant == "" || s.Vault == "" || meant == s.Vault {
		return nil
	}
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "this agent serves another vault", Remedy: "unset VENUEKEY_AGENT_SOCKET, or set VENUEKEY_HOME as the agent's"}
}

// of parses the ID of a request, and asks whether it may.
func (s *Server) of(verb Verb, handle func(http.ResponseWriter, *http.Request, venuekey.ID)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := venuekey.ParseID(r.PathValue("venue") + "/" + r.PathValue("name"))
		if err != nil {
			failWith(w, http.StatusNotFound, unknownID(venuekey.ID{}))
			return
		}
		if err := s.allowed(r, id, verb); err != nil {
			_ = s.told(r, id, verb, 0, ErrForbidden)
			failWith(w, http.StatusNotFound, unknownID(id))
			return
		}
		if s.isAbsent(r, id) {
			err := unknownID(id)
			err.Err = venuekey.ErrNotFound
			if told := s.told(r, id, verb, 0, err); told != nil {
				fail(w, told)
				return
			}
			failWith(w, http.StatusNotFound, err)
			return
		}
		handle(w, r, id)
	}
}

// unknownID is the answer for an ID that does not exist, or that the client may not know of.
func unknownID(id venuekey.ID) *venuekey.Error {
	if id.IsZero() { // which no ID can be
		return &venuekey.Error{Class: venuekey.ClassRefused, Reason: "not signed in"}
	}
	return &venuekey.Error{ID: id, Class: venuekey.ClassRefused, Reason: "not signed in", Remedy: "venuekey login " + id.String()}
}

func (s *Server) allowed(r *http.Request, id venuekey.ID, verb Verb) error {
	if s.Allow == nil {
		return nil
	}
	return s.Allow(r, id, verb)
}

func (s *Server) who(r *http.Request) string {
	if s.Who == nil {
		return ""
	}
	return s.Who(r)
}

// told reports a use of a sign-in.
func (s *Server) told(r *http.Request, id venuekey.ID, verb Verb, generation int64, outcome error) error {
	venue := id.Venue
	if _, err := s.Keeper.Venue(venue); err != nil {
		venue = "unknown" // or whoever makes up names fills the memory
	}
	s.metrics.count(venue, verb, s.who(r), outcome)
	if s.Told == nil {
		return nil
	}
	return s.Told(r, id, verb, generation, outcome)
}

// read reads the body of a request, of which unknown fields are a mistake.
func read(w http.ResponseWriter, r *http.Request, body any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(body)
	if err == nil {
		_, err = d.Token()
	}
	if errors.Is(err, io.EOF) {
		return true // nothing, or nothing behind it
	}
	reason := "the body is no JSON that this call takes"
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		reason = "the body is longer than this call takes"
	}
	failWith(w, http.StatusBadRequest, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: reason, Remedy: "see /v1/openapi.json"})
	return false
}

// unhurried lets an answer take longer than a body may: net/http would take the end of the time to
// read for the end of the client.
func unhurried(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// Format implements fmt.Formatter: a Server prints as its name alone.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprint(f, "agent.Server") }

// over is the server of connections, with what each may cost.
func (s *Server) over(ctx context.Context, open *crowd) *http.Server {
	handler := http.Handler(s)
	if s.Around != nil {
		handler = s.Around(s)
	}
	return &http.Server{
		Handler: handler, MaxHeaderBytes: mostHeader, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: longest, IdleTimeout: 5 * time.Minute,
		ErrorLog:    slog.NewLogLogger(s.log().Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return withPeer(ctx, c, os.Geteuid()) },
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState:   open.changed,
	}
}

// Serve answers on listeners until the context ends. Requests under way have some seconds to
// finish then. A listener of Listen is closed, and its socket removed. Call it once.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	s.init()
	var work sync.WaitGroup
	defer work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work.Go(func() { s.ring.follow(ctx, s.Keeper, s.Happened) })
	// Requests under way outlive the context: an order that is sent gets its answer.
	requests, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	var open crowd
	server := s.over(requests, &open)
	ended := make(chan error, len(listeners))
	for _, listener := range listeners {
		work.Go(func() { ended <- server.Serve(open.limited(listener, mostFiles())) })
	}
	select {
	case err := <-ended:
		_ = server.Close()
		return err
	case <-ctx.Done():
	}
	close(s.ending)
	patient, stop := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer stop()
	if server.Shutdown(patient) != nil {
		_ = server.Close()
	}
	return nil
}
