package keepertest

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// inprocess.go owns requests to an emulated venue without a network.

// InProcess answers requests without a network, so that virtual time goes on.
type InProcess struct {
	Handler http.Handler
	Dozes   time.Duration // before there is a connection
	Life    *atomic.Value // a string that replaces cTrader's 2628000 seconds in answers
}

// RoundTrip implements http.RoundTripper.
func (p InProcess) RoundTrip(r *http.Request) (response *http.Response, err error) {
	time.Sleep(p.Dozes)
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	defer func() {
		if recover() != nil { // http.ErrAbortHandler: the connection breaks
			response, err = nil, net.ErrClosed
		}
	}()
	recorder := httptest.NewRecorder()
	r.RemoteAddr = "127.0.0.1:1"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	p.Handler.ServeHTTP(recorder, r)
	if p.Life != nil {
		text := strings.ReplaceAll(recorder.Body.String(), ":2628000,", ":"+p.Life.Load().(string)+",")
		recorder.Body = bytes.NewBufferString(text)
	}
	response = recorder.Result()
	response.Request = r
	return response, nil
}
