package venuekey_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// headed is a venue whose API wants a header field.
type headed struct{ *keepertest.Venue }

func (headed) APIHeader() http.Header { return http.Header{"Accept": {"application/vnd.stage"}} }

func TestTransport(t *testing.T) {
	var seen []string
	var body string
	accept := "access-1"
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, "foreign:"+r.Header.Get("Authorization"))
	}))
	defer foreign.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body = string(text)
		seen = append(seen, r.Header.Get("Authorization")+" "+r.Header.Get("Accept"))
		switch {
		case r.URL.Path == "/away":
			http.Redirect(w, r, foreign.URL, http.StatusFound)
		case r.Header.Get("Authorization") != "Bearer "+accept:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer api.Close()

	venue := headed{&keepertest.Venue{Terms: venuekey.Policy{LeastInterval: time.Nanosecond}}}
	_, store := keepertest.SignedIn(t, venue.Venue)
	keeper := keepertest.New(t, store, venue)
	client := keeper.Source(keepertest.Alice).Client()
	defer client.CloseIdleConnections()
	do := func(method, url, text string) int {
		t.Helper()
		seen = nil
		request, _ := http.NewRequest(method, url, strings.NewReader(text))
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}

	if status := do("GET", api.URL, ""); status != 200 || seen[0] != "Bearer access-1 application/vnd.stage" {
		t.Fatal(status, seen)
	}
	accept = "access-2" // the venue does not take the first one any more
	if status := do("POST", api.URL, "order"); status != 200 || len(seen) != 2 || body != "order" {
		t.Fatal(status, seen, body)
	}
	accept = "nothing that we have"
	if status := do("POST", api.URL, "order"); status != 401 || len(seen) != 2 {
		t.Fatal("the venue's own refusal should come through after one more try:", status, seen)
	}
	if status := do("GET", api.URL+"/away", ""); status != 200 || seen[1] != "foreign:" {
		t.Fatal("the token followed a redirect to a foreign host:", status, seen)
	}
	if _, err := client.Get("http://api.example.com/"); err == nil || !strings.Contains(err.Error(), "plain HTTP") {
		t.Fatal(err)
	}
}
