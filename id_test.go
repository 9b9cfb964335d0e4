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
