package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// wire_test.go holds what a venue, or whatever answers in its place, may send that no venue
// should: each has a class, a kind and a remedy, and none hangs a program.

// script is a venue that speaks by hand. It opens, and takes every token, unless said
// otherwise.
type script struct {
	*websocket.Conn
	ctx context.Context
}

func (s script) say(frames ...string) {
	for _, frame := range frames {
		_ = s.Write(s.ctx, websocket.MessageText, []byte(frame))
	}
}

// asked is the id of the next request for an endpoint; others are answered with an empty
// list, and false is the end.
func (s script) asked(endpoint string) (id string, ok bool) {
	for {
		_, text, err := s.Read(s.ctx)
		if err != nil {
			return "", false
		}
		switch lines := strings.Split(string(text), "\n"); {
		case len(lines) < 2:
		case lines[0] == endpoint:
			return lines[1], true
		default:
			s.say(`a[{"s":200,"i":` + lines[1] + `,"d":[]}]`)
		}
	}
}

// drain reads until the end.
func (s script) drain() {
	for {
		if _, _, err := s.Read(s.ctx); err != nil {
			return
		}
	}
}

// beats sends heartbeats, and answers nothing, until the end.
func (s script) beats() {
	go s.drain()
	for s.Write(s.ctx, websocket.MessageText, []byte("h")) == nil {
		time.Sleep(2500 * time.Millisecond)
	}
}

// scripted is the host of a venue that speaks by hand.
const scripted = socket.LiveHost

// follow has connections to it served by a script.
func (s *stage) follow(opens bool, script_ func(script)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = func(w http.ResponseWriter, r *http.Request) {
		s.scripts.Add(1)
		defer s.scripts.Done()
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		one := script{ws, ctx}
		if opens {
			one.say("o")
			if id, ok := one.asked("authorize"); ok {
				one.say(`a[{"s":200,"i":` + id + `}]`)
			}
		}
		script_(one)
	}
}

func TestVenuesThatDoNotOpen(t *testing.T) {
	for name, c := range map[string]struct {
		script func(script)
		kind   socket.Kind
		says   string
		within time.Duration
	}{
		"never says o":   {func(s script) { s.asked("") }, socket.KindSilent, "nothing came that opens it", 10 * time.Second},
		"only beats":     {func(s script) { s.beats() }, socket.KindProtocol, "should begin with o", time.Second},
		"an empty frame": {func(s script) { s.say("", "o"); s.asked("") }, socket.KindProtocol, "should begin with o", time.Second},
		"another's":      {func(s script) { s.say(`{"jsonrpc":"2.0"}`); s.asked("") }, socket.KindProtocol, "should begin with o", time.Second},
		"too much":       {func(s script) { s.say(strings.Repeat("o", 17<<20)); s.asked("") }, socket.KindProtocol, "limited at", time.Second},
		"ends":           {func(s script) { s.Close(websocket.StatusGoingAway, "Bye\x1b[1m") }, socket.KindSilent, "nothing came that opens it", time.Second},
		"is cut":         {func(s script) { s.CloseNow() }, socket.KindSilent, "nothing came that opens it", time.Second},
		"half a frame":   {func(s script) { s.half("o"); s.drain() }, socket.KindSilent, "nothing came that opens it", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				s.follow(false, c.script)
				began := time.Now()
				conn, err := socket.Dial(t.Context(), s.endpoint(scripted), s.options())
				if conn != nil {
					t.Fatal("there is a connection")
				}
				e := known(t, err)
				if e.Class != venuekey.ClassNotSent || e.Kind != c.kind || !strings.Contains(err.Error(), c.says) || e.Remedy() == "" || time.Since(began) > c.within {
					t.Errorf("%v: %v, %v, after %v", err, e.Class, e.Kind, time.Since(began))
				}
				if strings.ContainsAny(err.Error(), "\x1b\n") {
					t.Errorf("%q", err)
				}
			})
		})
	}
}

// half sends the beginning of a frame, and keeps the rest.
func (s script) half(text string) {
	w, err := s.Writer(s.ctx, websocket.MessageText)
	if err == nil {
		_, _ = w.Write([]byte(text + strings.Repeat(" ", 8<<10)))
	}
}

// What ends a connection that is up, and what it is called.
func TestFramesThatEndAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		script func(script)
		kind   socket.Kind
		says   string
		within time.Duration
	}{
		"garbage":          {func(s script) { s.say("\x00{") }, socket.KindProtocol, "none of the venue's", 0},
		"not UTF-8":        {func(s script) { s.say("\xff\xfe") }, socket.KindProtocol, "none of the venue's", 0},
		"empty":            {func(s script) { s.say("") }, socket.KindProtocol, "it is empty", 0},
		"half an answer":   {func(s script) { s.say(`a[{"s":200,"i":2,"d":{"a`) }, socket.KindProtocol, "it is not JSON", 0},
		"no array":         {func(s script) { s.say(`a{"s":200,"i":2}`) }, socket.KindProtocol, "it is no array", 0},
		"no objects":       {func(s script) { s.say(`a[1]`) }, socket.KindProtocol, "a message is no object", 0},
		"an id of letters": {func(s script) { s.say(`a[{"s":200,"i":"2"}]`) }, socket.KindProtocol, `"i" is not what it should be`, 0},
		"a deep one":       {func(s script) { s.say("a[" + strings.Repeat("[", 100_000)) }, socket.KindProtocol, "it is not JSON", 0},
		"a huge one":       {func(s script) { s.say("a[" + strings.Repeat(" ", 17<<20) + "]") }, socket.KindProtocol, "longer than", 0},
		"a close frame":    {func(s script) { s.say(`c[3000,"Go\naway!"]`) }, socket.KindPlain, "code 3000", 0},
		"a bare c":         {func(s script) { s.say(`c`) }, socket.KindPlain, "closed it", 0},
		"a close":          {func(s script) { s.Close(1000, "Bye") }, socket.KindPlain, `"Bye"`, 0},
		"a cut":            {func(s script) { s.CloseNow() }, socket.KindPlain, "lost", 0},
		"shutdown, no d":   {func(s script) { s.say(`a[{"e":"shutdown"}]`); s.Close(1000, "") }, socket.KindPlain, "shutdown", 0},
		"a word, and then": {func(s script) { s.say(`a[{"e":"shutdown","d":{"reasonCode":"Maintenance"}}]`, "\x00") }, socket.KindMaintenance, "Maintenance", 0},
		"half a frame":     {func(s script) { s.half(`a[{"e":"md","d":{`); s.drain() }, socket.KindSilent, "not even when asked", 25 * time.Second},
		"heartbeats alone": {func(s script) { s.beats() }, socket.KindSilent, "not even when asked", 5*time.Minute + 35*time.Second},
		"silence":          {func(s script) { s.Read(s.ctx); time.Sleep(time.Hour) }, socket.KindSilent, "not even when asked", 25 * time.Second},
		"a dead token": {func(s script) {
			if id, ok := s.asked("account/list"); ok {
				s.say(`a[{"s":401,"i":` + id + `,"d":"Expired Access Token"}]`)
				s.asked("")
			}
		}, socket.KindTokenDead, "Expired Access Token", 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				s.follow(true, func(s script) { c.script(s); s.asked("") })
				conn := s.conn(scripted)
				began := time.Now()
				<-conn.Done()
				e := known(t, conn.Err())
				if e.Class != venuekey.ClassLater || e.Kind != c.kind || !strings.Contains(e.Error(), c.says) || time.Since(began) > c.within {
					t.Errorf("%v: %v, %v, after %v", e, e.Class, e.Kind, time.Since(began))
				}
				if e.Kind != socket.KindPlain && e.Remedy() == "" || strings.ContainsAny(e.Error(), "\n\x1b") {
					t.Errorf("%q has no remedy, or two lines", e.Error())
				}
				_, err := conn.Do(t.Context(), find)
				if known(t, err).Class != venuekey.ClassNotSent {
					t.Error(err)
				}
			})
		})
	}
}

// Answers of all shapes: the connection lives, and the next is answered.
func TestAnswersOfAllShapes(t *testing.T) {
	declined, unknown, later := venuekey.ClassDeclined, venuekey.ClassUnknown, venuekey.ClassLater
	for frame, want := range map[string]struct {
		class  venuekey.Class
		says   string
		remedy bool
	}{
		`a[{"s":200,"i":#}]`:                                    {},
		`a[{"i":#,"s":204,"d":null}]`:                           {},
		`a[{"s":200,"i":#,"d":"text"}]`:                         {},
		"a[ {\"new\":[{}], \"d\" : {} ,\t\"s\":200,\"i\":# } ]": {},
		`a[{"e":"props","d":{}},{"s":200,"i":#,"d":1}]`:         {},
		`a[{"i":#}]`:         {unknown, "the answer has no status", false},
		`a[{"s":99,"i":#}]`:  {unknown, "status 99 without a text", false},
		`a[{"s":400,"i":#}]`: {declined, "status 400 without a text", true},
		`a[{"s":400,"i":#,"d":{"errorText":"no such"}}]`:                                {declined, "no such", true},
		`a[{"s":400,"i":#,"d":"two\nlines \u001b[31m"}]`:                                {declined, "two lines", true},
		`a[{"s":404,"i":#,"d":[]}]`:                                                     {declined, "status 404 without a text", true},
		`a[{"s":429,"i":#}]`:                                                            {later, "too many requests", true},
		`a[{"s":423,"i":#,"d":null}]`:                                                   {later, "too many requests", true},
		`a[{"s":500,"i":#,"d":"Internal Server Error, error id: 1"}]`:                   {later, "Internal Server Error", true},
		`a[{"s":503,"i":#}]`:                                                            {later, "status 503", true},
		`a[{"s":200,"i":#,"d":{"errorText":"This endpoint should be called on live"}}]`: {venuekey.ClassMisconfigured, "called on live", true},
		`a[{"s":200,"i":#,"d":{"p-ticket":"","p-captcha":true}}]`:                       {later, "time penalty", true},
		`a[{"s":200,"i":#,"d":{"violations":[{"constraint":"x"}]}}]`:                    {declined, "violations", false},
	} {
		t.Run(frame, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				s.follow(true, func(s script) {
					if id, ok := s.asked(find.Endpoint); ok {
						s.say(strings.ReplaceAll(frame, "#", id))
						s.asked("")
					}
				})
				conn := s.conn(scripted)
				_, err := conn.Do(t.Context(), find)
				if want.says == "" {
					if err != nil {
						t.Error(err)
					}
				} else if e := known(t, err); e.Class != want.class || !strings.Contains(e.Error(), want.says) || (e.Remedy() != "") != want.remedy || strings.ContainsAny(e.Error(), "\n\x1b") {
					t.Errorf("%v: %v, remedy %q", err, e.Class, e.Remedy())
				}
				if next, err := conn.Do(t.Context(), socket.Request{Endpoint: "order/list"}); err != nil || string(next) != "[]" {
					t.Errorf("the next: %s %v", next, err)
				}
			})
		})
	}
}

// A venue that answers nothing, though it beats, is left after the first request that it
// lost; what only read is asked on the next connection by a Client.
func TestAVenueThatAnswersNothing(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		s.follow(true, func(s script) { s.beats() })
		conn := s.conn(scripted)
		began := time.Now()
		if _, err := conn.Do(t.Context(), order); known(t, err).Class != venuekey.ClassUnknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		<-conn.Done()
		if took := time.Since(began); took != time.Minute || known(t, conn.Err()).Kind != socket.KindSilent {
			t.Error(took, conn.Err())
		}
	})
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) { // quotes come, and no answer: that is alive
		s.follow(true, func(s script) {
			go s.drain()
			for s.Write(s.ctx, websocket.MessageText, []byte(`a[{"e":"md","d":{}}]`)) == nil {
				time.Sleep(time.Second)
			}
		})
		conn := s.conn(scripted)
		go conn.Do(t.Context(), order)
		time.Sleep(10 * time.Minute)
		if conn.Err() != nil {
			t.Error(conn.Err())
		}
	})
}

// A penalised request comes once more: the same bytes, and the ticket.
func TestAPenaltyIsPaidOnce(t *testing.T) {
	for _, again := range []bool{false, true} {
		play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
			var bodies []string
			var first time.Time
			s.follow(true, func(s script) {
				for {
					_, text, err := s.Read(s.ctx)
					if err != nil {
						return
					}
					lines := strings.SplitN(string(text), "\n", 4)
					if len(lines) < 4 {
						continue
					}
					bodies = append(bodies, lines[3])
					if len(bodies) == 1 {
						first = time.Now()
					} else if took := time.Since(first); took != 5*time.Second {
						t.Errorf("again after %v", took)
					}
					if len(bodies) == 1 || again {
						s.say(`a[{"s":200,"i":` + lines[1] + `,"d":{"p-ticket":"` + prefix + `t","p-time":5,"p-captcha":false}}]`)
					} else {
						s.say(`a[{"s":200,"i":` + lines[1] + `,"d":[]}]`)
					}
				}
			})
			conn := s.conn(scripted)
			_, err := conn.Do(t.Context(), socket.Request{Endpoint: "order/items", Body: json.RawMessage(`{"z":1.0, "a":[2]}`)})
			if again {
				if e := known(t, err); e.Kind != socket.KindPenalty || e.RetryAfter != 5*time.Second || e.Ticket == "" {
					t.Error(err)
				}
			} else if err != nil {
				t.Error(err)
			}
			if want := []string{`{"z":1.0, "a":[2]}`, `{"z":1.0, "a":[2],"p-ticket":"` + prefix + `t"}`}; strings.Join(bodies, "|") != strings.Join(want, "|") {
				t.Errorf("%q", bodies)
			}
		})
	}
}
