package agent_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// protocol_attack_test.go plays what programs may ask, and how: for secrets that are not theirs, under
// names that are none, with rights that they have not, as older and newer ones, and from elsewhere.

// sentinels are what never leaves the agent, and what only a good answer may hold.
const hiddenSecret, openSecret = "SENTINEL-hidden", "SENTINEL-access"

// guarded is a stage whose sign-in has a refresh token and a kept password to lose.
func guarded(t *testing.T, change func(*agent.Server)) *stage {
	t.Helper()
	s := play(t, change)
	_, err := s.keeper.Adopt(t.Context(), alice, venuekey.Token{
		Access: openSecret, Refresh: hiddenSecret + "-refresh", Expires: time.Now().Add(time.Hour), Issued: time.Now(), User: "7",
		Extras: map[string]venuekey.Secret{"userId": "7"}})
	if err != nil {
		t.Fatal(err)
	}
	err = keepertest.Rewrite(t.Context(), s.keeper.Vault, alice, func(token *venuekey.Token, _ *venuekey.Record) { token.Password = hiddenSecret + "-password" })
	if err != nil {
		t.Fatal(err)
	}
	if kept, _, err := keepertest.Kept(t.Context(), s.keeper.Vault, alice); err != nil || kept.Password == "" || kept.Refresh == "" {
		t.Fatalf("there is nothing to lose: %v", err)
	}
	return s
}

// asked is a call, with a body if it has one.
type asked struct{ method, path, body string }

// everyCall has each call of the API once, filled in, and some of them wrong.
func everyCall(id string) []asked {
	calls := []asked{
		{"GET", "/v1/token/" + id + "?newer_than=0&wait=1ms", ""}, {"GET", "/v1/token/" + id + "?newer_than=x", ""},
		{"POST", "/v1/token/" + id + "/refused", `{"access_token":"` + openSecret + `"`}, {"POST", "/v1/token/" + id + "/refused", `{"access_token":"wrong"}`},
		{"POST", "/v1/signins/" + id + "/refresh", `{"again":1}`}, {"POST", "/v1/signins/" + id + "/refresh", `{"again":true}`},
		{"DELETE", "/v1/signins/" + id + "?revoke=perhaps", ""}, {"GET", "/v1/events?id=" + id, ""}, {"GET", "/v1/events?id=" + id + "/x", ""},
	}
	for _, pattern := range agent.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if method == "DELETE" {
			continue // it is the last
		}
		path = strings.Replace(path, "{venue}/{name}", id, 1)
		body := ""
		if method == "POST" {
			body = "{}"
		}
		calls = append(calls, asked{method, path, body})
	}
	return append(calls, asked{"DELETE", "/v1/signins/" + id, ""})
}

// short asks and reads for a moment at most: some answers do not end.
func (s *stage) short(a asked, fields ...string) string {
	s.t.Helper()
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n", a.method, a.path, len(a.body), strings.Join(append(fields, ""), "\r\n"))
	_, _ = io.WriteString(conn, head+a.body)
	answer, some := "", make([]byte, 1<<16)
	for {
		n, err := conn.Read(some)
		if answer += string(some[:n]); err != nil {
			return answer
		}
		if strings.Contains(answer, "text/event-stream") { // which does not end
			_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		}
	}
}

// No answer of any call holds a refresh token or a kept password, whatever the venue and the vault say.
func TestAttackASecretInAnyAnswer(t *testing.T) {
	s := guarded(t, nil)
	troubles := map[string]func(context.Context) error{
		"nothing": nil,
		"a venue that repeats": func(context.Context) error {
			return &venuekey.Error{Class: venuekey.ClassLater, Reason: "no", Err: errors.New("it sent " + hiddenSecret)}
		},
		"no reason": func(context.Context) error { return errors.New(hiddenSecret) },
	}
	for name, trouble := range troubles {
		s.venue.Before = trouble
		for _, call := range everyCall(alice.String()) {
			if call.method == "DELETE" && name != "nothing" {
				continue
			}
			answer := s.short(call)
			if !strings.HasPrefix(answer, "HTTP/1.1 ") || strings.Contains(answer, hiddenSecret) {
				t.Errorf("%s, %v: %s", name, call, answer)
			}
			isToken := strings.HasPrefix(answer, "HTTP/1.1 200") && (strings.Contains(call.path, "/v1/token/") || strings.HasSuffix(call.path, "/refresh"))
			if strings.Contains(answer, openSecret) && !isToken {
				t.Errorf("%s, %v tells the access token: %s", name, call, answer)
			}
			if call.method == "DELETE" { // for the next trouble
				*s = *guarded(t, nil)
			}
		}
	}
}

// An ID is parsed at every call, and one that cannot be right is one that nobody has: no redirect,
// no other path, no file.
func TestAttackAnIDThatIsNone(t *testing.T) {
	s := guarded(t, nil)
	names := []string{"stage/..", "stage/%2e%2e", "stage/.%2e", "stage/%2E", "../stage/alice", "stage/../stage/alice", "/stage/alice", "stage//alice", "stage/alice%00", "stage/%00",
		"stage/alice%2f..", "stage%2falice", "stage%2Falice/x", "%2fstage/alice", "stage/al%5cice", "Stage/alice", "STAGE/alice", "st%61ge%20/alice", "stage/alice%20", "stage/alice%0d%0aX-Y:1", "stage/alice;v=1",
		"stage/%ff", "stage/%c0%ae%c0%ae", "stage/ａlice", "stage/" + strings.Repeat("a", 129), strings.Repeat("s", 129) + "/alice", "stage/" + strings.Repeat("a", 12000), "stage/-%2d/..%2f", "stage/*", "*/*", "stage/~", "stage/alice/", "./stage/alice"}
	for _, name := range names {
		for _, call := range everyCall(name) {
			if !strings.Contains(call.path, name) || strings.Contains(call.path, "?id=stage%2falice") && !strings.HasSuffix(call.path, "/x") {
				continue // which is the right one, in a query
			}
			answer := s.short(call)
			status := 0
			_, _ = fmt.Sscanf(answer, "HTTP/1.1 %d ", &status)
			if status < 400 || status >= 500 || strings.Contains(answer, "Location:") || strings.Contains(answer, "SENTINEL") || strings.Contains(answer, "\r\nX-Y") {
				t.Errorf("%s %.200s: %.300s", call.method, call.path, answer)
			}
		}
	}
	if token, err := s.client.Token(t.Context(), alice); err != nil || !token.Access.Equal(openSecret) {
		t.Errorf("afterwards: %v", err)
	}
}

// Whoever makes up names costs the agent no memory for each.
func TestAttackNamesThatAreMadeUp(t *testing.T) {
	s := guarded(t, nil)
	for i := range 300 {
		for _, call := range []asked{{"GET", fmt.Sprintf("/v1/token/made-up-%d/x", i), ""}, {"POST", fmt.Sprintf("/v1/signins/made-up-%d/x/refresh", i), "{}"}, {"GET", fmt.Sprintf("/v1/token/stage/made-up-%d", i), ""}} {
			if answer := s.short(call); !strings.HasPrefix(answer, "HTTP/1.1 404 ") || !strings.Contains(answer, "not signed in") {
				t.Fatalf("%v: %s", call, answer)
			}
		}
	}
	answer := s.short(asked{"GET", "/metrics", ""})
	if strings.Contains(answer, "made-up") || !strings.Contains(answer, `venuekey_asked_total{venue="unknown",verb="token",outcome="refused",consumer=""} 300`) {
		t.Error(answer)
	}
	if kept := reflect.ValueOf(s.keeper).Elem().FieldByName("entries").Len(); kept > 2 {
		t.Errorf("the Keeper keeps %d names", kept)
	}
}

// A part of a query that cannot be read could say less than was meant, and is not left out.
func TestAttackAQueryThatCannotBeRead(t *testing.T) {
	s := guarded(t, nil)
	for _, call := range []asked{{"DELETE", "/v1/signins/stage/alice?revoke=false;", ""}, {"DELETE", "/v1/signins/stage/alice?revoke=%zz", ""}, {"GET", "/v1/events?id=stage/bob;", ""}, {"GET", "/v1/token/stage/alice?newer_than=1;wait=1s", ""}} {
		s.want(s.short(call), 400, "the query cannot be read")
	}
	if len(s.venue.Revoked) != 0 {
		t.Error("it was revoked")
	}
}

// Each right allows its calls for its sign-ins, and no other.
func TestAttackRightsCallByCall(t *testing.T) {
	bob := venuekey.ID{Venue: "stage", Name: "bob"}
	calls := map[agent.Verb][]asked{
		agent.VerbStatus:  {{"GET", "/v1/signins/ID", ""}},
		agent.VerbToken:   {{"GET", "/v1/token/ID", ""}, {"GET", "/v1/token/ID?newer_than=0&wait=1ms", ""}, {"HEAD", "/v1/token/ID", ""}},
		agent.VerbRefused: {{"POST", "/v1/token/ID/refused", `{"access_token":"wrong"}`}},
		agent.VerbRefresh: {{"POST", "/v1/signins/ID/refresh", "{}"}},
		agent.VerbAdmin:   {{"DELETE", "/v1/signins/ID?revoke=false", ""}},
	}
	var may atomic.Value
	may.Store(agent.VerbStatus)
	s := play(t, func(server *agent.Server) {
		server.Allow = func(_ *http.Request, id venuekey.ID, verb agent.Verb) error {
			if verb == may.Load() && id == alice {
				return nil
			}
			return agent.ErrForbidden
		}
	})
	for has := range calls {
		may.Store(has)
		for verb, all := range calls {
			for _, call := range all {
				for _, id := range []venuekey.ID{alice, bob} {
					for _, who := range []venuekey.ID{alice, bob} { // who may have been signed out
						if _, err := s.keeper.State(t.Context(), who); err == nil {
							continue
						}
						if _, err := s.keeper.SignIn(t.Context(), who, keepertest.NoUI{}); err != nil {
							t.Fatal(err)
						}
					}
					answer := s.short(asked{call.method, strings.Replace(call.path, "ID", id.String(), 1), call.body})
					if given := strings.HasPrefix(answer, "HTTP/1.1 2") || strings.HasPrefix(answer, "HTTP/1.1 409"); given != (verb == has && id == alice) {
						t.Errorf("who has %s asks for %v of %s: %s", has, call, id, answer)
					}
				}
			}
		}
		list, metrics, ready := s.short(asked{"GET", "/v1/signins", ""}), s.short(asked{"GET", "/metrics", ""}), s.short(asked{"GET", "/readyz", ""})
		if strings.Contains(list+metrics+ready, "bob") || strings.Contains(list, "alice") != (has == agent.VerbStatus) || !strings.HasPrefix(metrics, "HTTP/1.1 404") {
			t.Errorf("who has %s sees %s %s %s", has, list, metrics, ready)
		}
		events := s.short(asked{"GET", "/v1/events", ""})
		for tries := 0; has == agent.VerbStatus && !strings.Contains(events, "alice") && tries < 20; tries++ { // a busy machine
			events = s.short(asked{"GET", "/v1/events", ""})
		}
		if strings.Contains(events, "bob") || strings.Contains(events, "alice") != (has == agent.VerbStatus) {
			t.Errorf("who has %s hears %s", has, events)
		}
	}
}

// A client of this version reads what an agent of a later one answers, and the other way round.
func TestAttackAnAgentOfAnotherVersion(t *testing.T) {
	path := filepath.Join(folder(t), "a", "agent.sock")
	listener, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{
		"/v1/token/stage/alice":           `{"id":"stage/alice","access_token":"a","generation":3,"expires_at":"2999-01-01T00:00:00Z","of_later":{"x":[1]},"extras":{"n":1,"o":{"p":null}},"headers":{"Authorization":"Bearer a"}}`,
		"/v1/token/stage/bare":            `{"access_token":"a"}`,
		"/v1/signins/stage/alice":         `{"id":"stage/alice","state":"of later","ending":"of later","of_later":1}`,
		"/v1/signins/stage/alice/refresh": `{"error":{"class":"of-later","reason":"because","more":true}}`,
		"/v1/token/stage/nonsense":        `<html>`,
		"/v1/token/stage/list":            `["a"]`,
		"/v1/token/stage/empty":           ``,
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/refresh") {
			w.WriteHeader(499)
		}
		fmt.Fprint(w, answers[r.URL.Path])
	})}
	ended := make(chan error)
	go func() { ended <- web.Serve(listener) }()
	client := &agent.Client{Socket: path}
	if token, err := client.Token(t.Context(), alice); err != nil || token.Generation != 3 || token.Extra("n") != "1" {
		t.Errorf("%+v %v", token, err)
	}
	if token, err := client.Token(t.Context(), venuekey.ID{Venue: "stage", Name: "bare"}); err != nil || token.Access != "a" || token.Valid(time.Now()) {
		t.Errorf("without an end: %+v %v", token, err)
	}
	if _, err := client.Refresh(t.Context(), alice); venuekey.ClassOf(err) != venuekey.ClassFailed || !strings.Contains(err.Error(), `because (class "of-later")`) {
		t.Error(err)
	}
	for _, name := range []string{"nonsense", "list", "empty"} {
		if token, err := client.Token(t.Context(), venuekey.ID{Venue: "stage", Name: name}); err == nil || token != nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %+v %v", name, token, err)
		}
	}
	if status, err := client.Status(t.Context(), alice); err == nil && status.State != "of later" {
		t.Errorf("%+v %v", status, err)
	}
	client.CloseIdleConnections()
	_ = web.Close()
	<-ended
	// An older client asks without what it does not know, a newer one with what this agent does not.
	s := guarded(t, nil)
	if answer := s.raw("GET /v1/token/stage/alice HTTP/1.0\r\n\r\n"); !strings.Contains(answer, `"access_token":"`+openSecret) {
		t.Error(answer)
	}
	s.want(s.get("/v1/token/stage/alice?of_later=1", "Of-Later: 1"), 200, openSecret)
	s.want(s.ask("POST", "/v1/signins/stage/alice/refresh", `{"of_later":1}`), 400, "no JSON that this call takes")
	s.want(s.get("/v2/signins"), 404, "API v1 has no such path")
}

// What the kernel says of a process is written down as what was said, and allows nothing.
func TestAttackAPidIsNoProof(t *testing.T) {
	peers := make(chan agent.Peer, 10)
	s := play(t, func(server *agent.Server) {
		server.Allow = func(r *http.Request, _ venuekey.ID, _ agent.Verb) error {
			peer, _ := agent.PeerOf(r.Context())
			peers <- peer
			return agent.ErrForbidden
		}
	})
	s.signIn()
	for _, field := range []string{"X-Forwarded-For: 127.0.0.1", "Forwarded: for=_root", "X-Real-Uid: 0", "Venuekey-Pid: 1", "Venuekey-Consumer: root"} {
		s.want(s.get("/v1/token/stage/alice", field), 404, "not signed in")
		if peer := <-peers; peer.PID == 1 {
			t.Errorf("%s: %+v", field, peer)
		}
	}
}

// A client that leaves takes nothing with it: the renewal goes on and is saved.
func TestAttackAClientThatLeaves(t *testing.T) {
	s := play(t, nil)
	first := s.signIn()
	began, goOn := make(chan bool, 1), make(chan bool)
	s.venue.Before = func(ctx context.Context) error {
		began <- true
		select {
		case <-goOn:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	if _, err := s.client.Refresh(ctx, alice); !errors.Is(err, context.Canceled) {
		t.Errorf("it left with %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.client.Newer(ctx, alice, first.Generation, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the one that waited left with %v", err)
	}
	close(goOn)
	token, err := s.client.Newer(t.Context(), alice, first.Generation, time.Minute)
	if err != nil || token == nil || token.Generation != first.Generation+1 {
		t.Errorf("%+v %v", token, err)
	}
	if most, total := s.venue.Shown(); most != 1 || total != 1 {
		t.Errorf("%d presentations, one token up to %d times", total, most)
	}
	kept, _, err := keepertest.Kept(t.Context(), s.keeper.Vault, alice)
	if err != nil || kept.Generation != first.Generation+1 {
		t.Errorf("saved: %v %v", kept.Generation, err)
	}
}

// beyond is a stage that also listens with TLS, for whoever knows the word.
func beyond(t *testing.T) (s *stage, address string, client *http.Client) {
	t.Helper()
	authority := emulator.NewAuthority("agent.example", "0.0.0.0")
	certificate := authority.Config().Certificates[0]
	s = guarded(t, nil)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", authority.Config())
	if err != nil {
		t.Fatal(err)
	}
	server := &agent.Server{Keeper: s.keeper, Certificate: certificate.Leaf, Admit: func(r *http.Request) (*http.Request, error) {
		if r.Header.Get("Authorization") != "Bearer word" {
			return nil, errors.New("the token is wrong, revoked or expired")
		}
		return r, nil
	}}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener, elsewhere{plain}) }()
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: authority.Pool(), ServerName: "agent.example"}}
	t.Cleanup(func() { cancel(); <-ended; transport.CloseIdleConnections() })
	request, _ := http.NewRequest("GET", "http://"+plain.Addr().String()+"/v1/token/stage/alice", nil)
	request.Header.Set("Authorization", "Bearer word")
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "not sent without TLS") {
		t.Errorf("in plain text: %d %s", response.StatusCode, text)
	}
	return s, listener.Addr().String(), &http.Client{Transport: transport}
}

// elsewhere is a listener at an address that other machines reach.
type elsewhere struct{ net.Listener }

func (l elsewhere) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return reached{c}, err
}

type reached struct{ net.Conn }

func (reached) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

// pageRequest is what a page may make a browser send, or almost: a path is that of a token if it is "", and a
// host ends with the port if it ends with a colon.
type pageRequest struct {
	name, method, path, host, body string
	fields                         []string
	status                         int // with the token of a consumer
}

var pageRequests = []pageRequest{
	{"as it should be", "GET", "", "", "", nil, 200},
	{"by its address", "GET", "", "127.0.0.1:", "", nil, 200},
	{"by its other address", "GET", "", "[::1]:", "", nil, 200},
	{"in capitals", "GET", "", "LOCALHOST:", "", nil, 200},
	{"a name made to lead here", "GET", "", "evil.example:", "", nil, 421},
	{"one below ours", "GET", "", "x.agent.example", "", nil, 421},
	{"one above ours", "GET", "", "example", "", nil, 421},
	{"one that begins as ours", "GET", "", "agent.example.evil.example", "", nil, 421},
	{"localhost with a dot", "GET", "", "localhost.:", "", nil, 421},
	{"every address", "GET", "", "0.0.0.0:", "", nil, 421},
	{"loopback in the other family", "GET", "", "[::ffff:127.0.0.1]:", "", nil, 421},
	{"loopback, written shorter", "GET", "", "127.1:", "", nil, 421},
	{"loopback, as a number", "GET", "", "2130706433", "", nil, 421},
	{"another loopback", "GET", "", "127.0.0.2", "", nil, 421},
	{"loopback, written longer", "GET", "", "[0:0:0:0:0:0:0:1]:", "", nil, 421},
	{"an origin", "GET", "", "", "", []string{"Origin: https://evil.example"}, 403},
	{"its own origin", "GET", "", "", "", []string{"Origin: https://agent.example"}, 403},
	{"a null origin", "GET", "", "", "", []string{"Origin: null"}, 403},
	{"an empty origin", "GET", "", "", "", []string{"Origin: "}, 403},
	{"no origin, but a site", "GET", "", "", "", []string{"Sec-Fetch-Site: cross-site"}, 403},
	{"an address that was typed in", "GET", "", "", "", []string{"Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 403},
	{"a picture", "GET", "", "", "", []string{"Sec-Fetch-Dest: image"}, 403},
	{"no-cors", "GET", "", "", "", []string{"Sec-Fetch-Mode: no-cors"}, 403},
	{"a preflight", "OPTIONS", "", "", "", []string{"Origin: https://evil.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"}, 403},
	{"a preflight without an origin", "OPTIONS", "", "", "", []string{"Access-Control-Request-Method: GET"}, 405},
	{"a WebSocket", "GET", "", "", "", []string{"Origin: https://evil.example", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13"}, 403},
	{"a form", "POST", "/v1/signins/stage/alice/refresh", "", "again=true", []string{"Origin: null", "Content-Type: application/x-www-form-urlencoded"}, 403},
	{"a form that an old browser sends", "POST", "/v1/signins/stage/alice/refresh", "", "again=true", []string{"Content-Type: application/x-www-form-urlencoded"}, 400},
	{"a form of text", "POST", "/v1/signins/stage/alice/refresh", "", `{"again":true,"x":"="}`, []string{"Content-Type: text/plain"}, 400},
	{"a change by GET", "GET", "/v1/signins/stage/alice/refresh", "", "", nil, 405},
	{"a sign-out by GET", "GET", "/v1/signins/stage/alice?_method=DELETE", "", "", []string{"X-HTTP-Method-Override: DELETE"}, 200},
	{"a refusal by GET", "GET", "/v1/token/stage/alice/refused", "", `{"access_token":"SENTINEL-access"}`, nil, 400},
	{"a body with GET", "GET", "", "", "x", nil, 400},
}

// A web page gets an error from an agent that listens for consumers, whatever it makes a browser send,
// and even if it knew the token of one; and so does a request for another host.
func TestAttackAWebPageAtAnAgentThatListens(t *testing.T) {
	_, address, client := beyond(t)
	for _, row := range pageRequests {
		for _, word := range []string{"word", ""} {
			want := row.status
			if word == "" && (want < 400 || want == 405 || want == 400 && row.method == "POST") {
				want = 401
			}
			response, err := client.Do(row.request(t, address, word))
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
				continue
			}
			text, _ := io.ReadAll(response.Body)
			response.Body.Close()
			told := strings.Contains(string(text), "SENTINEL")
			if response.StatusCode != want || told != (want == 200 && row.path == "") || want >= 400 && !json.Valid(text) || hasCORS(response.Header) {
				t.Errorf("%s, with the word %q: %d %s %v, want %d", row.name, word, response.StatusCode, text, response.Header, want)
			}
		}
	}
}

// request is what is sent to an address.
func (row pageRequest) request(t *testing.T, address, word string) *http.Request {
	t.Helper()
	_, port, _ := net.SplitHostPort(address)
	request, err := http.NewRequestWithContext(t.Context(), row.method, "https://"+address+cmp.Or(row.path, "/v1/token/stage/alice"), strings.NewReader(row.body))
	if err != nil {
		t.Fatal(err)
	}
	if request.Host = cmp.Or(row.host, "agent.example:"); strings.HasSuffix(request.Host, ":") {
		request.Host += port
	}
	for _, field := range row.fields {
		name, value, _ := strings.Cut(field, ":")
		request.Header[http.CanonicalHeaderKey(name)] = []string{strings.TrimSpace(value)}
	}
	if word != "" {
		request.Header.Set("Authorization", "Bearer "+word)
	}
	return request
}

// hasCORS reports whether an answer lets pages read it, or is one that a browser shows.
func hasCORS(header http.Header) bool {
	return header.Get("Access-Control-Allow-Origin") != "" || header.Get("Access-Control-Allow-Methods") != "" || strings.Contains(header.Get("Content-Type"), "html")
}

// A server that somebody else serves, such as in a test, has no connections to judge; all else holds.
func TestAttackAPageAtAServerOfSomebodyElse(t *testing.T) {
	s := guarded(t, nil)
	for _, fields := range [][]string{{"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}} {
		request := httptest.NewRequest("GET", "/v1/token/stage/alice", nil)
		request.Header.Set(fields[0], fields[1])
		answer := httptest.NewRecorder()
		s.server.ServeHTTP(answer, request)
		if answer.Code != http.StatusForbidden || !slices.Equal(answer.Result().Header["Content-Type"], []string{"application/json"}) {
			t.Errorf("%q: %d %s", fields, answer.Code, answer.Body)
		}
	}
}
