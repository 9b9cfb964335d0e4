package core

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	var codes Codes
	now := time.Unix(1_700_000_000, 0)
	issue := func() string { return codes.Issue(now, time.Minute, emulator.Grant{User: "alice"}, TokenFormat{}) }
	code := issue()
	wrong := errors.New("wrong redirect")
	if _, err := codes.Redeem(now, code, func(emulator.Grant) error { return wrong }); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	g, err := codes.Redeem(now.Add(time.Minute-1), code, nil)
	if err != nil || g.User != "alice" || g.ID == "" {
		t.Fatalf("%+v, %v", g, err)
	}
	if again, err := codes.Redeem(now, code, nil); !errors.Is(err, ErrUsedCode) || again.ID != g.ID {
		t.Errorf("second use: %v", err)
	}
	if _, err := codes.Redeem(now.Add(time.Minute), issue(), nil); !errors.Is(err, ErrExpiredCode) {
		t.Errorf("late: %v", err)
	}
	if _, err := codes.Redeem(now, "nonsense", nil); !errors.Is(err, ErrUnknownCode) {
		t.Errorf("nonsense: %v", err)
	}
}

func TestCodeReuseRevokesTheFamily(t *testing.T) {
	t.Parallel()
	c := Start(new(Base), Setup{})
	for _, revokes := range []bool{false, true} {
		p := Policy{AccessLife: day, CodeReuseRevokes: revokes}
		code := c.Codes.Issue(c.Clock.Now(), time.Minute, emulator.Grant{User: "alice"}, TokenFormat{})
		pair, err := c.Exchange(code, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Exchange(code, p, nil); !errors.Is(err, ErrUsedCode) {
			t.Fatal(err)
		}
		if alive := c.Tokens.Alive(c.Clock.Now(), pair.Access); alive == revokes {
			t.Errorf("revokes %v: alive %v", revokes, alive)
		}
	}
}

func TestTokenFormat(t *testing.T) {
	t.Parallel()
	if got := (TokenFormat{}).Mint(); len(got) != 43 {
		t.Errorf("length %d", len(got))
	}
	got := TokenFormat{Prefix: "SENTINEL-", Length: 200, Alphabet: "ab"}.Mint()
	body, ok := strings.CutPrefix(got, "SENTINEL-")
	if !ok || len(body) != 200 || strings.Trim(body, "ab") != "" {
		t.Errorf("minted %q", got)
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = TokenFormat{}.Mint()
	}
	slices.Sort(many)
	if len(slices.Compact(many)) != 1000 {
		t.Error("a token came twice")
	}
}

func TestVerifyPKCE(t *testing.T) {
	t.Parallel()
	// RFC 7636, appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for _, tc := range []struct {
		challenge, method, verifier string
		want                        bool
	}{
		{"", "", "", true},
		{challenge, "S256", verifier, true},
		{challenge, "S256", verifier + "x", false},
		{challenge, "S256", "", false},
		{verifier, "plain", verifier, true},
		{verifier, "", verifier, true},
		{challenge, "S512", verifier, false},
	} {
		if got := VerifyPKCE(tc.challenge, tc.method, tc.verifier); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}
