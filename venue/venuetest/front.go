package venuetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
)

// front.go owns the proxy in front of the server: it records what the venue sends, and
// spoils answers.

// front forwards requests. While it has a fault, that applies to every request of the
// venue; requests of the user's browser always pass.
type front struct {
	server http.Handler

	mu    sync.Mutex
	seen  []sight
	fault *fault
}

// sight is a request that the venue sent.
type sight struct {
	method, address, header, body string
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get(browserField) != "" {
		f.server.ServeHTTP(w, r)
		return
	}
	var header bytes.Buffer
	_ = r.Header.Write(&header)
	request := sight{r.Method, r.URL.RequestURI(), header.String(), string(body)}
	f.mu.Lock()
	f.seen = append(f.seen, request)
	spoil := f.fault
	f.mu.Unlock()
	if spoil == nil {
		f.server.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	if spoil.acts {
		f.server.ServeHTTP(answer, r)
	}
	spoil.answer(w, r, request, answer)
}

// spoiled sets a fault for the duration of a call, and returns what the venue sent
// meanwhile.
func (f *front) spoiled(spoil *fault, call func()) []sight {
	f.mu.Lock()
	f.fault, f.seen = spoil, nil
	f.mu.Unlock()
	call()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = nil
	return f.seen
}

// watched returns what the venue sent during a call.
func (f *front) watched(call func()) []sight { return f.spoiled(nil, call) }

// carrying counts the requests that hold a secret.
func carrying(seen []sight, secret venuekey.Secret) (n int) {
	for _, request := range seen {
		if request.holds(string(secret)) {
			n++
		}
	}
	return n
}

// holds reports whether a request contains a text: verbatim, form-encoded, or in a Basic
// header.
func (s sight) holds(text string) bool {
	whole := s.address + "\n" + s.header + "\n" + s.body
	for _, line := range strings.Split(s.header, "\r\n") {
		if _, basic, ok := strings.Cut(line, "Authorization: Basic "); ok {
			plain, _ := base64.StdEncoding.DecodeString(basic)
			whole += "\n" + string(plain)
		}
	}
	return text != "" && (strings.Contains(whole, text) || strings.Contains(whole, url.QueryEscape(text)))
}

// parameter returns a parameter of a request, from its form or its query.
func (s sight) parameter(name string) string {
	form, _ := url.ParseQuery(s.body)
	if form.Has(name) {
		return form.Get(name)
	}
	address, err := url.Parse(s.address)
	if err != nil {
		return ""
	}
	return address.Query().Get(name)
}

// fault is one way in which an answer is lost or comes from something other than the
// server.
type fault struct {
	name string
	// acts says that the server processes the request first.
	acts   bool
	answer func(w http.ResponseWriter, r *http.Request, request sight, real *httptest.ResponseRecorder)
	// notNow says that the answer asks to come again later.
	notNow bool
	// whole says that the server's own answer is still readable, and fine that it must be
	// read.
	whole, fine bool
	// moved says that it redirects to another address, and missing that there is nothing
	// at this one, so a venue with several addresses may try the next.
	moved, missing bool
}

const page = "<!DOCTYPE html><html><head><title>Sorry</title></head><body>Something went wrong.</body></html>"

// wait is what the answers that ask to come again say, in seconds.
const wait = 90

// elsewhere is where redirects lead.
const elsewhere = "/venuetest/elsewhere"

// faults returns all faults: each before the server acts, and after it has acted.
func faults() []*fault {
	var all []*fault
	add := func(name string, answer func(w http.ResponseWriter, r *http.Request, request sight, real *httptest.ResponseRecorder)) {
		all = append(all, &fault{name: name + ", before the server acts", answer: answer}, &fault{name: name + ", after the server acted", acts: true, answer: answer})
	}
	say := func(status int, kind, body string, fields ...string) func(http.ResponseWriter, *http.Request, sight, *httptest.ResponseRecorder) {
		return func(w http.ResponseWriter, _ *http.Request, _ sight, _ *httptest.ResponseRecorder) {
			w.Header().Set("Content-Type", kind)
			for i := 0; i+1 < len(fields); i += 2 {
				w.Header().Set(fields[i], fields[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	add("a cut connection", func(http.ResponseWriter, *http.Request, sight, *httptest.ResponseRecorder) {
		panic(http.ErrAbortHandler)
	})
	add("half an answer", half)
	add("an empty answer", say(200, "application/json", ""))
	add("garbage", say(200, "application/json", `{"access_token": `))
	add("a page", say(200, "text/html", page))
	add("a page with 500", say(500, "text/html", page))
	add("a page with 502", say(502, "text/html", page))
	add("a page with 504", say(504, "text/html", page))
	add("a page with 403", say(403, "text/html", page))
	add("a page with 404", say(404, "text/html", page))
	add("a gateway's JSON with 500", say(500, "application/json", `{"message":"Internal server error"}`))
	add("a gateway's JSON with 403", say(403, "application/json", `{"message":"Forbidden"}`))
	add("a redirect", say(302, "text/html", page, "Location", elsewhere))
	add("a redirect that keeps the method", say(307, "text/html", page, "Location", elsewhere))
	add("a huge answer", huge)
	for _, spoil := range all {
		spoil.moved, spoil.missing = strings.HasPrefix(spoil.name, "a redirect"), strings.HasPrefix(spoil.name, "a page with 404")
	}
	return append(all,
		&fault{name: "429", notNow: true, answer: say(429, "text/plain", "", "Retry-After", fmt.Sprint(wait))},
		&fault{name: "503 with Retry-After", notNow: true, answer: say(503, "text/html", page, "Retry-After", fmt.Sprint(wait))},
		&fault{name: "a slow answer", acts: true, whole: true, fine: true, answer: slow},
		&fault{name: "an answer of another type", acts: true, whole: true, fine: true, answer: misnamed},
		&fault{name: "an answer that is cut after its end", acts: true, whole: true, answer: overlong},
	)
}

// echo repeats the whole request in the text of an error.
var echo = &fault{name: "a gateway that repeats the request", answer: func(w http.ResponseWriter, _ *http.Request, request sight, _ *httptest.ResponseRecorder) {
	whole := request.address + " " + request.header + " " + request.body
	plain, _ := url.QueryUnescape(whole)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"error":"invalid_request","error_description":%q}`, whole+" "+plain)
}}

// half announces an answer and breaks off in the middle of it.
func half(w http.ResponseWriter, _ *http.Request, _ sight, real *httptest.ResponseRecorder) {
	body := real.Body.Bytes()
	if len(body) == 0 {
		body = []byte(`{"access_token":"half-an-access-token","refresh_token":"half-a-refresh-token"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body[:len(body)/4])
	flush(w)
	panic(http.ErrAbortHandler)
}

// overlong sends the whole answer after announcing a longer one.
func overlong(w http.ResponseWriter, _ *http.Request, _ sight, real *httptest.ResponseRecorder) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(real.Body.Len()+10))
	w.WriteHeader(real.Code)
	_, _ = w.Write(real.Body.Bytes())
	flush(w)
	panic(http.ErrAbortHandler)
}

// slow sends the whole answer after a delay.
func slow(w http.ResponseWriter, _ *http.Request, _ sight, real *httptest.ResponseRecorder) {
	<-time.After(20 * time.Millisecond)
	maps.Copy(w.Header(), real.Header())
	w.WriteHeader(real.Code)
	_, _ = w.Write(real.Body.Bytes())
}

// misnamed sends the whole answer with another content type.
func misnamed(w http.ResponseWriter, _ *http.Request, _ sight, real *httptest.ResponseRecorder) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(real.Code)
	_, _ = w.Write(real.Body.Bytes())
}

// huge sends 2 MiB of JSON, more than any real answer.
func huge(w http.ResponseWriter, _ *http.Request, _ sight, _ *httptest.ResponseRecorder) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"padding":"`)
	block := strings.Repeat("x", 64<<10)
	for range 32 { // 2 MiB
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `"}`)
}

func flush(w http.ResponseWriter) {
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
}
