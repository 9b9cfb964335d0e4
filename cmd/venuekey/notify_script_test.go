package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/venuekey/venuekey/agent/notify"
)

// notify_script_test.go owns the receiver of notices in the scripts: it believes nothing that
// is not signed.

// receiver is a webhook's other side.
type receiver struct {
	key   string // the path of the key's file
	grew  chan struct{}
	mu    sync.Mutex
	code  int
	taken []string // the bodies that were taken
	wrong []string // what was not signed
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	key, err := notify.ReadKey(r.key)
	if err == nil {
		err = notify.Verify(key, request.Header.Get(notify.HeaderSignature), body, time.Now(), 0)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.wrong = append(r.wrong, err.Error())
		w.WriteHeader(http.StatusForbidden)
	default:
		if w.WriteHeader(r.code); r.code/100 == 2 {
			r.taken = append(r.taken, string(body))
		}
	}
	select {
	case r.grew <- struct{}{}:
	default:
	}
}

// receiver KEYFILE: starts it, and puts its address into $RECEIVER.
// receiver answers CODE: so it answers from now on.
// receiver took REGEXP: waits until it took a notice that fits, and forgets all that it took.
// The body of that one is in the file "body".
func receive(ts *testscript.TestScript, _ bool, args []string) {
	set := setOf(ts)
	switch {
	case len(args) == 1:
		r := &receiver{key: ts.MkAbs(args[0]), code: http.StatusNoContent, grew: make(chan struct{}, 1)}
		web := httptest.NewServer(r)
		ts.Defer(web.Close)
		set.receiver = r
		ts.Setenv("RECEIVER", web.URL+"/hooks/sentinel-path")
	case args[0] == "answers":
		code, err := strconv.Atoi(args[1])
		ts.Check(err)
		set.receiver.mu.Lock()
		set.receiver.code = code
		set.receiver.mu.Unlock()
	case args[0] == "took":
		set.receiver.took(ts, regexp.MustCompile(args[1]))
	default:
		ts.Fatalf("usage: receiver KEYFILE | answers CODE | took REGEXP")
	}
}

func (r *receiver) took(ts *testscript.TestScript, pattern *regexp.Regexp) {
	timeout := time.After(time.Minute)
	for {
		r.mu.Lock()
		taken, wrong := r.taken, r.wrong
		for _, body := range taken {
			if pattern.MatchString(body) {
				r.taken = nil
				r.mu.Unlock()
				ts.Check(os.WriteFile(ts.MkAbs("body"), []byte(body), 0o600))
				return
			}
		}
		r.mu.Unlock()
		if len(wrong) > 0 {
			ts.Fatalf("not signed: %s", strings.Join(wrong, ", "))
		}
		select {
		case <-r.grew:
		case <-timeout:
			ts.Fatalf("it did not take %s, but\n%s", pattern, strings.Join(taken, "\n"))
		}
	}
}

// kills: the running program gets no chance to end in order.
func kills(ts *testscript.TestScript, _ bool, _ []string) {
	r := setOf(ts).running
	ts.Check(r.command.Process.Kill())
	r.read.Wait()
	if err := r.command.Wait(); err == nil {
		ts.Fatalf("it ended before it was killed: %s", fmt.Sprint(r.said()))
	}
}
