package tradovate_test

import (
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// proxied_test.go owns what calls for others are.

func TestWhereACallGoes(t *testing.T) {
	t.Parallel()
	hosts := venuekey.Token{Extras: map[string]venuekey.Secret{"apiHosts": `{"live":"live-7.tradovateapi.com","mdLive":"md-7.tradovateapi.com"}`}}
	for _, c := range []struct {
		app   venuekey.App
		token venuekey.Token
		call  venuekey.Call
		want  string // or the beginning of the error
	}{
		{call: venuekey.Call{Path: "account/list"}, want: "https://live.tradovateapi.com/v1/account/list"},
		{call: venuekey.Call{Path: "v1/account/list"}, want: "https://live.tradovateapi.com/v1/account/list"},
		{app: venuekey.App{Environment: "demo"}, call: venuekey.Call{Path: "account/list"}, want: "https://demo.tradovateapi.com/v1/account/list"},
		{app: venuekey.App{Environment: "demo"}, call: venuekey.Call{Path: "auth/me"}, want: "https://live.tradovateapi.com/v1/auth/me"},
		{call: venuekey.Call{Host: "md", Path: "websocket"}, want: "https://md.tradovateapi.com/v1/websocket"},
		{token: hosts, call: venuekey.Call{Path: "order/list"}, want: "https://live-7.tradovateapi.com/v1/order/list"},
		{token: hosts, call: venuekey.Call{Host: "md", Path: "websocket"}, want: "https://md-7.tradovateapi.com/v1/websocket"},
		{call: venuekey.Call{Host: "live-9.tradovateapi.com", Path: "order/list"}, want: "https://live-9.tradovateapi.com/v1/order/list"},
		{call: venuekey.Call{Host: "tradovateapi.com.evil.example", Path: "order/list"}, want: "the token is not sent"},
		{call: venuekey.Call{Host: "evil.example", Path: "order/list"}, want: "the token is not sent"},
		{call: venuekey.Call{Path: "order/list?x"}, want: "the operation is not a path"},
		{call: venuekey.Call{Path: "order/../auth/me"}, want: "the operation is not a path"},
		{call: venuekey.Call{Path: "order/place\u212a"}, want: "the operation is not a path"},
	} {
		target, err := tradovate.Venue{}.Call(c.app, c.token, c.call)
		switch {
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%+v: %v, want %s", c.call, err, c.want)
		case err == nil && target.URL.String() != c.want:
			t.Errorf("%+v goes to %s, want %s", c.call, target.URL, c.want)
		}
	}
}

// FuzzMessage looks for a message that trades and counts as one that reads, or that the token
// goes into although it does not authorise.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{"authorize\n1\n\nx", "[]", "order/placeorder\n2\n\n{}", "order/list\n3", "/v1/Order/List/\n4\n\n", "auth/renewaccesstoken\n5", "order/placeorder\x00/list\n6", "order/\u212aist\n7\n", "authorize\nnone"} {
		f.Add(seed)
	}
	target, err := tradovate.Venue{}.Call(venuekey.App{}, venuekey.Token{}, venuekey.Call{Path: "websocket"})
	if err != nil {
		f.Fatal(err)
	}
	token := venuekey.Token{Access: "the-token-itself"}
	f.Fuzz(func(t *testing.T, text string) {
		m := target.Message(token, []byte(text))
		first, _, _ := strings.Cut(text, "\n")
		word := strings.ToLower(strings.TrimSpace(first))
		if strings.Contains(string(m.Text), string(token.Access)) && !strings.Contains(text, string(token.Access)) && strings.Trim(strings.TrimPrefix(strings.Trim(word, "/"), "v1/"), "/") != "authorize" {
			t.Errorf("%q got the token: %q", text, m.Text)
		}
		if m.Effect == venuekey.EffectNone && m.Name != "" && (strings.HasSuffix(strings.Trim(word, "/"), "order") || strings.Contains(word, "renewaccess")) && !strings.HasPrefix(m.Name, "md/") && !strings.Contains(m.Name, "/get") {
			t.Errorf("%q counts as %s, which reads", text, m.Name)
		}
		if m.Refusal != nil {
			if answer := m.Refusal("no"); answer != nil && !strings.HasPrefix(string(answer), `a[{"s":403,"i":`) {
				t.Errorf("%q is refused with %q", text, answer)
			}
		}
	})
}
