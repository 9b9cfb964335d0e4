package notify_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/notify"
)

// example_test.go is the manual of the package.

// aKey is a file with a key, in a folder of its own.
func aKey() (path string, remove func()) {
	folder, _ := os.MkdirTemp("", "notify")
	path = filepath.Join(folder, "webhook.key")
	_ = os.WriteFile(path, []byte("0123456789abcdef0123456789abcdef\n"), 0o600)
	return path, func() { os.RemoveAll(folder) }
}

// What a receiver does with a request, before it believes it.
func ExampleVerify() {
	path, remove := aKey()
	defer remove()
	key, err := notify.ReadKey(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err := notify.Verify(key, r.Header.Get(notify.HeaderSignature), body, time.Now(), 0); err != nil {
			http.Error(w, "not signed", http.StatusForbidden)
			return
		}
		fmt.Println("a notice:", bytes.Contains(body, []byte(`"event":"test"`)))
	}))
	defer receiver.Close()

	address, _ := notify.ParseAddress(receiver.URL + "/hooks")
	outcome := notify.Webhook{Address: address, Key: key}.Post(context.Background(), notify.Test(time.Now()))
	fmt.Println(outcome.Delivered(), outcome.Status)
	fmt.Println(notify.Verify(key, "t=1700000000,v1=00", nil, time.Now(), 0))
	// Output:
	// a notice: true
	// true 200
	// the header has no signature
}

// A program of your own that watches over sign-ins tells a person as venuekey run does.
func ExampleTeller() {
	path, remove := aKey()
	defer remove()
	outbox, err := notify.Open(filepath.Join(filepath.Dir(path), "outbox"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer outbox.Close()
	quiet, _ := notify.ParseQuiet("22:00-07:00@Europe/Berlin")
	midnight := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
	until, asleep := quiet.Until(midnight) // the night of the change
	fmt.Println(quiet, quiet.IsZero(), asleep, until.UTC().Format(time.TimeOnly))

	arrived := make(chan bool)
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(arrived) }))
	defer receiver.Close()
	key, _ := notify.ReadKey(path)
	address, _ := notify.ParseAddress(receiver.URL)
	courier := &notify.Courier{Webhook: notify.Webhook{Address: address, Key: key}, Outbox: outbox}
	teller := &notify.Teller{Outbox: outbox, Ways: []notify.Way{func(n notify.Notice, _ venuekey.Event) {
		fmt.Println(n.Title())
		fmt.Println(n.Text())
		courier.Tell(n)
	}}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { courier.Run(ctx) })
	running.Go(func() { teller.Run(ctx) })
	// for event := range keeper.Events(ctx) { teller.Hear(event) }
	teller.Hear(venuekey.Event{
		Kind: venuekey.EventTrouble, At: time.Now(), Reason: "the refresh token was revoked", Remedy: "venuekey login ctrader/alice",
		Status: venuekey.Status{ID: venuekey.ID{Venue: "ctrader", Name: "alice"}, State: venuekey.StateNeedsSignIn},
	})
	<-arrived
	cancel()
	running.Wait()
	fmt.Println(address.HasPassword())
	// Output:
	// 22:00-07:00@Europe/Berlin false true 05:00:00
	// venuekey: ctrader/alice: needs sign-in
	// the refresh token was revoked
	// try: venuekey login ctrader/alice
	// false
}

// What did not arrive is tried again when somebody has mended what was wrong.
func ExampleReplay() {
	folder := "/var/lib/nowhere"
	letters, unread, err := notify.Dead(folder)
	if err != nil || len(unread) > 0 {
		fmt.Println(unread, err)
	}
	for _, letter := range letters {
		fmt.Println(letter.Notice.ID, letter.Why, notify.Replay(folder, letter, time.Now()))
	}
	fmt.Println(len(letters), "letters")
	// Output: 0 letters
}

// A notice on the desktop of whoever sits at this machine.
func ExampleDesktop() {
	desktop, err := notify.FindDesktop()
	if err != nil { // ErrNoDesktop on Windows, and without notify-send on Linux
		return
	}
	desktop.Environ = os.Environ()
	event := venuekey.Event{Kind: venuekey.EventWarning, At: time.Now(), Reason: "the sign-in ends in 2 h"}
	desktop.Tell(notify.Of(event, "venuekey login ctrader/alice"))
	desktop.Close()
	fmt.Println(desktop.Show(context.Background(), notify.Test(time.Now())))
}
