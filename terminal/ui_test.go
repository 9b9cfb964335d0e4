package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// paper is written to by several goroutines.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

var visit = venuekey.Visit{
	URL: "http://localhost:8080/start/shown", Open: "http://localhost:8080/start/opened", Elsewhere: "https://venue.example/authorize?client_id=12_abc&redirect_uri=x",
	Redirect: "http://localhost:8080/auth/callback", Listening: true, CodeLife: time.Minute,
}

// taken is a visit whose redirect leads to another program's port.
var taken = venuekey.Visit{Elsewhere: visit.Elsewhere, Redirect: visit.Redirect, NotListening: "the port is taken"}

func TestAVisitSaysWhereToGoAndWhatToPaste(t *testing.T) {
	for _, row := range []struct {
		name      string
		ui        *UI
		visit     venuekey.Visit
		says, not string
		refused   string
	}{
		{"nobody is at the input", &UI{}, visit, "waiting for the sign-in at http://localhost:8080/auth/callback (Ctrl-C to give up)", "paste", ""},
		{"a pipe that takes a paste", &UI{Piped: true}, visit, "or open this one in a browser on another machine, then paste here the address that the browser shows at the end, or just the code in it:\n\n  " + visit.Elsewhere + "\n", "no browser", ""},
		{"the address to show is that of the listener", &UI{}, visit, "open this address in a browser on this machine, sign in and allow access:\n\n  " + visit.URL + "\n", "venue.example", ""},
		{"the redirect is on another machine", &UI{Piped: true}, venuekey.Visit{URL: visit.Elsewhere, Redirect: "https://x", NotListening: "it is not here"}, "nothing is listening at https://x: it is not here\nthen paste here", "waiting", ""},
		{"nothing can come back", &UI{}, taken, "", "open this address", "the port is taken"},
		{"somebody else has the port", &UI{Piped: true}, taken, "do not use a browser on this machine: it would deliver the code to the program that has that port", "waiting", ""},
		{"the address is for another machine then", &UI{Piped: true}, taken, "in a browser on another machine, then paste here the address that the browser shows at the end, or just the code in it:\n\n  " + visit.Elsewhere + "\n", "waiting", ""},
		{"a code that lives", &UI{}, visit, "once access is allowed, the code is valid for 60 s", "paste", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			out := &paper{}
			row.ui.In, row.ui.Out = strings.NewReader(""), out
			err := row.ui.Visit(t.Context(), row.visit)
			if got := out.String(); !strings.Contains(got, row.says) || strings.Contains(got, row.not) {
				t.Errorf("%q", got)
			}
			if (err == nil) != (row.refused == "") || err != nil && !strings.Contains(err.Error(), row.refused) {
				t.Error(err)
			}
		})
	}
}

func TestABrowserThatDoesNotOpenIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &paper{}
		ui := &UI{In: strings.NewReader(""), Out: out, Browse: func(string) error { return errors.New("there is none") }}
		if err := ui.Visit(t.Context(), visit); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := out.String(); !strings.Contains(got, "no browser could be opened (there is none): open the address yourself") {
			t.Error(got)
		}
	})
}

// A wrong client id or redirect uri looks like nothing at all from here.
func TestAfterHalfAMinuteOfSilenceThereIsAHint(t *testing.T) {
	for name, piped := range map[string]bool{"taking a paste": true, "listening only": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := &paper{}
				read, write := io.Pipe()
				defer write.Close()
				ui := &UI{In: read, Out: out, Piped: piped, Advice: "try the doctor"}
				if err := ui.Visit(t.Context(), visit); err != nil {
					t.Fatal(err)
				}
				ctx, end := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { _, err := ui.Paste(ctx); ended <- err }()
				time.Sleep(29 * time.Second)
				if strings.Contains(out.String(), "nothing has come back") {
					t.Error("too early")
				}
				time.Sleep(2 * time.Second)
				for _, words := range []string{"nothing has come back for 30 s", "client id     12_abc\n", "redirect uri  http://localhost:8080/auth/callback\n", "try the doctor\n"} {
					if !strings.Contains(out.String(), words) {
						t.Errorf("%q is not in %q", words, out)
					}
				}
				time.Sleep(10 * time.Minute)
				if strings.Count(out.String(), "nothing has come back") != 1 {
					t.Error("it was told more than once")
				}
				end()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		})
	}
}

// A read that was given up is not lost to the next question.
func TestLinesComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read, write := io.Pipe()
		ui := &UI{In: read, Out: &paper{}, Piped: true}
		ctx, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		if _, err := ui.Paste(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		go func() {
			io.WriteString(write, "one\r\ntw")
			io.WriteString(write, "o\n\nthree")
			write.Close()
		}()
		for _, want := range []string{"one", "two", "", "three"} {
			if got, err := ui.Paste(t.Context()); err != nil || got != want {
				t.Errorf("%q, %v", got, err)
			}
		}
		if _, err := ui.Paste(t.Context()); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

func TestQuestionsInAPipe(t *testing.T) {
	out := &paper{}
	ui := &UI{In: strings.NewReader("alice\nwonderland\n\n\n\n"), Out: out}
	got, err := ui.Ask(t.Context(), []venuekey.Field{{Name: "name"}, {Name: "password", Secret: true}, {Name: "world", Default: "live"}, {Name: "note", Optional: true}})
	if err != nil || got["name"] != "alice" || got["password"] != "wonderland" || got["world"] != "live" || got["note"] != "" {
		t.Error(got, err)
	}
	if _, err := ui.Ask(t.Context(), []venuekey.Field{{Name: "name", Help: "user name"}}); !errors.Is(err, ErrNothingEntered) || err.Error() != "user name: nothing was entered" {
		t.Error(err)
	}
	if out.String() != "" {
		t.Errorf("a program was asked %q", out)
	}
	// A line without an end is a mistake, and what comes after it is read.
	long := &UI{In: strings.NewReader(strings.Repeat("x", 1<<20) + "\nthe next\n" + strings.Repeat("y", 1<<20)), Out: out, Piped: true}
	for _, want := range []string{tooLong, "the next", tooLong} {
		if got, err := long.Paste(t.Context()); err != nil || got != want {
			t.Errorf("%.20q, %v; want %q", got, err, want)
		}
	}
	if _, err := long.Paste(t.Context()); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// The program that opens a browser gets the address that may stand in a list of
// arguments, and none where the callback would come to somebody else.
func TestAttackAStrangerOnTheCallbacksPortGetsNoBrowser(t *testing.T) {
	for _, row := range []struct {
		name   string
		visit  venuekey.Visit
		piped  bool
		opened string
		err    bool
	}{
		{"a listener waits", visit, false, visit.Open, false},
		{"a stranger has the port, at a terminal", taken, false, "", true},
		{"a stranger has the port, pasting", taken, true, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := ""
				ui := &UI{In: strings.NewReader(""), Out: &paper{}, Piped: row.piped, Browse: func(address string) error { opened = address; return nil }}
				err := ui.Visit(t.Context(), row.visit)
				synctest.Wait()
				if opened != row.opened || (err != nil) != row.err {
					t.Errorf("%q was opened, %v", opened, err)
				}
			})
		})
	}
}
