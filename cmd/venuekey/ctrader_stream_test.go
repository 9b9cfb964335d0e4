package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	api "github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_stream_test.go owns what becomes of quotes that come faster than they
// are read.

// demoAccount is alice's, at an emulated venue.
const demoAccount = 5001

// quotesComing lends a Client that is connected to an emulated venue at which
// prices move only when the test says so.
func quotesComing(t *testing.T) (*api.Client, *openapi.Server) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	venue := &ctrader.Server{}
	server := &openapi.Server{Venue: venue, Knobs: openapi.Knobs{QuoteEvery: -1}}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	app := emulator.DefaultApp()
	pair := venue.Issue(emulator.Grant{User: "alice", Client: app.ClientID, Scope: "trading"})
	client := &api.Client{
		ClientID: app.ClientID, ClientSecret: venuekey.Secret(app.ClientSecret), Accounts: []int64{demoAccount},
		Endpoint: api.Endpoint{Address: server.Addresses().DemoProtobuf, TLS: &tls.Config{RootCAs: server.CA()}},
		Token:    func(context.Context) (venuekey.Secret, error) { return venuekey.Secret(pair.Access), nil },
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = server.Close()
	})
	return client, server
}

// gated is a pipe whose reader does not read until it is told to.
type gated struct {
	*buffer
	open, tried chan struct{}
}

func (g *gated) Write(p []byte) (int, error) {
	select {
	case g.tried <- struct{}{}:
	default:
	}
	<-g.open
	return g.buffer.Write(p)
}

// burst is more than a pipe and a stream of the usual room hold.
const burst = 8000

// streaming writes quotes into a pipe that nobody reads, and returns when a burst
// of them is over.
func streaming(t *testing.T, latest bool) (o outside, pipe *gated, end func() error) {
	t.Helper()
	client, server := quotesComing(t)
	o = newOutside(t)
	pipe = &gated{o.out, make(chan struct{}), make(chan struct{}, 1)}
	o.stdout = pipe
	p := &program{host: o.host}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.stream(ctx, client, demoAccount, []string{"EURUSD", "GBPUSD"}, latest) }()
	<-pipe.tried // the first quotes, which say where the prices stand
	seen := api.Events[message.SpotEvent](client)
	defer seen.Close()
	for i := range int64(burst) {
		server.Quote("EURUSD", 100_001+i, 200_000)
	}
	server.Quote("GBPUSD", 123_456, 200_000)
	for m := range seen.All(t.Context()) {
		if m.Bid.Or(0) == 123_456 {
			break
		}
	}
	return o, pipe, func() error {
		cancel()
		return <-ended
	}
}

func TestNothingIsDroppedIntoAPipe(t *testing.T) {
	o, pipe, end := streaming(t, false)
	close(pipe.open)
	o.out.awaits(t, `"1.23456"`)
	if err := end(); err == nil {
		t.Error("it ended without a word")
	}
	next := uint64(100_001)
	for line := range strings.Lines(o.out.String()) {
		var q quoteJSON
		if err := json.Unmarshal([]byte(line), &q); err != nil {
			t.Fatal(err)
		}
		if q.Symbol == "EURUSD" && q.Bid == message.FormatPrice(next) {
			next++
		}
	}
	if next != 100_001+burst {
		t.Errorf("of %d quotes %d came in order", burst, next-100_001)
	}
	if text := o.err.String(); text != "" {
		t.Error(text)
	}
}

func TestTheLatestQuotesAreWhole(t *testing.T) {
	o, pipe, end := streaming(t, true)
	close(pipe.open)
	o.out.awaits(t, `"1.23456"`)
	o.out.awaits(t, fmt.Sprintf(`"bid":%q,"ask":"2"`, message.FormatPrice(uint64(100_000+burst))))
	_ = end()
	if n := strings.Count(o.out.String(), "EURUSD"); n > burst/10 {
		t.Errorf("%d lines are not the latest", n)
	}
	written := strings.Count(o.out.String(), "\n")
	if text := o.err.String(); !strings.Contains(text, "quotes were dropped") || written == 0 {
		t.Errorf("%d written, and told was %q", written, text)
	}
}

// What waits when somebody ends it is not written, and counted too.
func TestWhatIsLeftUnwrittenIsTold(t *testing.T) {
	o, pipe, end := streaming(t, false)
	time.AfterFunc(50*time.Millisecond, func() { close(pipe.open) })
	_ = end()
	if text := o.err.String(); !strings.Contains(text, "quotes were dropped") {
		t.Errorf("%d written, and told was %q", strings.Count(o.out.String(), "\n"), text)
	}
}
