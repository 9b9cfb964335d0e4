package oauth

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// rules_test.go plays who breaks the rules of doc/security.md at the addresses of a
// venue and at the callback.

// A token in a redirect is the implicit grant's (RFC 9700 §2.1.2): whoever puts one
// there may have got it anywhere. It is never taken, with whatever state.
func TestAttackATokenInARedirect(t *testing.T) {
	client, app := stage(t)
	ui := &person{pastes: make(chan string, 8)}
	ui.visit = func(visit venuekey.Visit) error {
		const evil = "access_token=evil&token_type=bearer&expires_in=9999&state="
		if status, page, _ := begins(t, visit).get(t, visit.Redirect+"?"+evil+stateOf(visit), nil); status != 400 || strings.Contains(page, "evil") {
			t.Errorf("in the query: %d", status)
		}
		ui.pastes <- visit.Redirect + "?" + evil + stateOf(visit)
		ui.pastes <- visit.Redirect + "#" + evil + stateOf(visit)
		ui.pastes <- evil + stateOf(visit)
		ui.pastes <- visit.Redirect + "?code=good-code&state=" + stateOf(visit)
		return nil
	}
	token, err := client.Login(t.Context(), app, ui)
	if err != nil || token.Access != "a" || len(ui.told) != 4 {
		t.Fatal(err, ui.told)
	}
}

// Other parameters next to a code are ignored (RFC 6749 §4.1.2).
func TestUnknownParametersOfARedirectAreIgnored(t *testing.T) {
	client, app := stage(t)
	ui := &person{visit: func(visit venuekey.Visit) error {
		go begins(t, visit).get(t, visit.Redirect+"?session_state=x&scope=one+two&authuser=0&authuser=1&hd=&code=good-code&state="+stateOf(visit), nil)
		return nil
	}}
	if token, err := client.Login(t.Context(), app, ui); err != nil || token.Access != "a" {
		t.Fatal(err)
	}
}

// A browser may go to either address of localhost. Where a stranger has one of them,
// nobody listens at the other, and nobody is told that somebody does.
func TestAttackAStrangerAtTheOtherAddressOfLocalhost(t *testing.T) {
	stranger, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		needs.Skip(t, "IPv6", "this machine has no IPv6 loopback")
	}
	defer stranger.Close()
	_, port, _ := net.SplitHostPort(stranger.Addr().String())
	client, app := stage(t)
	app.RedirectURI = "http://localhost:" + port + "/auth/callback"
	ui := &person{visit: func(visit venuekey.Visit) error {
		if visit.Listening || visit.NotListening == "" {
			t.Errorf("listening beside a stranger: %+v", visit)
		}
		return nil
	}}
	if _, err := client.Login(t.Context(), app, ui); !venuekey.Misconfigured(err) {
		t.Fatal(err)
	}
}

// The callback is for this machine's browsers: nobody on the network reaches it (RFC
// 8252 §8.3).
func TestAttackTheCallbackFromTheNetwork(t *testing.T) {
	addresses, _ := net.InterfaceAddrs()
	client, app := stage(t)
	tried := 0
	for _, redirect := range []string{"http://localhost:0/auth/callback", "http://127.0.0.1:0/auth/callback"} {
		app.RedirectURI = redirect
		ui := &person{visit: func(visit venuekey.Visit) error {
			_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(visit.Redirect, "http://"), "/auth/callback"))
			for _, address := range addresses {
				ip, ok := address.(*net.IPNet)
				if !ok || ip.IP.IsLoopback() || ip.IP.IsLinkLocalUnicast() {
					continue
				}
				tried++
				if connection, err := net.DialTimeout("tcp", net.JoinHostPort(ip.IP.String(), port), time.Second); err == nil {
					connection.Close()
					t.Errorf("%s: reached at %s", redirect, ip.IP)
				}
			}
			go begins(t, visit).get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil)
			return nil
		}}
		if _, err := client.Login(t.Context(), app, ui); err != nil {
			t.Fatal(err)
		}
	}
	if tried == 0 {
		needs.Skip(t, "network", "this machine has no address but loopback")
	}
}

// No address of a venue is used in plain, whichever it is (RFC 6749 §3.1, §3.2; RFC
// 7009 §2): nobody is sent there and nothing is.
func TestAttackAnAddressInPlain(t *testing.T) {
	const plain = "http://venue.example/x"
	asked := 0
	transport := roundTrip(func(*http.Request) (*http.Response, error) { asked++; return nil, http.ErrHandlerTimeout })
	ui := &person{visit: func(venuekey.Visit) error { asked++; return nil }}
	app := stageApp
	app.RedirectURI = "http://127.0.0.1:0/cb"
	client := Client{Config: Config{AuthorizeURL: plain, TokenURL: plain, RevokeURL: plain, TokenFallbacks: []Way{{URL: plain}}, ReuseHarmless: true}, Transport: transport}
	_, login := client.Login(t.Context(), app, ui)
	_, exchange := client.Exchange(t.Context(), app, "code", "")
	_, refresh := client.Refresh(t.Context(), app, sentRefresh)
	for name, err := range map[string]error{
		"login": login, "exchange": exchange, "refresh": refresh, "probe": client.Probe(t.Context()),
		"revoke": client.Revoke(t.Context(), app, venuekey.Token{Access: "a", Refresh: "r"}),
	} {
		if !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), "is not https") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if asked > 0 {
		t.Errorf("%d requests left", asked)
	}
}

// No request with a secret follows a redirect, on whatever way and to wherever it
// leads: the secret would go along (RFC 9700 §4.12).
func TestAttackEveryRequestIsRedirected(t *testing.T) {
	reached := 0
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		says(200, `{"access_token":"evil","refresh_token":"evil"}`)(w, r)
	}))
	defer thief.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		client, _ := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, status) })
		client.RevokeURL = client.TokenURL
		_, exchange := client.Exchange(t.Context(), stageApp, "code", "verifier")
		_, refresh := client.Refresh(t.Context(), stageApp, sentRefresh)
		revoke := client.Revoke(t.Context(), stageApp, venuekey.Token{Access: "a", Refresh: "r"})
		bearer, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, client.TokenURL, nil)
		bearer.Header.Set("Authorization", "Bearer a")
		answer, err := Send(nil, bearer)
		if exchange == nil || refresh == nil || revoke == nil || err != nil || answer.Status != status || reached > 0 {
			t.Errorf("%d: %v, %v, %v, %v; the thief was asked %d times", status, exchange, refresh, revoke, err, reached)
		}
	}
}

// A token of a type that is not understood is not used (RFC 6749 §7.1), and no letter
// of it gets into a header.
func TestAttackATokenOfATypeThatIsNotUnderstood(t *testing.T) {
	for _, kind := range []string{"mac", "DPoP", "N_A", "Bearer x", `Bearer\r\nX-Evil: 1`, "Basic"} {
		client, _ := answering(t, says(200, `{"access_token":"evil","token_type":"`+kind+`"}`))
		if token, err := client.Exchange(t.Context(), stageApp, "code", ""); err == nil || token.Access != "" {
			t.Errorf("%s: taken as %q", kind, token.Type)
		}
		if token, err := client.Refresh(t.Context(), stageApp, sentRefresh); venuekey.ClassOf(err) != venuekey.ClassUnknown || token.Access != "" {
			t.Errorf("%s: renewed: %v", kind, err)
		}
	}
	for _, kind := range []string{`"bearer"`, `"BEARER"`, `null`, `""`} { // RFC 6749 §5.1: case-insensitive; some venues leave it out
		client, _ := answering(t, says(200, `{"access_token":"a","token_type":`+kind+`}`))
		if token, err := client.Exchange(t.Context(), stageApp, "code", ""); err != nil || token.TypeOrBearer() != "Bearer" {
			t.Errorf("%s: %q, %v", kind, token.TypeOrBearer(), err)
		}
	}
}
