package venuekey_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// headed is a venue whose API wants a header field.
type headed struct{ *keepertest.Venue }

func (headed) Sign(token venuekey.Token, request *http.Request) {
	token.SetAuthHeader(request)
	if request.Header.Values("Accept") == nil {
		request.Header.Set("Accept", "application/vnd.stage")
	}
}

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

// Every form of the field that RFC 9110 §11.6.1 allows, and some that it does not.
func TestChallenges(t *testing.T) {
	for _, row := range []struct {
		field string
		want  string
	}{
		{``, ``},
		{`Bearer`, `Bearer`},
		{`  ,, Bearer , ,`, `Bearer`},
		{`Bearer realm="x"`, `Bearer realm=x`},
		{`bearer REALM=x`, `bearer realm=x`},
		{`Bearer   realm = "x" ,	error="y"`, `Bearer error=y realm=x`},
		{`Bearer realm="a, b=\"c\", Basic realm=d"`, `Bearer realm=a, b="c", Basic realm=d`},
		{`Bearer realm="a\\b\""`, `Bearer realm=a\b"`},
		{`Bearer realm=""`, `Bearer realm=`},
		{`Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"`, `Newauth realm=apps title=Login to "apps" type=1|Basic realm=simple`}, // the RFC's own
		{`Negotiate, Bearer error="x"`, `Negotiate|Bearer error=x`},
		{`Negotiate dG9rZW4=, Bearer error=x`, `Negotiate dG9rZW4=|Bearer error=x`},
		{`Negotiate a==`, `Negotiate a==`},
		{`Negotiate abc/+-._~=`, `Negotiate abc/+-._~=`},
		{`Negotiate abc, Bearer`, `Negotiate abc|Bearer`},
		{`Basic realm="x",Bearer error="y",scope="a b"`, `Basic realm=x|Bearer error=y scope=a b`},

		// What cannot be read is not believed, nor what comes behind it in the field.
		{`Bearer error="x`, ``},
		{`Bearer error="x"y`, ``},
		{`Bearer error=`, `Bearer error=`},          // a token68, by the grammar
		{`Bearer error=, scope=x`, `Bearer error=`}, // which allows nothing beside itself
		{`Bearer error="a", error="b"`, ``},
		{`Bearer error="a", Error=b`, ``},
		{`Bearer "x"`, ``},
		{`Bearer error="x" scope="y"`, ``},
		{`Basic realm="x", Bearer error=(y)`, `Basic realm=x`},
		{`Basic realm="x", @`, `Basic realm=x`},
		{`error="x"`, ``},
		{`Bearer error="x` + "\x00" + `"`, ``},
		{`Bearer error="x` + "\r\n" + `y"`, ``},
	} {
		if got := written(venuekey.ChallengesIn(row.field)); got != row.want {
			t.Errorf("%s\n got %s\nwant %s", row.field, got, row.want)
		}
	}
	if got := written(venuekey.ChallengesIn(`Bearer error="x`, `Bearer error=y`)); got != `Bearer error=y` {
		t.Error("a field that cannot be read spoils another:", got)
	}
}

func written(challenges []venuekey.Challenge) string {
	var list []string
	for _, c := range challenges {
		text := c.Scheme
		if c.Token68 != "" {
			text += " " + c.Token68
		}
		for _, name := range slices.Sorted(maps.Keys(c.Params)) {
			text += " " + name + "=" + c.Params[name]
		}
		list = append(list, text)
	}
	return strings.Join(list, "|")
}

// FuzzChallenges: whatever comes is read in a bounded time, and what was read is
// read again when it is written as the RFC has it.
func FuzzChallenges(f *testing.F) {
	for _, seed := range []string{`Bearer realm="a, \"b\"", error=x, Basic realm=y, Negotiate a==`, `Bearer error="`, `a b c`, `, ,x=y`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		read := venuekey.ChallengesIn(field)
		var again []string
		for _, c := range read {
			if c.Scheme == "" || c.Token68 != "" && len(c.Params) > 0 {
				t.Fatalf("%q: %+v", field, c)
			}
			text := c.Scheme
			if c.Token68 != "" {
				text += " " + c.Token68
			}
			for i, name := range slices.Sorted(maps.Keys(c.Params)) {
				if i > 0 {
					text += ","
				}
				text += fmt.Sprintf(` %s="%s"`, name, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.Params[name]))
			}
			again = append(again, text)
		}
		if got := written(venuekey.ChallengesIn(strings.Join(again, ", "))); got != written(read) {
			t.Fatalf("%q was read as %s, and again as %s", field, written(read), got)
		}
	})
}
