package oauth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// A venue of which nobody knows for sure where, and by which method, it takes
// token requests: what nobody there read is sent another way, and the way that
// worked is remembered. A refresh token is shown a second time only where that is
// known to do no harm.
func TestOtherWaysAreForRequestsNobodyRead(t *testing.T) {
	const page, granted = "<html>", `{"access_token":"a"}`
	const fault = `{"error":"invalid_request"}`
	type reply struct {
		status int
		body   string
	}
	answers := map[string]reply{}
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.Path)
		answer := answers[r.Method+" "+r.URL.Path]
		w.WriteHeader(answer.status)
		fmt.Fprint(w, answer.body)
	}))
	defer server.Close()
	client := Client{Config: Config{TokenURL: server.URL + "/1", TokenFallbacks: []Way{
		{URL: server.URL + "/1", ByGet: true, Learned: map[string]string{"method": "GET"}},
		{URL: server.URL + "/2", Learned: map[string]string{"path": "2"}},
	}}}
	for _, row := range []struct {
		name    string
		status  int
		body    string
		get     int
		sent    []string // by an exchange, and by a refresh where reuse is harmless
		learned string
		class   venuekey.Class
	}{
		{"not there", 404, page, 404, []string{"POST /1", "POST /2"}, "path", venuekey.ClassUnknown},
		{"not there, in JSON", 404, `{"message":"no Route matched"}`, 404, []string{"POST /1", "POST /2"}, "path", venuekey.ClassUnknown},
		{"takes GET only", 405, page, 200, []string{"POST /1", "GET /1"}, "method", venuekey.ClassUnknown},
		{"takes neither", 405, page, 405, []string{"POST /1", "GET /1", "POST /2"}, "path", venuekey.ClassUnknown},
		{"the venue's own 405", 405, fault, 200, []string{"POST /1"}, "", venuekey.ClassMisconfigured},
		{"may have been read", 500, page, 200, []string{"POST /1"}, "", venuekey.ClassUnknown},
	} {
		answers["POST /1"], answers["POST /2"], answers["GET /1"] = reply{row.status, row.body}, reply{200, granted}, reply{row.get, page}
		if row.get == 200 {
			answers["GET /1"] = reply{200, granted}
		}
		seen, client.ReuseHarmless = nil, false
		token, err := client.Exchange(t.Context(), stageApp, "code", "")
		if !slices.Equal(seen, row.sent) || (err == nil) != (row.learned != "") || (token.Learned[row.learned] != "") != (row.learned != "") {
			t.Errorf("%s: an exchange: %v, learned %v, %v", row.name, seen, token.Learned, err)
		}
		seen = nil
		if _, err := client.Refresh(t.Context(), stageApp, sentRefresh); !slices.Equal(seen, row.sent[:1]) || venuekey.ClassOf(err) != row.class {
			t.Errorf("%s: a refresh where reuse is punished: %v, %v", row.name, seen, err)
		}
		seen, client.ReuseHarmless = nil, true
		if _, err := client.Refresh(t.Context(), stageApp, sentRefresh); !slices.Equal(seen, row.sent) || (err == nil) != (row.learned != "") {
			t.Errorf("%s: a refresh: %v, %v", row.name, seen, err)
		}
	}
}

// What the venue says itself stays beside what a standard makes of its code, at the
// token address and on the way back from the sign-in page.
func TestTheVenuesOwnWordsAreKept(t *testing.T) {
	client, _ := answering(t, says(400, `{"error":"invalid_request","error_description":"want a code_challenge"}`))
	if _, err := client.Exchange(t.Context(), stageApp, "one-time", ""); !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), `"want a code_challenge"`) {
		t.Error(err)
	}
	got := client.readCallback(url.Values{"error": {"invalid_scope"}, "error_description": {"no trading\nhere"}, "state": {"s"}}, Attempt{State: "s"})
	if got.denied == nil || !strings.Contains(got.denied.Error(), `"no trading here"`) {
		t.Error(got.denied)
	}
}

// A code cannot be exchanged again, so waiting alone does not help.
func TestASignInThatWasPutOffHasToBeRepeated(t *testing.T) {
	for _, row := range []struct {
		status       int
		wait, remedy string
	}{{429, "2", "wait 2s and sign in again"}, {429, "", "sign in again"}, {503, "", "sign in again"}, {502, "", "sign in again"}} {
		client, asked := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", row.wait)
			w.WriteHeader(row.status)
		})
		if _, err := client.Exchange(t.Context(), stageApp, "code", ""); !strings.HasPrefix(remedyOf(err), row.remedy) || asked.Load() != 1 {
			t.Errorf("%d: %v; %s", row.status, err, remedyOf(err))
		}
		if _, err := client.Refresh(t.Context(), stageApp, sentRefresh); strings.Contains(remedyOf(err), "sign in again") {
			t.Errorf("%d: a renewal: %s", row.status, remedyOf(err))
		}
	}
}
