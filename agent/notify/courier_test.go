package notify

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
)

// courier_test.go tells stories of notices on their way, in virtual time.

// An endpoint that is down for hours gets each notice once it is back, and until then is asked
// less and less often.
func TestAnEndpointThatIsDown(t *testing.T) {
	for name, down := range map[string]func(*http.Request) (*http.Response, error){
		"refuses": refusing, "hangs": hanging, "is cut": cut, "answers 500": answering(500, "<html>", "Content-Type", "text/html"), "answers 503": answering(503, ""),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := &endpoint{answer: down}
				p := newPost(t, newFolder(t), end, nil)
				began := time.Now()
				n := noticeOf(alice, "revoked")
				p.Tell(n)
				time.Sleep(6 * time.Hour)
				attempts := end.take()
				if len(attempts) < 24 || len(attempts) > 60 {
					t.Errorf("%d attempts in six hours", len(attempts))
				}
				for i := 1; i < len(attempts); i++ {
					if gap := attempts[i].at.Sub(attempts[i-1].at); gap < time.Second || gap > lastPause+attemptLimit {
						t.Errorf("attempt %d came after %s", i, gap)
					}
				}
				if waits, _ := p.files(); len(waits) != 1 {
					t.Error(waits)
				}
				end.now(nil)
				time.Sleep(lastPause + attemptLimit)
				got := end.take()
				if len(got) != 1 || got[0].body != attempts[0].body || got[0].header.Get(HeaderDelivery) != n.Delivery || attempts[0].header.Get(HeaderDelivery) != n.Delivery {
					t.Fatalf("%d arrived", len(got))
				}
				if err := Verify(testKey, got[0].header.Get(HeaderSignature), []byte(got[0].body), got[0].at, 0); err != nil || got[0].header.Get(HeaderSignature) == attempts[0].header.Get(HeaderSignature) {
					t.Error("each attempt is signed when it is made:", err)
				}
				if waits, dead := p.files(); len(waits)+len(dead) > 0 {
					t.Error(waits, dead)
				}
				if said := p.said.String(); strings.Count(said, "does not take notices") != 1 || strings.Contains(said, "a/path") {
					t.Error(said)
				}
				p.stop()
				if time.Since(began) > 7*time.Hour {
					t.Error(time.Since(began))
				}
			})
		})
	}
}

// A notice that nobody takes for a day is a dead letter, and so is one that is refused, at
// once; a redirect is.
func TestANoticeThatIsGivenUp(t *testing.T) {
	for name, row := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		after  time.Duration
		why    string
	}{
		"down for a day": {answering(500, ""), 24 * time.Hour, "answers 500"},
		"refused":        {answering(403, "unknown key"), 0, "answers 403 Forbidden: unknown key"},
		"redirected":     {answering(302, "", "Location", "http://127.0.0.1/"), 0, "not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := &endpoint{answer: row.answer}
				p := newPost(t, newFolder(t), end, nil)
				began := time.Now()
				p.Tell(noticeOf(alice, "revoked"))
				time.Sleep(25 * time.Hour)
				_, dead := p.files()
				if len(dead) != 1 || !strings.Contains(dead[0].Why, row.why) || dead[0].Attempts < 1 {
					t.Fatalf("%+v", dead)
				}
				if died := dead[0].Died.Sub(began); died < row.after || died > row.after+time.Minute {
					t.Errorf("it was given up after %s", died)
				}
				if !strings.Contains(p.said.String(), "venuekey notify dead") {
					t.Error(p.said)
				}
				// Whoever has mended the endpoint sends it again, with the same delivery.
				end.take()
				end.now(nil)
				if err := Replay(p.folder, dead[0], time.Now()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * lookAgain)
				if got := end.take(); len(got) != 1 || got[0].header.Get(HeaderDelivery) != dead[0].Notice.Delivery {
					t.Errorf("%+v", got)
				}
				if waits, dead := p.files(); len(waits)+len(dead) > 0 {
					t.Error(waits, dead)
				}
				p.stop()
			})
		})
	}
}

// An endpoint that asks to be left alone is, by all notices.
func TestAnEndpointThatWantsToBeLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &endpoint{answer: answering(429, "", "Retry-After", "600")}
		p := newPost(t, newFolder(t), end, nil)
		began := time.Now()
		p.Tell(noticeOf(alice, "revoked"))
		time.Sleep(time.Second)
		p.Tell(noticeOf(bob, "revoked"))
		time.Sleep(9 * time.Minute)
		if got := end.take(); len(got) != 1 {
			t.Errorf("%d attempts", len(got))
		}
		end.now(nil)
		time.Sleep(2 * time.Minute)
		got := end.take()
		if len(got) != 2 || got[0].at.Sub(began) < 10*time.Minute {
			t.Errorf("%+v", got)
		}
		p.stop()
	})
}

// Notices about one sign-in come in their order; those about others wait for none of them.
func TestOneSlowNoticeDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &endpoint{answer: func(r *http.Request) (*http.Response, error) {
			if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "ctrader/alice") {
				return hanging(r)
			}
			return answering(204, "")(r)
		}}
		p := newPost(t, newFolder(t), end, nil)
		told := time.Now()
		p.Tell(noticeOf(alice, "first"))
		p.Tell(noticeOf(alice, "second"))
		for i := range 10 {
			p.Tell(noticeOf(venuekey.ID{Venue: "ctrader", Name: fmt.Sprint("bot", i)}, "revoked"))
		}
		if time.Since(told) > 0 {
			t.Error("whoever tells has to wait")
		}
		time.Sleep(time.Second)
		if got := end.take(); len(got) != 11 {
			t.Errorf("%d requests", len(got))
		}
		end.now(nil)
		time.Sleep(time.Minute)
		got := end.take()
		if len(got) != 2 || !strings.Contains(got[0].body, "first") || !strings.Contains(got[1].body, "second") {
			t.Errorf("%+v", got)
		}
		p.stop()
	})
}

// A reminder that has not arrived is worth nothing once there is newer word.
func TestNewerWordReplacesAReminder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &endpoint{answer: refusing}
		p := newPost(t, newFolder(t), end, nil)
		p.Tell(noticeOf(alice, "first"))
		for i := range 3 {
			n := noticeOf(alice, fmt.Sprint("reminder ", i))
			n.Repeat = i + 1
			p.Tell(n)
			time.Sleep(time.Hour)
		}
		p.Tell(noticeOf(bob, "revoked"))
		if waits, _ := p.files(); len(waits) != 3 {
			t.Error(waits)
		}
		end.take()
		end.now(nil)
		time.Sleep(time.Hour)
		var bodies []string
		for _, r := range end.take() {
			bodies = append(bodies, r.body)
		}
		if all := strings.Join(bodies, "\n"); len(bodies) != 3 || !strings.Contains(all, "first") || !strings.Contains(all, "reminder 2") || !strings.Contains(all, "ctrader/bob") {
			t.Error(all)
		}
		p.stop()
	})
}

// Lists that are full lose the oldest, and say so.
func TestListsThatAreFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &endpoint{answer: refusing}
		p := newPost(t, newFolder(t), end, func(c *Courier) { c.Most = 5 })
		var all []string
		for i := range 12 {
			n := noticeOf(venuekey.ID{Venue: "ctrader", Name: fmt.Sprint("bot", i)}, "revoked")
			all = append(all, n.Delivery)
			p.Tell(n)
			time.Sleep(20 * time.Second)
		}
		waits, dead := p.files()
		var left []string
		for _, l := range slices.Concat(dead, waits) {
			left = append(left, l.Notice.Delivery)
		}
		if len(waits) != 5 || len(dead) != 5 || !slices.Equal(left, all[2:]) {
			t.Errorf("%d wait and %d are dead: %v", len(waits), len(dead), left)
		}
		if dead[0].Why != "too many notices were waiting" || !strings.Contains(p.said.String(), "the oldest dead letters are removed") {
			t.Errorf("%+v\n%s", dead[0], p.said)
		}
		p.stop()
	})
}

// What waits when a process ends is sent by the next one; the endpoint it had does not matter.
func TestTheNextProcessSendsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, end := newFolder(t), &endpoint{answer: hanging}
		p := newPost(t, folder, end, nil)
		p.Tell(noticeOf(alice, "revoked"))
		time.Sleep(time.Second)
		ended := time.Now()
		p.Tell(noticeOf(bob, "at the very end"))
		p.stop() // while a request hangs
		if took := time.Since(ended); took > farewell {
			t.Errorf("the end took %s", took)
		}
		if waits, _ := p.files(); len(waits) != 2 || waits[0].Attempts != 0 {
			t.Fatal(waits)
		}
		time.Sleep(time.Hour)
		end.now(nil)
		end.take()
		next := newPost(t, folder, end, nil)
		time.Sleep(time.Second)
		if got := end.take(); len(got) != 2 {
			t.Error(got)
		}
		next.stop()
	})
}

// A day is a day from when the notice was made, however often the program was started anew.
func TestADayIsOverForTheNextProcessToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, end := newFolder(t), &endpoint{answer: refusing}
		for range 5 {
			p := newPost(t, folder, end, nil)
			if waits, dead := p.files(); len(waits)+len(dead) == 0 {
				p.Tell(noticeOf(alice, "revoked"))
			}
			time.Sleep(5 * time.Hour)
			p.stop()
		}
		p := newPost(t, folder, end, nil)
		time.Sleep(time.Minute)
		if waits, dead := p.files(); len(waits) != 0 || len(dead) != 1 {
			t.Error(waits, dead)
		}
		p.stop()
	})
}

// A clock that jumps neither keeps a notice for ever nor gives it up.
func TestACourierWhoseClockJumps(t *testing.T) {
	for name, jump := range map[string]time.Duration{"ten years back": -10 * 365 * 24 * time.Hour, "an hour ahead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				off := make(chan time.Duration, 1)
				off <- 0
				end := &endpoint{answer: answering(503, "", "Retry-After", "60")}
				p := newPost(t, newFolder(t), end, func(c *Courier) {
					c.clock = func() time.Time {
						by := <-off
						off <- by
						return time.Now().Add(by).Round(0)
					}
				})
				p.Tell(noticeOf(alice, "revoked"))
				time.Sleep(10 * time.Minute)
				<-off
				off <- jump
				end.now(nil)
				end.take()
				time.Sleep(2 * lastPause)
				if got := end.take(); len(got) != 1 {
					t.Errorf("%d requests", len(got))
				}
				p.stop()
			})
		})
	}
}

// A disk that takes nothing keeps no notice from arriving.
func TestADiskThatTakesNoNotice(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the folder is taken away while it is open")
	}
	synctest.Test(t, func(t *testing.T) {
		end := &endpoint{answer: refusing}
		p := newPost(t, newFolder(t), end, nil)
		if err := os.RemoveAll(p.folder); err != nil {
			t.Fatal(err)
		}
		p.Tell(noticeOf(alice, "revoked"))
		p.Tell(noticeOf(bob, "revoked"))
		time.Sleep(time.Minute)
		end.take()
		end.now(nil)
		time.Sleep(3 * time.Minute)
		if got := end.take(); len(got) != 2 {
			t.Errorf("%d requests", len(got))
		}
		if said := p.said.String(); strings.Count(said, "cannot be kept on the disk") != 1 {
			t.Error(said)
		}
		end.now(answering(400, ""))
		p.Tell(noticeOf(alice, "revoked"))
		time.Sleep(time.Minute)
		if got := end.take(); len(got) != 1 || !strings.Contains(p.said.String(), "a dead letter cannot be kept") {
			t.Errorf("%d requests\n%s", len(got), p.said)
		}
		p.stop()
	})
}

// A file that is in the outbox and cannot be removed is not sent again and again.
func TestAFileThatStaysIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &endpoint{answer: refusing}
		p := newPost(t, newFolder(t), end, nil)
		n := noticeOf(alice, "revoked")
		p.Tell(n)
		time.Sleep(time.Second)
		path := filepath.Join(p.folder, n.Delivery+waiting)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(path, "stays"), 0o700); err != nil { // it cannot be removed
			t.Fatal(err)
		}
		end.take()
		end.now(nil)
		time.Sleep(time.Minute)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := end.take(); len(got) != 1 {
			t.Errorf("%d requests\n%s", len(got), p.said)
		}
		p.stop()
	})
}
