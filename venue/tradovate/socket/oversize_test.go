package socket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// oversize_test.go tests frames that are longer than MaxFrame: what they cost.

// Market data that is too long is skipped, and an answer is an error of its caller; the
// connection and all else on it go on. What changes a user's state ends the connection.
func TestFramesLongerThanMaxFrame(t *testing.T) {
	long := strings.Repeat("x", 64<<10)
	for name, c := range map[string]struct {
		frame string
		ends  bool
	}{
		"market data":               {`a[{"e":"md","d":{"quotes":["` + long + `"]}}]`, false},
		"a chart":                   {`a[{"e":"chart","d":{"charts":["` + long + `"]}}]`, false},
		"an entity":                 {`a[{"e":"props","d":{"entity":"` + long + `"}}]`, true},
		"an answer that nobody has": {`a[{"s":200,"i":4711,"d":"` + long + `"}]`, true},
		"several messages":          {`a[{"e":"md","d":{}},{"e":"props","d":{"entity":"` + long + `"}}]`, true},
		"no data":                   {`a[{"e":"md","x":"` + long + `"}]`, true},
		"no JSON":                   {"a[]]]" + long, true},
		"a close":                   {`c[3000,"` + long + `"]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
				p := newProgram(s, socket.DemoHost)
				p.Options.MaxFrame = 32 << 10
				p.run()
				defer p.quit()
				p.ready()
				before := s.Log().Count(tradovate.SocketOpened)
				s.Say(c.frame)
				time.Sleep(5 * time.Second)
				p.ready()
				if _, err := p.Do(t.Context(), find); err != nil {
					t.Error(err)
				}
				if n := s.Log().Count(tradovate.SocketOpened) - before; (n > 0) != c.ends {
					t.Errorf("%d more connections", n)
				}
			})
		})
	}
}

// An answer that is too long is its caller's error, and the next one comes.
func TestAnAnswerLongerThanMaxFrame(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		s.follow(false, func(s script) {
			s.say("o")
			if id, ok := s.asked(find.Endpoint); ok {
				s.say(`a[{"s":200,"i":` + id + `,"d":"` + strings.Repeat("x", 64<<10) + `"}]`)
				s.asked("")
			}
		})
		o := s.options()
		o.MaxFrame = 32 << 10
		conn, err := socket.Dial(t.Context(), s.endpoint(scripted), o)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = conn.Do(t.Context(), find)
		if e := known(t, err); e.Class != venuekey.ClassFailed || !strings.Contains(err.Error(), "MaxFrame allows 32768") {
			t.Errorf("%v, %v", e.Class, err)
		}
		if next, err := conn.Do(t.Context(), socket.Request{Endpoint: "order/list"}); err != nil || string(next) != "[]" {
			t.Errorf("the next: %s %v", next, err)
		}
	})
}
