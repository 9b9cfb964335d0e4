package venues_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	definedemu "github.com/venuekey/venuekey/emulator/defined"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	ttpemu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// Every venue, under its own policy and under those that punish reuse, through an
// outage of every kind and length that begins with the renewal itself. A sign-in
// may be lost only if no program could have saved it, and no refresh token arrives
// at the venue more often than the policy allows. With -v the table of
// doc/reliability.md is printed.

// outage is a kind of trouble between us and a venue. It answers a request, which
// it may hand on to the venue, or breaks it.
type outage struct {
	name string
	// acts says that the venue does its work, and that nobody hears of it.
	acts   bool
	answer func(r *http.Request) (*http.Response, error)
}

func outages() []outage {
	status := func(code int, body string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}
	}
	cut := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset by peer") }
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return []outage{
		{name: "refused"}, // no connection
		{name: "hanging", answer: hang},
		{name: "hanging, the venue acts", acts: true, answer: hang},
		{name: "cut before", answer: cut},
		{name: "cut after", acts: true, answer: cut},
		{name: "HTML", answer: status(200, "<html><body>We are back soon</body></html>")},
		{name: "HTML, the venue acts", acts: true, answer: status(403, "<html><body>Attention Required!</body></html>")},
		{name: "408", answer: status(408, "")},
		{name: "429", answer: status(429, "")},
		{name: "500", answer: status(500, "")},
		{name: "502", answer: status(502, "<html><body>Bad Gateway</body></html>")},
		{name: "503", answer: status(503, "<html><body>Service Unavailable</body></html>")},
	}
}

// between is the way to an emulated venue, with an outage for a while.
type between struct {
	venue  keepertest.InProcess
	outage outage
	length time.Duration
	before func(*http.Request) // sees each request first, unless nil

	mu    sync.Mutex
	armed bool      // the next request begins the outage
	end   time.Time // of the outage
}

// over says when the outage is, or was; zero before it began.
func (b *between) over() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.end
}

func (b *between) out() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.armed {
		b.armed, b.end = false, time.Now().Add(b.length)
	}
	return time.Now().Before(b.end)
}

func (b *between) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.before != nil {
		b.before(r)
	}
	if !b.out() {
		return b.venue.RoundTrip(r)
	}
	if b.outage.answer == nil {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if b.outage.acts {
		acted := r.Clone(context.WithoutCancel(r.Context()))
		acted.Body = io.NopCloser(bytes.NewReader(body))
		if response, err := b.venue.RoundTrip(acted); err == nil {
			response.Body.Close()
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return b.outage.answer(r)
}

// underPolicy is a venue under another policy.
type underPolicy struct {
	venuekey.Venue
	policy venuekey.Policy
}

func (v underPolicy) Policy() venuekey.Policy { return v.policy }
func (v underPolicy) Probe(ctx context.Context, app venuekey.App) error {
	return v.Venue.(venuekey.Prober).Probe(ctx, app)
}

// ordeal is a venue to go through outages with.
type ordeal struct {
	name string
	// open gives the venue, which sends through a transport, and its emulator.
	open func(http.RoundTripper) (venuekey.Venue, emulator.Venue)
	// most is how often one refresh token may arrive.
	most int
	// life is that of the access token, and renewable what renews it once that is
	// dead; zero is for ever.
	life, renewable time.Duration
	// keeps says that a lost answer uses nothing up.
	keeps bool
}

func ordeals() []ordeal {
	const short = 2 * time.Hour // so that the access token dies within the test
	apps := []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: []string{"https://app.example/cb"}}}
	punished := func(lost venuekey.LostAnswer, grace time.Duration, rotation emulator.Rotation) func(http.RoundTripper) (venuekey.Venue, emulator.Venue) {
		return func(way http.RoundTripper) (venuekey.Venue, emulator.Venue) {
			venue := ctrader.Venue{Transport: way}
			policy := venue.Policy()
			policy.AfterLostAnswer, policy.Grace, policy.KillsAccess = lost, grace, false
			return underPolicy{venue, policy}, &ctraderemu.Server{Apps: apps, Knobs: ctraderemu.Knobs{AccessLife: short, Rotation: rotation, Grace: grace, OldAccessStays: true}}
		}
	}
	return []ordeal{
		{name: "cTrader", most: 1000, life: ctrader.AccessLife, open: func(way http.RoundTripper) (venuekey.Venue, emulator.Venue) {
			return ctrader.Venue{Transport: way}, &ctraderemu.Server{Apps: apps}
		}},
		{name: "TTP", most: 1000, life: ttp.AccessLife, open: func(way http.RoundTripper) (venuekey.Venue, emulator.Venue) {
			return ttp.Venue{Transport: way}, &ttpemu.Server{Apps: apps}
		}},
		{name: "Tradovate, OAuth", most: 1000, life: tradovate.AccessLife, keeps: true, open: func(way http.RoundTripper) (venuekey.Venue, emulator.Venue) {
			return tradovate.Venue{Transport: way}, &tradovateemu.Server{Apps: apps, Knobs: tradovateemu.Knobs{RenewQuota: 1000}}
		}},
		{name: "Tradovate, password", most: 0, life: tradovate.AccessLife, renewable: tradovate.AccessLife, keeps: true, open: func(way http.RoundTripper) (venuekey.Venue, emulator.Venue) {
			return tradovate.Venue{Transport: way}, &tradovateemu.Server{Apps: apps, Knobs: tradovateemu.Knobs{RenewQuota: 1000}}
		}},
		{name: "Coinbase, by definition: never, reuse revokes", most: 2, life: time.Hour, open: func(way http.RoundTripper) (venuekey.Venue, emulator.Venue) {
			return defined.NewOver(way, definitionOf("coinbase")), &definedemu.Server{Definition: definitionOf("coinbase"), Apps: apps}
		}},
		{name: "Schwab, by definition: nothing is used up", most: 1000, life: 30 * time.Minute, keeps: true, open: func(way http.RoundTripper) (venuekey.Venue, emulator.Venue) {
			return defined.NewOver(way, definitionOf("schwab")), &definedemu.Server{Definition: definitionOf("schwab"), Apps: apps}
		}},
		{name: "Never, reuse revokes", most: 2, life: short, open: punished(venuekey.RetryNever, 0, emulator.RotationStrictFamilyRevoke)},
		{name: "Once, reuse revokes", most: 3, life: short, open: punished(venuekey.RetryOnce, 0, emulator.RotationStrictFamilyRevoke)},
		{name: "Once, forgiven for 30 s", most: 3, life: short, open: punished(venuekey.RetryOnce, 30*time.Second, emulator.RotationGraceNewPair)},
	}
}

func TestOutages(t *testing.T) {
	lengths := []time.Duration{time.Hour}
	if needs.Slow() {
		lengths = []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}
	}
	var table strings.Builder
	tell := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, o := range ordeals() {
		fmt.Fprintf(tell, "%s\t", o.name)
		for _, length := range lengths {
			fmt.Fprintf(tell, "%s\t", length)
		}
		fmt.Fprintln(tell)
		for _, kind := range outages() {
			fmt.Fprintf(tell, "  %s\t", kind.name)
			for _, length := range lengths {
				var end string
				synctest.Test(t, func(t *testing.T) { end = o.live(t, kind, length) })
				fmt.Fprintf(tell, "%s\t", end)
			}
			fmt.Fprintln(tell)
		}
	}
	tell.Flush()
	t.Logf("\n%s", table.String())
}

// live goes through one outage, and says how it ended.
func (o ordeal) live(t *testing.T, kind outage, length time.Duration) string {
	way := &between{outage: kind, length: length}
	keeper, server, status := o.signIn(t, way)
	id, first := status.ID, status.Generation
	time.Sleep(time.Until(status.NextRefresh) - time.Second)
	way.armed = true
	died := o.run(t, keeper, id, first, way)
	status, err := keeper.Status(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	o.check(t, server, kind, length)
	where := fmt.Sprintf("%s, %s for %s", o.name, kind.name, length)
	switch {
	case status.Generation > first && status.State == venuekey.StateFresh && died:
		return "kept, dead meanwhile"
	case status.Generation > first && status.State == venuekey.StateFresh:
		return "kept"
	case kind.acts && !o.keeps:
		return "lost: rotated unheard"
	case o.renewable > 0 && way.over().Sub(status.Issued) >= o.renewable:
		return "lost: died meanwhile"
	}
	t.Errorf("%s: a sign-in is lost that could be saved: %s, %s", where, status.State, status.Reason)
	return "LOST"
}

// signIn signs alice in by that way, before anything is in it.
func (o ordeal) signIn(t *testing.T, way *between) (*venuekey.Keeper, emulator.Venue, venuekey.Status) {
	t.Helper()
	venue, server := o.open(way)
	way.venue = keepertest.InProcess{Handler: server}
	keeper := o.keeper(t, venue)
	id := venuekey.ID{Venue: venue.Name(), Name: "alice"}
	person := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: way.venue}}
	if _, err := keeper.SignIn(t.Context(), id, keepertest.Paster{Person: person, URL: make(chan string, 1)}); err != nil {
		t.Fatal(err)
	}
	status, err := keeper.Status(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return keeper, server, status
}

func (o ordeal) keeper(t *testing.T, venue venuekey.Venue) *venuekey.Keeper {
	app := venuekey.App{Venue: venue.Name(), ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "https://app.example/cb", URLs: map[string]string{"base": "http://localhost:1"}}
	if o.name == "Tradovate, password" {
		app.ClientID, app.ClientSecret = "", ""
		app.Params = map[string]venuekey.Secret{"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "app_version": "1", "device_id": "d"}
	}
	spill, err := os.MkdirTemp(t.TempDir(), "spill")
	if err != nil {
		t.Fatal(err)
	}
	return &venuekey.Keeper{
		Vault: &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{7}}, Venues: []venuekey.Venue{venue}, Spills: []string{spill},
		Apps: func(context.Context, string) (venuekey.App, error) { return app, nil },
	}
}

// run keeps the sign-in fresh until it is renewed or can only be helped by a human,
// or for three lives of its access token; it says whether the token died meanwhile.
func (o ordeal) run(t *testing.T, keeper *venuekey.Keeper, id venuekey.ID, first int64, way *between) (died bool) {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = keeper.Run(ctx)
	}()
	limit := time.Now().Add(3 * min(o.life, 3*time.Hour))
	for time.Now().Before(limit) {
		time.Sleep(time.Minute)
		status, err := keeper.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		died = died || status.Left < 0
		if status.Generation > first && status.State == venuekey.StateFresh && time.Now().After(way.over()) || status.State == venuekey.StateNeedsSignIn {
			break
		}
	}
	stop()
	<-done
	return died
}

// check counts what arrived at the venue.
func (o ordeal) check(t *testing.T, server emulator.Venue, kind outage, length time.Duration) {
	shown := map[string]int{}
	for _, event := range server.Log().Events() {
		if event.Kind != emulator.EventRefreshPresented {
			continue
		}
		if shown[event.Fingerprint]++; shown[event.Fingerprint] > o.most {
			t.Errorf("%s, %s for %s: one refresh token arrived %d times", o.name, kind.name, length, shown[event.Fingerprint])
		}
	}
}
