package foreign_test

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/venuekey/venuekey/internal/foreign"
)

// secret has what the encodings change: + / = % & " < \ and both cases.
const secret = `Zq7+vX/3k&L9"mT<2w\R5y%Bn=8sJ4hG6dF1cP0a`

// encodings are the ways in which secrets came back, and some more.
func encodings(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	every := func(format string) string {
		var all strings.Builder
		for _, b := range []byte(secret) {
			fmt.Fprintf(&all, format, b)
		}
		return all.String()
	}
	between := func(what string) string { return strings.Join(strings.Split(secret, ""), what) }
	half := len(secret) / 2
	basic := base64.StdEncoding.EncodeToString([]byte("client:" + secret))
	runes := []rune(secret)
	slices.Reverse(runes)
	return map[string]string{
		"plain":                     secret,
		"upper case":                strings.ToUpper(secret),
		"lower case":                strings.ToLower(secret),
		"in a form":                 url.QueryEscape(secret),
		"in a form, lower hex":      strings.ToLower(url.QueryEscape(secret)),
		"in a path":                 url.PathEscape(secret),
		"in a form twice":           url.QueryEscape(url.QueryEscape(secret)),
		"in a form three times":     url.QueryEscape(url.QueryEscape(url.QueryEscape(secret))),
		"percent, every byte":       every("%%%02X"),
		"percent, lower":            every("%%%02x"),
		"in JSON":                   string(quoted),
		"JSON, every letter":        every(`\u%04x`),
		"JSON, upper":               every(`\u%04X`),
		"JavaScript":                every(`\x%02x`),
		"octal":                     every(`\%03o`),
		"quoted":                    fmt.Sprintf("%q", secret),
		"quoted twice":              fmt.Sprintf("%q", fmt.Sprintf("%q", secret)),
		"slashes":                   strings.ReplaceAll(secret, "/", `\/`),
		"HTML":                      html.EscapeString(secret),
		"HTML, decimal":             every("&#%d;"),
		"HTML, hexadecimal":         every("&#x%x;"),
		"HTML of JSON":              html.EscapeString(string(quoted)),
		"JSON of a form":            strings.ReplaceAll(url.QueryEscape(secret), "%", `\u0025`),
		"base64":                    base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, no padding":        base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64url":                 base64.URLEncoding.EncodeToString([]byte(secret)),
		"base64url, no padding":     base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"Basic":                     basic,
		"Basic, shifted by one":     base64.StdEncoding.EncodeToString([]byte("clients:" + secret + "!")),
		"Basic, shifted by two":     base64.StdEncoding.EncodeToString([]byte("my client:" + secret + "!!")),
		"Basic of a form":           base64.StdEncoding.EncodeToString([]byte("client:" + url.QueryEscape(secret))),
		"Basic in a form":           url.QueryEscape(basic),
		"base64, wrapped":           basic[:20] + "\r\n" + basic[20:],
		"base32":                    base32.StdEncoding.EncodeToString([]byte(secret)),
		"hexadecimal":               hex.EncodeToString([]byte(secret)),
		"hexadecimal, upper":        strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"hexadecimal, colons":       every("%02x:"),
		"bytes as Go prints them":   fmt.Sprint([]byte(secret)),
		"backwards":                 string(runes),
		"a line break within":       secret[:half] + "\r\n" + secret[half:],
		"a soft wrap within":        secret[:half] + "=\r\n\t" + secret[half:],
		"a hyphen within":           secret[:half] + "-" + secret[half:],
		"a letter within":           secret[:half] + "x" + secret[half:],
		"a word within":             secret[:half] + " and then " + secret[half:],
		"a zero width within":       secret[:half] + "\u200b" + secret[half:],
		"a colour within":           secret[:half] + "\x1b[31m" + secret[half:],
		"NUL between":               between("\x00"),
		"spaces between":            between(" "),
		"zero widths between":       between("\u200b"),
		"quotes between":            between(`"+"`),
		"escaped spaces between":    between("%20"),
		"combining marks between":   between("\u0301"),
		"a colour between":          between("\x1b[0m"),
		"named entities between":    between("&shy;"),
		"its first half":            secret[:half],
		"its last half":             secret[half:],
		"its first half, in a form": url.QueryEscape(secret[:half]),
		"after a mark":              "[secret]" + secret,
	}
}

// leaked reports whether seven letters and digits of a secret in a row stand in a
// text, whatever stands between them.
func leaked(text, secret string) string {
	text, secret = bare(text), bare(secret)
	for at := 0; at+7 <= len(secret); at++ {
		if strings.Contains(text, secret[at:at+7]) {
			return secret[at : at+7]
		}
	}
	return ""
}

func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

func TestAttackASecretThatIsRepeatedInAnyEncoding(t *testing.T) {
	for name, encoded := range encodings(secret) {
		for _, around := range [][2]string{{"", ""}, {"the request was client_secret=", "&grant_type=refresh_token"}, {`{"error":"`, `"}`}, {strings.Repeat("so it goes, ", 24), ""}} {
			got := foreign.LineWithout(around[0]+encoded+around[1], secret)
			if piece := leaked(got, secret); piece != "" {
				t.Errorf("%s: %q holds %q", name, got, piece)
			}
			if piece := leaked(got, encoded); piece != "" && !strings.Contains(encoded, "and then") && leaked(around[0]+around[1], encoded) == "" {
				t.Errorf("%s: %q holds %q of what was encoded", name, got, piece)
			}
		}
	}
}

// A secret that is no run, which is found only because it is known.
func TestAttackAPasswordThatIsRepeated(t *testing.T) {
	for _, password := range []string{"correct horse battery", "hunter2!", "пароль-и-ключ", "s3cr", "!§$%&/()="} {
		for name, encoded := range map[string]string{
			"plain": password, "in a form": url.QueryEscape(password), "HTML": html.EscapeString(password),
			"JSON": fmt.Sprintf("%q", password), "escaped": strings.Trim(fmt.Sprintf("%+q", password), `"`),
		} {
			got := foreign.LineWithout("wrong password "+encoded+" for alice", password)
			if strings.Contains(got, password) || strings.Contains(got, encoded) || !strings.Contains(got, "[secret]") || !strings.Contains(got, "alice") {
				t.Errorf("%s: %q became %q", name, encoded, got)
			}
		}
	}
}

func TestAttackATokenThatNobodyKnows(t *testing.T) {
	for _, token := range []string{
		"dGhpcyBpcyBub3QgYSByZWFsIHRva2VuLCBidXQgbG9uZw",
		"0f9a3c5e7b1d2f4a6c8e0a2b4c6d8e0f",
		"x7k2m9q4w1z8c5v3b6n0a2s4d6f8g1h3j5k7l9p0",
		"pZ3_kT8-vQ1xW6yR2mN9cL5bH7gF4dS0aJ",
		"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
		"ab12cd34ef56/gh78ij90+kl12mn34op56==",
		"hvQ7/zR+u2Lx+9TnKp4WbYs1",
		"6f1c2a7e-52d0-4b8e-9c43-0a1b2c3d4e5f0",
	} {
		if got := foreign.Line("the header was Bearer " + token + ", which is dead"); got != "the header was Bearer [secret], which is dead" &&
			got != "the header was Bearer [secret].[secret].[secret], which is dead" {
			t.Errorf("%q", got)
		}
		if got := foreign.Name(token); !strings.HasPrefix(token, got[:20]) {
			t.Errorf("a name may look like a token: %q", got)
		}
	}
}

// What the venues, net/http, x509 and the databases really say comes through as it is.
func TestWhatIsSaidForRealStays(t *testing.T) {
	for _, line := range realTexts {
		if got := foreign.LineWithout(line, secret, "0f9a3c5e7b1d2f4a6c8e0a2b4c6d8e0f"); got != line {
			t.Errorf("%q\nbecame %q", line, got)
		}
	}
}

func TestAttackATextThatWritesOnTheTerminal(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"a\x1b[31mb\x1b[0m", "ab"},
		{"\x1b[2J\x1b[H9999 live", "9999 live"},
		{"\x1b]0;a title\x07after", "after"},
		{"\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x1b\\", "click"},
		{"\x1b]0;never ends", "0;never ends"},
		{"\x1bPq#0;2;0;0;0\x1b\\x", "x"},
		{"\u009b31mred", "red"},
		{"\u009d0;title\u009cx", "x"},
		{"\x9b31mred", "31mred"},
		{"\x1b", ""},
		{"\x1b(Bascii\x1bc", "ascii"},
		{"one\ntwo\r\nthree\tfour\v\f\u0085\u2028\u2029five", "one two three four five"},
		{"  much   space\u00a0\u3000here  ", "much space here"},
		{"\u202egnp.exe", "gnp.exe"},
		{"a\u2066b\u2069\u200e\u200f\u061c", "ab"},
		{"pay\u200bpal\u2060\ufeff\u00ad", "paypal"},
		{"tag\U000e0041\U000e007f", "tag"},
		{"va\ufe0fri\U000e0100ant", "variant"},
		{"blank\u3164\u115f\u2800.", "blank."},
		{"private\ue000\U000f0000use", "private use"},
		{"bad\xff\xfeutf\xed\xa0\x80-8", "bad utf -8"},
		{"nul\x00del\x7f.", "nul del ."},
		{"z" + strings.Repeat("\u0335", 50) + "algo", "z" + strings.Repeat("\u0335", 4) + "algo"},
		{"\u0928\u092e\u0938\u094d\u0924\u0947 Grüße 你好 שלום", "\u0928\u092e\u0938\u094d\u0924\u0947 Grüße 你好 שלום"},
		{"one\U0010ffff\u0378two", "one two"},
	} {
		for name, got := range map[string]string{"Line": foreign.Line(row.text), "Name": foreign.Name(row.text), "Fit": foreign.Fit(row.text)} {
			if got != row.want {
				t.Errorf("%s of %q is %q, not %q", name, row.text, got, row.want)
			}
		}
	}
}

func TestNoCutLeavesAPart(t *testing.T) {
	for before := 240; before < 310; before++ {
		text := strings.Repeat("ab ", before/3) + strings.Repeat(".", before%3) + secret + " and more words that go on"
		if got := foreign.LineWithout(text, secret); leaked(got, secret) != "" || utf8.RuneCountInString(got) > 300 || strings.Contains(strings.ReplaceAll(got, "[secret]", ""), "[") {
			t.Errorf("%d: %q", before, got)
		}
	}
	for before := 4<<10 - 60; before < 4<<10+10; before++ {
		if got := foreign.LineWithout(strings.Repeat(" ", before)+secret, secret); leaked(got, secret) != "" {
			t.Errorf("%d: %q", before, got)
		}
	}
}

func TestACauseThatPrintsClean(t *testing.T) {
	raw := &fs.PathError{Op: "open", Path: "a\x1b[31m\nb", Err: fs.ErrNotExist}
	for name, err := range map[string]error{"Error": foreign.ErrorWithout(raw, secret), "FitError": foreign.FitError(raw)} {
		var path *fs.PathError
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &path) || errors.Unwrap(err) != nil {
			t.Errorf("%s: %v is not looked through", name, err)
		}
		for _, format := range []string{"%v", "%+v", "%#v", "%q", "%s"} {
			if got := fmt.Sprintf(format, err); strings.ContainsAny(got, "\x1b\n") || strings.Contains(got, `\n`) {
				t.Errorf("%s: %s gives %q", name, format, got)
			}
		}
		if again := foreign.Error(err); again.Error() != err.Error() {
			t.Errorf("%s: %v became %v", name, err, again)
		}
	}
	if foreign.Error(nil) != nil || foreign.FitError(nil) != nil {
		t.Error("no error became one")
	}
}

func TestWhatATokenIsMadeOf(t *testing.T) {
	for _, row := range []struct {
		text            string
		access, refresh bool
	}{
		{"abc-._~+/=", true, true}, {"a b", false, true}, {"", false, false}, {"a\r\nX: y", false, false},
		{"a\x00", false, false}, {"ä", false, false}, {"a\x7f", false, false}, {"a\xff", false, false}, {"a\t", false, false},
	} {
		if foreign.IsToken(row.text) != row.access || foreign.IsRefreshToken(row.text) != row.refresh {
			t.Errorf("%q", row.text)
		}
	}
	for kind, want := range map[string]bool{"": true, "Bearer": true, "bearer": true, "BEARER\n": true, "mac": false, "DPoP": false, "Bearer x": false, "bearer\r\nX: y": false} {
		if foreign.IsBearer(kind) != want {
			t.Errorf("%q", kind)
		}
	}
}

// FuzzForeignLine holds what is promised of the gate for any text and any secret.
func FuzzForeignLine(f *testing.F) {
	for _, encoded := range encodings(secret) {
		f.Add("before "+encoded+" after", secret)
	}
	for _, line := range realTexts {
		f.Add(line, secret)
	}
	f.Add("\x1b]0;x\x07\u202e\u2028zalgo\u0335\u0335\u0335\u0335\u0335\u0335 %5", "hunter22")
	f.Fuzz(func(t *testing.T, text, secret string) {
		for name, gate := range map[string]func(string) string{
			"Line": func(s string) string { return foreign.LineWithout(s, secret) },
			"Name": func(s string) string { return foreign.NameWithout(s, secret) },
			"Tell": func(s string) string { return foreign.Tell(s, secret) },
			"Fit":  foreign.Fit,
		} {
			got := gate(text)
			if !utf8.ValidString(got) || strings.TrimSpace(got) != got || strings.Contains(got, "  ") || utf8.RuneCountInString(got) > 2000 {
				t.Errorf("%s gives %q", name, got)
			}
			for _, r := range got {
				if !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
					t.Errorf("%s lets %U through", name, r)
				}
			}
			if plain := len(secret) >= 4 && !strings.Contains("[secret]…", secret); name != "Fit" && plain && strings.Contains(got, secret) {
				t.Errorf("%s gives %q with %q", name, got, secret)
			}
			if again := gate(got); again != got && name == "Fit" {
				t.Errorf("%s gives %q and of that %q", name, got, again)
			}
		}
		if got := foreign.Line(text); foreign.Line(got) != got {
			t.Errorf("%q becomes %q", got, foreign.Line(got))
		}
	})
}

// FuzzForeignSecret holds for secrets that are random enough to be ones: none is left
// in any encoding.
func FuzzForeignSecret(f *testing.F) {
	f.Add(secret)
	f.Add("Tr0ub4dor&3-correct-horse")
	f.Add("пароль0123456789abcdef")
	f.Fuzz(func(t *testing.T, secret string) { noSecretInAnyEncoding(t, secret) })
}

func noSecretInAnyEncoding(t *testing.T, secret string) {
	if secret = bare(secret); len(secret) < 16 || len(secret) > 100 {
		return
	}
	different := map[rune]bool{}
	for _, r := range secret {
		different[r] = true
	}
	if len(different) < 10 {
		return
	}
	for name, encoded := range encodings(secret) {
		got := foreign.LineWithout("it was "+encoded+".", secret)
		for at := 0; at+12 <= len(secret); at++ {
			if strings.Contains(bare(got), secret[at:at+12]) {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}
