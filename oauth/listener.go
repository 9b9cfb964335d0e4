package oauth

import (
	"context"
	"crypto/rand"
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
	"github.com/venuekey/venuekey/internal/loopback"
)

// listener.go owns the listener at the redirect URI, and the pages that it shows.

//go:embed page.html
var pageText string

// page is parsed on first use: programs that only read a token start faster without it.
var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

// notice is the text of a page.
type notice struct {
	Good         bool
	Title, Words string
}

// sheet is a page: a notice, and what its script and form need.
type sheet struct {
	notice
	// Leads is where the browser is sent next, with Value stored under Key in its tab.
	Leads, Key, Value string
	// Finish is where the form is sent that returns what the tab stores, and Pending the
	// callback that it is about.
	Finish, Pending string
	// Nonce allows the page's own script (CSP).
	Nonce string
}

// listener waits at the redirect URI on loopback. It answers every request and passes on
// what callbacks bring. close ends it.
type listener struct {
	redirect Redirect
	read     func(*http.Request) callback
	strays   *strays
	arrived  chan callback
	done     chan struct{}
	notice   notice
	sockets  []net.Listener
	server   *http.Server
	serving  sync.WaitGroup
	once     sync.Once

	// leads is the venue's authorization URL; name and life are the cookie's.
	leads, name string
	life        time.Duration

	mu     sync.Mutex
	starts []*startAddress
	tabs   *tabs
	// silent are connections that have not sent a byte yet: browsers open some in
	// advance.
	silent map[net.Conn]bool
}

// listen binds every address that the redirect URI can mean, and serves none of them yet.
// With port 0 the system chooses a port, which the listener's redirect then names (RFC
// 8252 §7.3); that works at venues that ignore the port.
func listen(redirect Redirect) (*listener, error) {
	sockets, err := bind(&redirect)
	if err != nil {
		return nil, err
	}
	return &listener{redirect: redirect, sockets: sockets, strays: &strays{}, arrived: make(chan callback, 1), done: make(chan struct{}), silent: map[net.Conn]bool{}}, nil
}

// invite starts serving, and returns the address to show and the one to open a browser
// at.
func (l *listener) invite(ctx context.Context, c Config, attempt Attempt, venue string, tell func(string)) (show, open string) {
	l.read = func(r *http.Request) callback { return c.readCallback(r.URL.Query(), attempt) }
	l.strays = &strays{tell: tell, seen: map[string]bool{}}
	l.leads, l.name, l.life = venue, "venuekey-"+rand.Text(), time.Hour
	if end, ok := ctx.Deadline(); ok {
		l.life = max(time.Until(end), time.Second)
	}
	l.starts = []*startAddress{newStartAddress(false), newStartAddress(true)}
	if c.StateNotEchoed {
		l.tabs = newTabs()
	}
	l.serve()
	return l.address(l.starts[0]), l.address(l.starts[1])
}

// answers returns the channel on which callbacks arrive, nil if nothing listens.
func (l *listener) answers() <-chan callback {
	if l == nil {
		return nil
	}
	return l.arrived
}

// serve starts answering requests.
func (l *listener) serve() {
	l.server = &http.Server{
		Handler:           http.HandlerFunc(l.answer),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ConnState:         l.watch,
		// What others send to the port is not worth a line on the terminal.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	for _, socket := range l.sockets {
		l.serving.Go(func() { _ = l.server.Serve(socket) })
	}
}

// bind opens the sockets. On a machine without IPv6 one of the two is enough. A port that
// another program holds in either family is an error, because the browser might go there
// and hand the code to that program.
func bind(redirect *Redirect) ([]net.Listener, error) {
	var sockets []net.Listener
	for _, address := range redirect.Addresses() {
		host, port, _ := net.SplitHostPort(address)
		if port == "0" && len(sockets) > 0 {
			_, port, _ = net.SplitHostPort(sockets[0].Addr().String())
		}
		socket, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil && isNoSuchAddress(err) && len(redirect.Addresses()) > 1 {
			continue
		}
		if err != nil {
			for _, open := range sockets {
				open.Close()
			}
			return nil, &venuekey.Error{Class: venuekey.ClassMisconfigured, Err: err, Reason: "nothing can listen at " + redirect.URL.Host + ": " + plain(err),
				Remedy: "stop the program that uses the port, or register another redirect uri"}
		}
		sockets = append(sockets, socket)
	}
	if len(sockets) == 0 {
		return nil, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "this machine has no loopback address for " + redirect.URL.Host}
	}
	if redirect.URL.Port() == "0" {
		named := *redirect.URL
		named.Host = net.JoinHostPort(named.Hostname(), strconv.Itoa(sockets[0].Addr().(*net.TCPAddr).Port))
		redirect.URL = &named
	}
	return sockets, nil
}

func (l *listener) answer(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Content-Security-Policy", policy("", ""))
	switch d := l.startAt(r.URL.Path); {
	case !loopback.Host(hostname(r.Host)):
		// DNS rebinding: a page on the internet whose name was pointed at this machine.
		l.show(w, http.StatusMisdirectedRequest, notice{Title: "Not available here", Words: "This page answers only at a loopback address of this machine, such as 127.0.0.1."})
	case d != nil:
		l.start(w, r, d)
	case l.tabs != nil && l.tabs.Path.Equal(venuekey.Secret(r.URL.Path)):
		l.finish(w, r)
	case r.URL.Path != orText(l.redirect.URL.Path, "/") || !l.redirect.Loopback:
		l.show(w, http.StatusNotFound, notice{Title: "No sign-in at this address", Words: "venuekey is waiting for a sign-in at another path. If the venue sent you here, the redirect URI registered there does not match the app's."})
	case r.Method != http.MethodGet:
		header.Set("Allow", http.MethodGet)
		l.show(w, http.StatusMethodNotAllowed, notice{Title: "Unexpected request", Words: "A sign-in comes back as a GET request."})
	default:
		l.take(w, r)
	}
}

// policy is the Content-Security-Policy of a page: its own style and, if it has them, a
// script and a form, and nothing else.
func policy(nonce, form string) string {
	allowed := "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action " + orText(form, "'none'")
	if nonce != "" {
		allowed += "; script-src 'nonce-" + nonce + "'"
	}
	return allowed
}

// take reads a callback from a browser that started the sign-in, and passes it on.
func (l *listener) take(w http.ResponseWriter, r *http.Request) {
	if why := l.began(r); why != "" {
		l.refuse(w, why)
		return
	}
	got := l.read(r)
	switch {
	case got.stray != "":
		l.refuse(w, got.stray)
	case l.tabs != nil && !got.stated:
		l.askTab(w, got)
	default:
		l.deliver(got)
		l.await(w, r)
	}
}

func (l *listener) refuse(w http.ResponseWriter, why string) {
	l.strays.ignore(why)
	l.show(w, http.StatusBadRequest, notice{Title: "This is not the sign-in that venuekey is waiting for", Words: "It was ignored: " + why + ". Go back to the venue's page, or start the sign-in again."})
}

// deliver passes a callback on. Only the first one counts; a page that was reloaded waits
// for the same notice.
func (l *listener) deliver(got callback) {
	select {
	case l.arrived <- got:
	default:
	}
}

// await holds the browser's request until the outcome of the sign-in is known, so that
// the page tells the truth.
func (l *listener) await(w http.ResponseWriter, r *http.Request) {
	select {
	case <-l.done:
		gone := l.cookie(&startAddress{})
		gone.MaxAge = -1
		http.SetCookie(w, gone)
		l.show(w, http.StatusOK, l.notice)
	case <-r.Context().Done():
	}
}

func (l *listener) show(w http.ResponseWriter, status int, v notice) {
	l.render(w, status, sheet{notice: v})
}

func (l *listener) render(w http.ResponseWriter, status int, s sheet) {
	if s.Nonce != "" {
		form := ""
		if s.Finish != "" {
			form = "'self'"
		}
		w.Header().Set("Content-Security-Policy", policy(s.Nonce, form))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = page().Execute(w, s)
}

// watch keeps track of the silent connections.
func (l *listener) watch(connection net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state == http.StateNew {
		l.silent[connection] = true
	} else {
		delete(l.silent, connection)
	}
}

// hangUp closes the silent connections. Shutdown would wait for them and delay the token.
func (l *listener) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for connection := range l.silent {
		connection.Close()
	}
}

// close shows the notice to waiting browsers, and frees the port.
func (l *listener) close(v notice) {
	l.once.Do(func() {
		l.notice = v
		close(l.done)
		l.hangUp()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if l.server == nil { // it never served
			for _, socket := range l.sockets {
				socket.Close()
			}
			return
		}
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

// plain returns the system's own text for a network error.
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
