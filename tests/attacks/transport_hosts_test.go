package attacks_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// An address that came from elsewhere, out of an answer or a setting, must not get
// the token because a program follows it (RFC 6750 §5.2, RFC 9700 §4.9.1).
func TestAttackAnAddressThatAsksForTheToken(t *testing.T) {
	var seen []string
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.Header.Get("Authorization")) })
	api, thief := httptest.NewServer(handler), httptest.NewServer(handler)
	defer api.Close()
	defer thief.Close()
	keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{Terms: venuekey.Policy{LeastInterval: time.Nanosecond}})
	transport := &venuekey.Transport{Source: keeper.Source(keepertest.Alice), Base: &http.Transport{DisableKeepAlives: true}}
	client := &http.Client{Transport: transport}
	for _, hosts := range [][]string{{strings.TrimPrefix(api.URL, "http://")}, {"other.example", strings.ToUpper(strings.TrimPrefix(api.URL, "http://"))}} {
		seen, transport.Hosts = nil, hosts
		response, err := client.Get(api.URL)
		if err != nil || len(seen) != 1 || seen[0] != "Bearer access-1" {
			t.Fatal(hosts, seen, err)
		}
		response.Body.Close()
		for _, address := range []string{thief.URL, "http://localhost:1", "https://127.0.0.1.example", "https://" + hosts[0] + "@thief.example"} {
			if _, err := client.Get(address); err == nil || !strings.Contains(err.Error(), "not one of the hosts") || len(seen) != 1 {
				t.Errorf("%v: %s: %v, seen %v", hosts, address, err, seen)
			}
		}
	}
}
