package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
)

func TestWhereNoticesMayGo(t *testing.T) {
	for text, want := range map[string]string{
		"https://hooks.example.com/services/T0/B0/secret": "https://hooks.example.com",
		"https://me:hidden@hooks.example.com:8443/?k=v":   "https://hooks.example.com:8443",
		" https://hooks.example.com\n":                    "https://hooks.example.com",
		"http://127.0.0.1:8080/x":                         "http://127.0.0.1:8080",
		"http://[::1]:8080/x":                             "http://[::1]:8080",
		"http://localhost/x":                              "http://localhost",
		"http://hooks.example.com/hidden":                 "",
		"http://127.0.0.1.example.com/":                   "",
		"http://169.254.169.254/":                         "",
		"ftp://hooks.example.com/":                        "",
		"file:///etc/passwd":                              "",
		"https:hidden":                                    "",
		"https:///hidden":                                 "",
		"https://:443/hidden":                             "",
		"https://hooks.example.com/#hidden":               "",
		"https://hooks.example.com/%zz":                   "",
		"hooks.example.com":                               "",
		"":                                                "",
	} {
		address, err := ParseAddress(text)
		switch {
		case want == "" && (err == nil || strings.Contains(err.Error(), "hidden") || venuekey.ClassOf(err) != venuekey.ClassMisconfigured):
			t.Errorf("%q: %v", text, err)
		case want != "" && (err != nil || address.String() != want || fmt.Sprintf("%+v %#v %s", address, address, address) == "" || strings.Contains(fmt.Sprintf("%+v %#v", address, address), "hidden")):
			t.Errorf("%q: %v %v", text, address, err)
		}
	}
}

// What an answer means: whether the notice has arrived, and whether it is worth another try.
func TestWhatAnAnswerMeans(t *testing.T) {
	for name, row := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		why    string // "" is delivered
		final  bool
		after  time.Duration
	}{
		"200":                     {answering(200, "ok"), "", false, 0},
		"204":                     {answering(204, ""), "", false, 0},
		"200 and a page":          {answering(200, "<html>", "Content-Type", "text/html"), "", false, 0},
		"302":                     {answering(302, "", "Location", "https://other.example.com/"), "https://hooks.example.com answers 302 Found, which is not followed; name the address that it leads to", true, 0},
		"308 to itself":           {answering(308, "", "Location", "/a/path"), "not followed", true, 0},
		"400":                     {answering(400, `{"error":"no text"}`, "Content-Type", "application/json"), `https://hooks.example.com answers 400 Bad Request: {"error":"no text"}`, true, 0},
		"404 and a page":          {answering(404, "<h1>Not here", "Content-Type", "text/html; charset=utf-8"), "https://hooks.example.com answers 404 Not Found with a web page", true, 0},
		"408":                     {answering(408, ""), "answers 408", false, 0},
		"410":                     {answering(410, "gone"), "answers 410 Gone: gone", true, 0},
		"429":                     {answering(429, "slow down", "Retry-After", "120"), "answers 429 Too Many Requests: slow down", false, 2 * time.Minute},
		"429 until a time":        {answering(429, "", "Retry-After", "Sat, 01 Jan 2000 00:10:00 GMT"), "answers 429", false, 10 * time.Minute},
		"429 for a year":          {answering(429, "", "Retry-After", "31536000"), "answers 429", false, time.Hour},
		"429 and nonsense":        {answering(429, "", "Retry-After", "-9999999999999999999999"), "answers 429", false, 0},
		"500":                     {answering(500, ""), "answers 500 Internal Server Error", false, 0},
		"503":                     {answering(503, "", "Retry-After", "30"), "answers 503", false, 30 * time.Second},
		"a status that is no one": {answering(999, ""), "answers 999", true, 0},
		"refused":                 {refusing, "https://hooks.example.com was not reached: dial tcp 192.0.2.1:443: connect: connection refused", false, 0},
		"hanging":                 {hanging, "https://hooks.example.com did not answer in time", false, 0},
		"cut":                     {cut, "https://hooks.example.com closed the connection without an answer", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := &endpoint{answer: row.answer}
				w := Webhook{Address: mustAddress(t, "https://hooks.example.com/a/path"), Key: testKey, Transport: end}
				began := time.Now()
				o := w.Post(t.Context(), noticeOf(alice, "revoked"))
				if o.Delivered() != (row.why == "") || !strings.Contains(o.Why, row.why) || o.Final != row.final || o.RetryAfter != row.after {
					t.Errorf("%+v", o)
				}
				if took := time.Since(began); took > attemptLimit {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// The receiver's side, over a real connection: what is sent verifies, has the credentials of
// the address, and is whole.
func TestARequestAsTheReceiverSeesIt(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	w := Webhook{Address: mustAddress(t, strings.Replace(server.URL, "://", "://me:hidden@", 1)+"/in?to=ops"), Key: testKey}
	n := noticeOf(alice, "the refresh token was revoked")
	if o := w.Post(t.Context(), n); !o.Delivered() || o.Status != 200 {
		t.Fatalf("%+v", o)
	}
	if err := Verify(testKey, got.Header.Get(HeaderSignature), body, time.Now(), 0); err != nil {
		t.Error(err)
	}
	user, password, _ := got.BasicAuth()
	if got.Method != "POST" || got.URL.RequestURI() != "/in?to=ops" || user != "me" || password != "hidden" || got.Header.Get("Content-Type") != "application/json" || got.Header.Get(HeaderDelivery) != n.Delivery {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
	var read map[string]any
	if err := json.Unmarshal(body, &read); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"delivery": n.Delivery, "event": "trouble", "id": "ctrader/alice", "state": "needs sign-in", "reason": "the refresh token was revoked",
		"ending": "never", "remedy": "sign in again", "help": "venuekey login ctrader/alice", "left_seconds": 2592000.0,
	} {
		if read[field] != want {
			t.Errorf("%s: %v, want %v", field, read[field], want)
		}
	}
}

// A server that answers a redirect over a real connection is not followed, not even to itself.
func TestAttackARedirectThatWantsTheNotice(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	w := Webhook{Address: mustAddress(t, server.URL), Key: testKey}
	if o := w.Post(t.Context(), noticeOf(alice, "revoked")); o.Delivered() || !o.Final || asked.Load() != 1 {
		t.Errorf("%+v after %d requests", o, asked.Load())
	}
}

// A connection that breaks off is no answer, and net/http sends the notice once.
func TestAConnectionThatIsCut(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	w := Webhook{Address: mustAddress(t, server.URL), Key: testKey}
	if o := w.Post(t.Context(), noticeOf(alice, "revoked")); o.Delivered() || o.Final || asked.Load() != 1 || !strings.Contains(o.Why, "closed the connection without an answer") {
		t.Errorf("%+v after %d requests", o, asked.Load())
	}
}

// Nothing that comes back shows the key or the address, writes on a terminal, or fills memory.
func TestAttackAnAnswerThatTellsTheAddress(t *testing.T) {
	const full = "https://me:pass-hidden-word@hooks.example.com/services/T0HIDDENPART/B1?token=query-hidden-word"
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"it repeats the request": func(r *http.Request) (*http.Response, error) {
			return answering(400, fmt.Sprintf("bad %s %s %s key %s", full, r.URL, r.Header.Get("Authorization"), string(testKey)))(r)
		},
		"its error has it": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxy: cannot fetch %s with %s", full, r.Header.Get("Authorization"))
		},
		"it writes on the terminal": answering(500, "\x1b]0;title\a\x1b[2J\nvenuekey: all is well\r\x00"),
		"it does not end": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(endless{})}, nil
		},
	} {
		w := Webhook{Address: mustAddress(t, full), Key: testKey, Transport: &endpoint{answer: answer}}
		o := w.Post(t.Context(), noticeOf(alice, "revoked"))
		for _, hidden := range []string{"hidden-word", "T0HIDDENPART", string(testKey), "\x1b", "\n", "\x00", "bWU6cGFzcy1oaWRkZW4"} {
			if strings.Contains(o.Why, hidden) {
				t.Errorf("%s: %q", name, o.Why)
			}
		}
		if o.Why == "" || len(o.Why) > 1000 {
			t.Errorf("%s: %q", name, o.Why)
		}
		if printed := fmt.Sprintf("%v %+v %#v", w, w, w); strings.Contains(printed, "hidden") || strings.Contains(printed, string(testKey)) {
			t.Errorf("%s: %s", name, printed)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// A port on which nobody listens, and a server that says nothing, over real connections.
func TestAnEndpointThatIsNone(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := "http://" + socket.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	w := Webhook{Address: mustAddress(t, at), Key: testKey}
	if o := w.Post(ctx, noticeOf(alice, "revoked")); o.Delivered() || o.Final || !strings.Contains(o.Why, "did not answer in time") {
		t.Errorf("%+v", o)
	}
	_ = socket.Close()
	if o := w.Post(t.Context(), noticeOf(alice, "revoked")); o.Delivered() || o.Final || !strings.Contains(o.Why, "refused") {
		t.Errorf("%+v", o)
	}
	if o := (Webhook{}).Post(t.Context(), noticeOf(alice, "revoked")); o.Delivered() || !o.Final {
		t.Errorf("%+v", o)
	}
}

// Whatever a reason holds, a notice has no secret in it, and one line.
func TestAttackAReasonWithASecretInIt(t *testing.T) {
	token := "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
	e := trouble(alice, "refused: "+token+"\x1b[31m\nvenuekey: forged")
	e.Status.Err, e.Status.User, e.Status.Scopes = errors.New("account 4711-"+token), "user-"+token, []string{token}
	n := Of(e, "venuekey login ctrader/alice\n--evil")
	text, err := json.Marshal(n)
	if err != nil || strings.Contains(string(text), "eyJ") || strings.Contains(string(text), "SflK") || strings.Contains(string(text), `\n`) || strings.Contains(string(text), `\u001b`) || strings.Contains(string(text), "4711") {
		t.Errorf("%s %v", text, err)
	}
}
