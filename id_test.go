package venuekey_test

import (
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

func TestParseID(t *testing.T) {
	for text, want := range map[string]string{
		"ctrader":                             "ctrader/default",
		"ctrader/alice":                       "ctrader/alice",
		"ttp/a.b_c-D+1@x.com":                 "ttp/a.b_c-D+1@x.com",
		"":                                    "",
		"/":                                   "",
		"/alice":                              "",
		"ctrader/":                            "",
		"CTrader/alice":                       "",
		"ctrader/alice/bob":                   "",
		"ctrader/..":                          "",
		"ctrader/al ice":                      "",
		"ctrader/al\nice":                     "",
		"ctrader/älice":                       "",
		"ctrader/../../passwd":                "",
		"ctrader/" + strings.Repeat("a", 129): "",
	} {
		id, err := venuekey.ParseID(text)
		if (err != nil) != (want == "") || want != "" && id.String() != want {
			t.Errorf("%q gave %q, %v; want %q", text, id, err, want)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("ctrader/alice")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := venuekey.ParseID(text)
		if err != nil {
			return
		}
		again, err := venuekey.ParseID(id.String())
		if err != nil || again != id {
			t.Fatalf("%q gave %q, which gives %q, %v", text, id, again, err)
		}
	})
}

func TestAddressesOfAnApp(t *testing.T) {
	const standard = "https://venue.example/apps/token?x=1"
	for _, row := range []struct {
		urls map[string]string
		want string
	}{
		{nil, standard},
		{map[string]string{"token": "https://own.example/t"}, "https://own.example/t"},
		{map[string]string{"base": "http://127.0.0.1:9101"}, "http://127.0.0.1:9101/apps/token?x=1"},
		{map[string]string{"base": "https://site.example/blog"}, "https://site.example/blog/apps/token?x=1"},
		{map[string]string{"base": "https://site.example/a%2Fb/"}, "https://site.example/a%2Fb/apps/token?x=1"},
		{map[string]string{"base": "https://site.example/"}, "https://site.example/apps/token?x=1"},
		{map[string]string{"base": "http://127.0.0.1:9101", "token": "https://own.example/t"}, "https://own.example/t"},
		{map[string]string{"base": "127.0.0.1:9101"}, "127.0.0.1:9101"}, // refused later, never the real venue
	} {
		if got := (venuekey.App{URLs: row.urls}).URL("token", standard); got != row.want {
			t.Errorf("%v gave %s, want %s", row.urls, got, row.want)
		}
	}
}

func TestRecordsNameWhatTheyAreAbout(t *testing.T) {
	for key, want := range map[string]string{"token/ctrader/alice": "ctrader/alice", "app/ttp": "ttp", "budget/ctrader/ab12": "ctrader/ab12"} {
		if got := (venuekey.Record{Key: key}).ID().String(); got != want {
			t.Errorf("%s is about %s, want %s", key, got, want)
		}
	}
}
