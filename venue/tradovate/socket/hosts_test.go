package socket

import (
	"crypto/tls"
	"encoding/json"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// hosts_test.go holds which host that an answer names is obeyed, and so may get a token.

// strangers are addresses that look like the venue's, or like this machine's, and are not.
var strangers = []string{
	"", " ", ".", "..", "evil.example", "tradovate.com.evil.example", "eviltradovate.com", "tradovateapi.com.", "tradovate.co",
	"evil.example/.tradovate.com", "evil.example/tradovate.com", "evil.example#.tradovate.com", "evil.example?.tradovate.com", "evil.example\\.tradovate.com",
	"user@evil.example", "tradovate.com@evil.example", "evil.example@x.tradovate.com", "evil.example:443/.tradovate.com", "x.tradovate.com:8443", "x.tradovate.com:0443",
	"x..tradovate.com", ".tradovate.com", "-.tradovate.com\n", "a\x00.tradovate.com", "a%2f.tradovate.com", "tr\u0430dovate.com", "a.trad\u043evate.com",
	"https://demo.tradovateapi.com", "//demo.tradovateapi.com", "[demo.tradovateapi.com]", "[::1]", "127.0.0.1", "127.0.0.1:443", "localhost", "10.0.0.1", "169.254.169.254",
}

func namedAs(t testing.TB, own string, address any) (Endpoint, bool) {
	t.Helper()
	hosts, err := json.Marshal(map[string]any{"demo": address, "userContext": map[string]int{}})
	if err != nil {
		t.Fatal(err)
	}
	return Endpoint{Address: own, Role: RoleDemo, TLS: &tls.Config{ServerName: "named"}}.named(venuekey.Secret(hosts))
}

func TestWhichHostsAreObeyed(t *testing.T) {
	for address, want := range map[string]string{
		"demo-7.tradovateapi.com": "demo-7.tradovateapi.com", "DEMO-7.TradovateAPI.com": "demo-7.tradovateapi.com", "demo-7.tradovateapi.com:443": "demo-7.tradovateapi.com",
		"tradovate.com": "tradovate.com", "a.b.ninjatrader.com": "a.b.ninjatrader.com", "demo-api.staging.ninjatrader.dev": "demo-api.staging.ninjatrader.dev",
	} {
		got, ok := namedAs(t, DemoHost, address)
		if !ok || got.Address != want || got.TLS.ServerName != "" {
			t.Errorf("%q: %q, %v", address, got.Address, ok)
		}
		for _, own := range []string{"127.0.0.1:8443", "localhost:1", "gateway.example:443", "10.0.0.1"} {
			if got, ok := namedAs(t, own, address); ok {
				t.Errorf("%s leaves for %q", own, got.Address)
			}
		}
	}
	for _, address := range strangers {
		if got, ok := namedAs(t, DemoHost, address); ok {
			t.Errorf("%q is obeyed: %q", address, got.Address)
		}
	}
	for _, address := range []any{1, nil, true, []string{DemoHost}, map[string]string{"host": DemoHost}} {
		if got, ok := namedAs(t, DemoHost, address); ok {
			t.Errorf("%v is obeyed: %q", address, got.Address)
		}
	}
	for address, ok := range map[string]bool{"127.0.0.1:9": true, "[::1]:9": true, "localhost:9": true, "127.0.0.1": true, "evil.example:9": false, "127.0.0.1.evil.example:9": false, "127.0.0.1:9/x": false, "127.0.0.1:x": false} {
		if got, obeyed := namedAs(t, "127.0.0.1:8443", address); obeyed != ok || ok && got.TLS.ServerName != "named" {
			t.Errorf("%q: %q, %v", address, got.Address, obeyed)
		}
	}
	for _, hosts := range []venuekey.Secret{"", "null", "[]", `{"live":"demo-7.tradovateapi.com"}`, `{"demo":`, `"demo"`} {
		if got, ok := (Endpoint{Address: DemoHost, Role: RoleDemo}).named(hosts); ok {
			t.Errorf("%s: %q", hosts, got.Address)
		}
	}
	if got, ok := (Endpoint{Address: DemoHost}).named(`{"":"demo-7.tradovateapi.com"}`); ok {
		t.Error("an endpoint without a role is moved to", got.Address)
	}
}

// Whatever is named, a token goes to the venue's domains or to this machine only.
func FuzzHosts(f *testing.F) {
	for _, address := range strangers {
		f.Add(DemoHost, address)
		f.Add("127.0.0.1:1", address)
	}
	f.Fuzz(func(t *testing.T, own, address string) {
		got, ok := namedAs(t, own, address)
		if !ok {
			return
		}
		host, _ := got.hostPort()
		if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.:") != "" {
			t.Fatalf("%q from %q", host, address)
		}
		for _, domain := range []string{"tradovateapi.com", "tradovate.com", "ninjatrader.com", "ninjatrader.dev"} {
			if host == domain || strings.HasSuffix(host, "."+domain) {
				return
			}
		}
		if host != "localhost" && host != "::1" && !strings.HasPrefix(host, "127.") && host != "0:0:0:0:0:0:0:1" && !strings.Contains(host, "::") {
			t.Fatalf("%q from %q", host, address)
		}
	})
}
