package venuekey_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// refusing is an API that answers every call in one way, and counts the calls.
func refusing(t *testing.T, status int, challenges ...string) (address string, calls func() int) {
	t.Helper()
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header()["Www-Authenticate"] = challenges
		w.WriteHeader(status)
	}))
	t.Cleanup(api.Close)
	return api.URL, func() int { return asked }
}

// A token that may not do something is not dead (RFC 6750 §3.1): whoever takes it
// for that uses up a renewal with every such call.
func TestAttackACallBeyondTheScopeCostsNoRenewal(t *testing.T) {
	for _, row := range []struct {
		name       string
		status     int
		challenges []string
		renewed    bool
	}{
		{"as the RFC has it", 403, []string{`Bearer realm="api", error="insufficient_scope", scope="trading"`}, false},
		{"with the status of a dead token", 401, []string{`Bearer error="insufficient_scope", scope="trading"`}, false},
		{"behind another challenge", 401, []string{`Basic realm="a, Bearer error=\"invalid_token\"", bearer error=insufficient_scope`}, false},
		{"in a second field", 401, []string{`Negotiate`, `Bearer error="insufficient_scope"`}, false},
		{"a dead token", 401, []string{`Bearer error="invalid_token"`}, true},
		{"a bare 401", 401, nil, true},
		{"the word quoted inside another", 401, []string{`Bearer realm="x, error=insufficient_scope", error="invalid_token"`}, true},
		{"another scheme's word", 401, []string{`Digest error="insufficient_scope"`}, true},
		{"what cannot be read", 401, []string{`Bearer error="insufficient_scope`}, true},
		{"two words", 401, []string{`Bearer error="insufficient_scope", error="invalid_token"`}, true},
	} {
		venue := &keepertest.Venue{Terms: venuekey.Policy{LeastInterval: time.Nanosecond}}
		keeper, _ := keepertest.SignedIn(t, venue)
		address, calls := refusing(t, row.status, row.challenges...)
		client := keeper.Source(keepertest.Alice).Client()
		response, err := client.Get(address)
		if err != nil {
			t.Fatal(row.name, err)
		}
		response.Body.Close()
		_, renewals := venue.Shown()
		if response.StatusCode != row.status || (renewals > 0) != row.renewed || calls() > 1 != row.renewed {
			t.Errorf("%s: %d renewals, %d calls", row.name, renewals, calls())
		}
		client.CloseIdleConnections()
	}
}

// What an answer says of the token is told apart, in words that are ours.
func TestWhatACallWasRefusedFor(t *testing.T) {
	const bearer = "SENTINEL-access-token"
	for _, row := range []struct {
		name       string
		status     int
		challenges []string
		code       string
		class      venuekey.Class
		scopes     []string
	}{
		{"too little", 403, []string{`Bearer realm="x", error="insufficient_scope", scope="read trade"`}, "insufficient_scope", venuekey.ClassMisconfigured, []string{"read", "trade"}},
		{"too little, and what is wanted is not told", 403, []string{`Bearer error=insufficient_scope`}, "insufficient_scope", venuekey.ClassMisconfigured, nil},
		{"a dead token", 401, []string{`Bearer error="invalid_token", error_description="it, \"expired\""`}, "invalid_token", venuekey.ClassRefused, nil},
		{"a dead token, in the words of a plugin", 401, []string{`Bearer realm="Service", error="expired_token"`}, "expired_token", venuekey.ClassRefused, nil},
		{"a request that is none", 400, []string{`Bearer error="invalid_request"`}, "invalid_request", venuekey.ClassMisconfigured, nil},
		{"a bare 401", 401, nil, "", venuekey.ClassRefused, nil},
		{"a 401 for somebody else", 401, []string{`Basic realm="proxy"`}, "", venuekey.ClassRefused, nil},
		{"a scope that no scope can be", 403, []string{"Bearer error=insufficient_scope, scope=\"a\xe2\x80\xaeb trade c\td\""}, "insufficient_scope", venuekey.ClassMisconfigured, []string{"trade"}},
		{"the token for a scope", 403, []string{`Bearer error=insufficient_scope, scope="` + bearer + ` trade ENTINEL-access-token x` + bearer + `"`}, "insufficient_scope", venuekey.ClassMisconfigured, []string{"trade"}},
	} {
		request, _ := http.NewRequest("GET", "https://api.example.com", nil)
		request.Header.Set("Authorization", "Bearer "+bearer)
		err := venuekey.RefusalOf(&http.Response{StatusCode: row.status, Header: http.Header{"Www-Authenticate": row.challenges}, Request: request})
		known, ok := errors.AsType[*venuekey.Error](err)
		if !ok || known.Code != row.code || known.Class != row.class || !slices.Equal(known.Scopes, row.scopes) {
			t.Errorf("%s: %v %+v", row.name, err, known)
			continue
		}
		for _, scope := range row.scopes {
			if !strings.Contains(known.Reason, scope) || !strings.Contains(known.Remedy, scope) {
				t.Errorf("%s: %q, %q", row.name, known.Reason, known.Remedy)
			}
		}
		if text := known.Error() + known.Remedy; strings.Contains(text, "SENTINEL") || strings.Contains(text, "expired\"") {
			t.Errorf("%s: %s", row.name, text)
		}
	}
}

// What says nothing of the token is nobody's refusal of it.
func TestAnswersThatSayNothingOfTheToken(t *testing.T) {
	for status, challenges := range map[int][]string{
		200: {`Bearer error="insufficient_scope"`}, 204: nil, 302: nil,
		400: nil, 403: {`Basic realm="x"`}, 404: nil, 409: {`Bearer realm="x"`}, 429: nil, 500: nil,
	} {
		if err := venuekey.RefusalOf(&http.Response{StatusCode: status, Header: http.Header{"Www-Authenticate": challenges}}); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
	if err := venuekey.RefusalOf(nil); err != nil {
		t.Error(err)
	}
}
