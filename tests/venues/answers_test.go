package venues_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/venuekey/venuekey"
)

// One answer to one renewal, of every kind that was met, under every policy, and
// what becomes of the sign-in. With -v the table of doc/reliability.md is printed.

// answered is one kind of answer, once.
type answered struct {
	name string
	// acts says that the venue rotates; real is then what is made of its answer.
	acts bool
	real func(body string) (status int, changed string)
	// status, header and body are what comes in place of the venue's answer.
	status int
	retry  string
	body   string
	// dead says that it is the venue's own word for the end of the sign-in.
	dead bool
}

func kindsOfAnswers() []answered {
	wrapped := func(status int, before, after string) func(string) (int, string) {
		return func(body string) (int, string) { return status, before + body + after }
	}
	return []answered{
		{name: "invalid_grant", status: 400, body: `{"error":"invalid_grant"}`, dead: true},
		{name: "invalid_client", status: 401, body: `{"error":"invalid_client"}`},
		{name: "temporarily_unavailable", status: 503, body: `{"error":"temporarily_unavailable"}`},
		{name: "slow_down in a 400", status: 400, body: `{"error":"slow_down"}`},
		{name: "rate_limit_exceeded in a 400", status: 400, body: `{"error":"rate_limit_exceeded"}`},
		{name: "maintenance in a 200", status: 200, body: `{"error":"maintenance"}`},
		{name: "429", status: 429},
		{name: "503 with Retry-After", status: 503, retry: "60"},
		{name: "401, a gateway's JSON", status: 401, body: `{"message":"Unauthorized"}`},
		{name: "403, a gateway's JSON", status: 403, body: `{"message":"Forbidden"}`},
		{name: "403, Cloudflare's JSON", status: 403, body: `{"type":"https://developers.example/1010","title":"Error 1010: Access denied","status":403,"error_code":1010}`},
		{name: "404, a framework's JSON", status: 404, body: `{"statusCode":404,"error":"Not Found","message":"no route"}`},
		{name: "an error that is an object", status: 400, body: `{"error":{"code":403,"message":"blocked"}}`},
		{name: "403, HTML", status: 403, body: "<html>Attention Required!</html>"},
		{name: "404, HTML", status: 404, body: "<html>not found</html>"},
		{name: "500, nothing", status: 500},
		{name: "503, HTML", status: 503, body: "<html>maintenance</html>"},
		{name: "a redirect", status: 302},
		{name: "rotated, then 403 HTML", acts: true, status: 403, body: "<html>Attention Required!</html>"},
		{name: "rotated, then 500", acts: true, status: 500},
		{name: "rotated, then 503", acts: true, status: 503},
		{name: "rotated, behind a PHP notice", acts: true, real: wrapped(200, "<br />\n<b>Notice</b>: undefined index in x.php on line 3<br />\n", "")},
		{name: "rotated, with a byte-order mark", acts: true, real: wrapped(200, "\ufeff", "")},
		{name: "rotated, before an HTML comment", acts: true, real: wrapped(200, "", "\n<!-- cached -->")},
		{name: "rotated, inside data", acts: true, real: wrapped(200, `{"data":`, `}`)},
		{name: "rotated, in a list", acts: true, real: wrapped(200, `[`, `]`)},
		{name: "rotated, with status 403", acts: true, real: wrapped(403, "", "")},
		{name: "rotated, with status 500", acts: true, real: wrapped(500, "", "")},
	}
}

func (a answered) outage(way *between) outage {
	return outage{name: a.name, answer: func(r *http.Request) (*http.Response, error) {
		status, body := a.status, a.body
		if a.acts {
			response, err := way.venue.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(response.Body)
			if err != nil {
				return nil, err
			}
			if a.real != nil {
				status, body = a.real(string(text))
			}
		}
		header := http.Header{}
		if a.retry != "" {
			header.Set("Retry-After", a.retry)
		}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}}
}

func TestAnswersUnderEveryPolicy(t *testing.T) {
	var table strings.Builder
	tell := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	var worlds []ordeal
	for _, o := range ordeals() {
		if !o.keeps { // an access token that renews itself uses nothing up
			worlds = append(worlds, o)
		}
	}
	for _, o := range worlds {
		fmt.Fprintf(tell, "\t%s", o.name)
	}
	fmt.Fprintln(tell)
	for _, a := range kindsOfAnswers() {
		fmt.Fprint(tell, a.name)
		for _, o := range worlds {
			var end string
			synctest.Test(t, func(t *testing.T) { end = o.hear(t, a) })
			fmt.Fprintf(tell, "\t%s", end)
		}
		fmt.Fprintln(tell)
	}
	tell.Flush()
	t.Logf("\n%s", table.String())
}

// hear answers one renewal so, and tells what became of the sign-in.
func (o ordeal) hear(t *testing.T, a answered) string {
	way := new(between)
	way.outage = a.outage(way)
	keeper, server, status := o.signIn(t, way)
	id, first := status.ID, status.Generation
	time.Sleep(time.Until(status.NextRefresh))
	way.length, way.armed = time.Nanosecond, true
	_, refused := keeper.Refresh(t.Context(), id)
	after, err := keeper.Status(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	o.run(t, keeper, id, first, way)
	o.check(t, server, way.outage, 0)
	end, err := keeper.Status(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	kept := end.State == venuekey.StateFresh && end.Generation > first
	unheard := a.acts && a.real == nil && o.name != "Once, forgiven for 30 s"
	switch {
	case kept == (a.dead || unheard):
		t.Errorf("%s, %s: kept is %v: %s, %s", o.name, a.name, kept, end.State, end.Reason)
		return "WRONG"
	case a.dead:
		return "dead"
	case !kept:
		return "lost"
	case refused == nil:
		return "renewed"
	case after.State == venuekey.StateUncertain:
		return "uncertain, then renewed"
	default:
		return "later renewed"
	}
}
