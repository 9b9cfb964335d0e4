package oauth

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
)

//go:embed page.html
var pageText string

// page is parsed when the first browser comes: programs that only read a token
// start faster without.
var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

// verdict is what the browser is shown at the end.
type verdict struct {
	Good         bool
	Title, Words string
}

// listener waits at the redirect URI on loopback. It answers everything that
// comes and hands on what the callback brings; it ends with close.
type listener struct {
	redirect Redirect
	read     func(*http.Request) callback
	tell     func(string)
	arrived  chan callback
	done     chan struct{}
	verdict  verdict
	server   *http.Server
	serving  sync.WaitGroup
	once     sync.Once

	mu sync.Mutex
	// silent are connections that have not sent a byte: browsers open some in
	// advance.
	silent map[net.Conn]bool
}

// listen binds every address that the redirect can mean. With port 0 the
// system chooses one, and the redirect that is returned names it (RFC 8252
// §7.3); that works at venues that ignore the port.
func listen(redirect Redirect, read func(*http.Request) callback, tell func(string)) (*listener, Redirect, error) {
	l := &listener{redirect: redirect, read: read, tell: tell, arrived: make(chan callback, 1), done: make(chan struct{}), silent: map[net.Conn]bool{}}
	sockets, err := bind(&l.redirect)
	if err != nil {
		return nil, redirect, err
	}
	l.server = &http.Server{
		Handler:           http.HandlerFunc(l.serve),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ConnState:         l.watch,
		// What strangers send to the port is not worth a line on the terminal.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	for _, socket := range sockets {
		l.serving.Go(func() { _ = l.server.Serve(socket) })
	}
	return l, l.redirect, nil
}

// bind opens the sockets. A machine without IPv6 still has one to listen on;
// a port that somebody else holds in either family is an error, because the
// browser might go there and hand the code to a stranger.
func bind(redirect *Redirect) ([]net.Listener, error) {
	var sockets []net.Listener
	for _, address := range redirect.addresses() {
		host, port, _ := net.SplitHostPort(address)
		if port == "0" && len(sockets) > 0 {
			_, port, _ = net.SplitHostPort(sockets[0].Addr().String())
		}
		socket, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil && isNoSuchAddress(err) && len(redirect.addresses()) > 1 {
			continue
		}
		if err != nil {
			for _, open := range sockets {
				open.Close()
			}
			return nil, &venuekey.Error{Class: venuekey.Wrong, Err: err, Reason: "nothing can listen at " + redirect.URL.Host + ": " + plain(err),
				Remedy: "stop the program that uses the port, or register another redirect uri"}
		}
		sockets = append(sockets, socket)
	}
	if len(sockets) == 0 {
		return nil, &venuekey.Error{Class: venuekey.Wrong, Reason: "this machine has no loopback address for " + redirect.URL.Host}
	}
	if redirect.URL.Port() == "0" {
		named := *redirect.URL
		named.Host = net.JoinHostPort(named.Hostname(), strconv.Itoa(sockets[0].Addr().(*net.TCPAddr).Port))
		redirect.URL = &named
	}
	return sockets, nil
}

func (l *listener) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'")
	switch {
	case !isLoopback(hostname(r.Host)):
		// A page on the internet whose name was pointed at this machine.
		l.show(w, http.StatusMisdirectedRequest, verdict{Title: "Not here", Words: "This address is for this machine only."})
	case r.URL.Path != orText(l.redirect.URL.Path, "/"):
		l.show(w, http.StatusNotFound, verdict{Title: "Nothing here", Words: "venuekey waits for a sign-in at another path."})
	case r.Method != http.MethodGet:
		header.Set("Allow", http.MethodGet)
		l.show(w, http.StatusMethodNotAllowed, verdict{Title: "Not like this", Words: "A sign-in comes back as a GET request."})
	default:
		l.take(w, r)
	}
}

// take hands a callback on and keeps the browser waiting until it is known
// what became of it, so that the page tells the truth.
func (l *listener) take(w http.ResponseWriter, r *http.Request) {
	got := l.read(r)
	if got.stray != "" {
		l.tell("a callback was ignored: " + got.stray)
		l.show(w, http.StatusBadRequest, verdict{Title: "This is not the sign-in that venuekey waits for", Words: "Go back to the page of the venue, or start the sign-in again."})
		return
	}
	select {
	case l.arrived <- got:
	default:
		// A second callback, a reloaded page: it waits for the same verdict.
	}
	select {
	case <-l.done:
		l.show(w, http.StatusOK, l.verdict)
	case <-r.Context().Done():
	}
}

func (l *listener) show(w http.ResponseWriter, status int, v verdict) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = page().Execute(w, v)
}

// watch keeps the silent connections apart.
func (l *listener) watch(connection net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state == http.StateNew {
		l.silent[connection] = true
	} else {
		delete(l.silent, connection)
	}
}

// hangUp ends the silent connections. Shutdown would wait for them, and the token
// with it.
func (l *listener) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for connection := range l.silent {
		connection.Close()
	}
}

// close shows the verdict to whoever waits, and frees the port.
func (l *listener) close(v verdict) {
	l.once.Do(func() {
		l.verdict = v
		close(l.done)
		l.hangUp()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := l.server.Shutdown(ctx); err != nil {
			_ = l.server.Close()
		}
		l.serving.Wait()
	})
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// plain gives the system's own words for a network error.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
