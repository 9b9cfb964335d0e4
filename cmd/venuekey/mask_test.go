package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// masking writes a text in pieces of a size, and returns what comes out.
func masking(t testing.TB, text string, size int, secrets ...venuekey.Secret) string {
	t.Helper()
	var out bytes.Buffer
	set := new(secretSet)
	set.add(secrets...)
	m := &masker{out: &out, secrets: set}
	for rest := text; rest != ""; {
		n := min(size, len(rest))
		if _, err := m.Write([]byte(rest[:n])); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := m.end(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestASecretIsMaskedHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	const secret, longer = "abcabcabd", "abcabcabdXYZ"
	for text, want := range map[string]string{
		"":                              "",
		"plain":                         "plain",
		secret:                          "***",
		"a" + secret + "b":              "a***b",
		secret + secret:                 "******",
		"abcabcabcabd":                  "abc***",
		"abcabcab":                      "abcabcab",
		"x " + longer + " y":            "x *** y",
		"x abcabcabdXY":                 "x ***XY",
		strings.Repeat("abcabcab", 4):   strings.Repeat("abcabcab", 4),
		secret[:4] + "\n" + secret[4:]:  secret[:4] + "\n" + secret[4:],
		"Bearer " + secret + "\r\nnext": "Bearer ***\r\nnext",
	} {
		for size := 1; size <= len(text)+1; size++ {
			if got := masking(t, text, size, secret, longer, "short"); got != want {
				t.Fatalf("%q in pieces of %d: %q, want %q", text, size, got, want)
			}
		}
	}
}

// A token of later is masked as well, and what cannot be one comes at once.
func TestMaskingWaitsForNothing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	set := new(secretSet)
	set.add("first-secret")
	m := &masker{out: &out, secrets: set}
	fmt.Fprint(m, "price? ")
	if out.String() != "price? " {
		t.Errorf("a prompt came as %q", out.String())
	}
	set.add("second-secret")
	fmt.Fprint(m, "second-sec")
	fmt.Fprint(m, "ret first-secret.")
	if out.String() != "price? *** ***." {
		t.Errorf("came as %q", out.String())
	}
}

// FuzzMasker compares a text that is written in pieces with the whole.
func FuzzMasker(f *testing.F) {
	f.Add("my secret-token is secret-token", "secret-token", 3)
	f.Add("aaaaaaaaaaaaaaaaab", "aaaaaaaab", 1)
	f.Fuzz(func(t *testing.T, text, secret string, size int) {
		if size < 1 || size > 1000 || len(secret) < leastMasked || strings.Contains(secret, "*") {
			return
		}
		got := masking(t, text, size, venuekey.Secret(secret))
		if want := strings.ReplaceAll(text, secret, masked); got != want {
			t.Errorf("%q without %q in pieces of %d is %q, want %q", text, secret, size, got, want)
		}
	})
}
