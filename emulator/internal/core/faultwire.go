package core

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// faultwire.go owns what a fault does on the wire.

// answer is what a handler wanted to send.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// send writes the answer, or its first keep bytes, with the full Content-Length.
func (a *answer) send(w http.ResponseWriter, keep int) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(cmp.Or(a.status, http.StatusOK))
	w.Write(a.body.Bytes()[:keep]) // the client may have left, which is no error here
}

// fault is a fault that strikes.
type fault emulator.Fault

// before reports whether the fault strikes before the server does its work.
func (f fault) before() bool { return strings.HasSuffix(string(f.Kind), "-before") }

// serve answers a request with the fault. It may panic with [http.ErrAbortHandler], which
// makes net/http close the connection.
func (f fault) serve(w http.ResponseWriter, r *http.Request, h http.Handler) {
	if f.Kind == emulator.FaultDelayBefore {
		f.wait(r)
		h.ServeHTTP(w, r)
		return
	}
	a := &answer{header: make(http.Header)}
	if f.before() {
		Reply(a, http.StatusOK, map[string]string{"notice": "nothing was done for this request"})
	} else {
		h.ServeHTTP(a, r)
	}
	if f.Delay > 0 || f.Kind == emulator.FaultDelayAfter {
		f.wait(r)
	}
	if f.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	f.spoil(w, a)
}

// wait waits for f.Delay, or until the client gives up.
func (f fault) wait(r *http.Request) {
	if f.Delay == 0 {
		<-r.Context().Done()
		return
	}
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// spoil sends what the fault turns the answer into.
func (f fault) spoil(w http.ResponseWriter, a *answer) {
	switch f.Kind {
	case emulator.FaultDropBefore, emulator.FaultDropAfter:
		panic(http.ErrAbortHandler)
	case emulator.FaultTruncateBefore, emulator.FaultTruncateAfter:
		a.status = cmp.Or(f.Status, a.status)
		a.send(w, a.body.Len()/2)
		http.NewResponseController(w).Flush() // else the half would stay in the buffer
		panic(http.ErrAbortHandler)
	case emulator.FaultStatusBefore, emulator.FaultStatusAfter:
		status := cmp.Or(f.Status, http.StatusServiceUnavailable)
		a.replace(status, cmp.Or(f.ContentType, "text/plain; charset=utf-8"), cmp.Or(f.Body, http.StatusText(status)+"\n"))
	case emulator.FaultHTMLBefore, emulator.FaultHTMLAfter:
		a.replace(cmp.Or(f.Status, http.StatusOK), "text/html; charset=UTF-8", cmsPage)
	case emulator.FaultRedirectBefore, emulator.FaultRedirectAfter:
		a.replace(cmp.Or(f.Status, http.StatusFound), "text/html; charset=utf-8", "<p>moved</p>\n")
		a.header.Set("Location", cmp.Or(f.Location, "https://elsewhere.invalid/"))
	case emulator.FaultWrongContentTypeBefore, emulator.FaultWrongContentTypeAfter:
		a.status = cmp.Or(f.Status, a.status)
		a.header.Set("Content-Type", cmp.Or(f.ContentType, "text/plain; charset=utf-8"))
	case emulator.FaultGarbageBefore, emulator.FaultGarbageAfter:
		a.replace(cmp.Or(f.Status, http.StatusOK), "application/json", `{"access_token": <<<%%%`+"\x00\xff")
	case emulator.FaultEmptyBefore, emulator.FaultEmptyAfter:
		a.replace(cmp.Or(f.Status, http.StatusOK), a.header.Get("Content-Type"), "")
	case emulator.FaultHugeBefore, emulator.FaultHugeAfter:
		f.flood(w, a)
		return
	}
	a.send(w, a.body.Len()) // for FaultDelayAfter this is the unchanged answer
}

func (a *answer) replace(status int, contentType, body string) {
	a.status = status
	a.header.Set("Content-Type", contentType)
	a.body.Reset()
	a.body.WriteString(body)
}

// flood sends 10 MB of meaningless JSON.
func (f fault) flood(w http.ResponseWriter, a *answer) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
	io.WriteString(w, `{"padding":"`)
	chunk := bytes.Repeat([]byte("parrot "), 10_000)
	for sent := 0; sent < 10<<20; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return // the client has given up
		}
	}
	io.WriteString(w, `"}`)
}

// cmsPage is a page such as a WordPress site, or the firewall in front of it, sends instead
// of JSON (TTP facts §3).
const cmsPage = `<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="UTF-8">
<title>Page not found &#8211; An emulated site</title>
<meta name="generator" content="WordPress 6.4.2">
</head>
<body class="error404 wp-embed-responsive">
<h1>Oops! That page can&rsquo;t be found.</h1>
<p>It looks like nothing was found at this location.</p>
</body>
</html>
`
