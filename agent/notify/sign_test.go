package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// A signature is good for its key, body and time, and for nothing else.
func TestAttackASignatureThatIsNot(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	body := []byte(`{"event":"trouble"}`)
	good := sign(testKey, body, at)
	_, code, _ := strings.Cut(good, "v1=")
	for name, row := range map[string]struct {
		header, body string
		now          time.Time
		want         error
	}{
		"good":                        {good, string(body), at, nil},
		"a little old":                {good, string(body), at.Add(299 * time.Second), nil},
		"a little ahead":              {good, string(body), at.Add(-299 * time.Second), nil},
		"with another key's before":   {"t=1800000000,v1=" + strings.Repeat("ab", 32) + ",v1=" + code, string(body), at, nil},
		"with a field of the future":  {good + ",v2=xyz", string(body), at, nil},
		"too old":                     {good, string(body), at.Add(301 * time.Second), ErrStale},
		"of the future":               {good, string(body), at.Add(-301 * time.Second), ErrStale},
		"another body":                {good, string(body) + " ", at, ErrForged},
		"no body":                     {good, "", at, ErrForged},
		"a newer time put in":         {"t=1800000300,v1=" + code, string(body), at.Add(300 * time.Second), ErrForged},
		"the dot moved":               {"t=180000000,v1=" + code, "0." + string(body), at, ErrForged},
		"another key":                 {sign("another key of thirty-two bytes!", body, at), string(body), at, ErrForged},
		"none":                        {"", string(body), at, ErrNotSigned},
		"no code":                     {"t=1800000000", string(body), at, ErrNotSigned},
		"no time":                     {"v1=" + code, string(body), at, ErrNotSigned},
		"two times":                   {"t=1800000000," + good, string(body), at, ErrNotSigned},
		"a time that is no number":    {"t=1e9,v1=" + code, string(body), at, ErrNotSigned},
		"a time with a sign":          {"t=+1800000000,v1=" + code, string(body), at, ErrNotSigned},
		"a time before all":           {"t=-1,v1=" + code, string(body), at, ErrNotSigned},
		"a short code":                {"t=1800000000,v1=" + code[:62], string(body), at, ErrNotSigned},
		"a code that is no number":    {"t=1800000000,v1=" + strings.Repeat("zz", 32), string(body), at, ErrNotSigned},
		"codes without end":           {"t=1800000000" + strings.Repeat(",v1="+code, 5), string(body), at, ErrNotSigned},
		"a header that is a book":     {good + "," + strings.Repeat("x", 2000), string(body), at, ErrNotSigned},
		"only the version that is no": {"t=1800000000,v0=" + code, string(body), at, ErrNotSigned},
	} {
		if err := Verify(testKey, row.header, []byte(row.body), row.now, 0); !errors.Is(err, row.want) || row.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
	if err := Verify("short", sign("short", body, at), body, at, 0); err == nil {
		t.Error("a key of five bytes is taken")
	}
	if err := Verify(testKey, good, body, at.Add(time.Hour), 2*time.Hour); err != nil {
		t.Error(err)
	}
}

// What anybody else computes from the description is the same: here what openssl printed.
func TestASignatureIsWhatTheDescriptionSays(t *testing.T) {
	// printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
	const want = "t=1700000000,v1=417adf36b901772f658597a76d329694e335e65fc0849d7715c3ca33406309b5"
	if got := sign(testKey, []byte("{}"), time.Unix(1_700_000_000, 0)); got != want {
		t.Error(got)
	}
}

func FuzzSignature(f *testing.F) {
	at := time.Unix(1_800_000_000, 0)
	f.Add(sign(testKey, []byte("body"), at), []byte("body"))
	f.Add("t=1,v1=00", []byte{})
	f.Add("t=1800000000,v1="+strings.Repeat("ab", 32)+",,v1=,=", []byte("body"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		err := Verify(testKey, header, body, at, 0)
		if err != nil {
			if !errors.Is(err, ErrNotSigned) && !errors.Is(err, ErrForged) && !errors.Is(err, ErrStale) {
				t.Errorf("%q: %v", header, err)
			}
			return
		}
		seconds, _, _ := parseSignature(header)
		_, code, _ := strings.Cut(sign(testKey, body, at), "v1=")
		if seconds == "1800000000" && !strings.Contains(strings.ToLower(header), code) {
			t.Errorf("%q was taken for a signature of %q", header, body)
		}
	})
}

// A key is one that only this user can read, and long enough.
func TestAttackAKeyThatOthersKnow(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "webhook.key")
	for name, row := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"good":                        {string(testKey) + "\n", 0o600, ""},
		"good, with another line end": {string(testKey) + "\r\n", 0o400, ""},
		"others read it":              {string(testKey), 0o644, "is open to other users"},
		"others write it":             {string(testKey), 0o622, "is open to other users"},
		"too short":                   {"secret-secret-secret\n", 0o600, "has 20 bytes, and needs 32"},
		"empty":                       {"", 0o600, "has 0 bytes"},
		"too long":                    {strings.Repeat("x", 5000), 0o600, "too long"},
	} {
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(row.text), row.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, row.mode); err != nil {
			t.Fatal(err)
		}
		key, err := ReadKey(path)
		if row.want == "" && (err != nil || key != testKey) {
			t.Errorf("%s: %v", name, err)
		}
		if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || venuekey.ClassOf(err) != venuekey.ClassMisconfigured || strings.Contains(fmt.Sprintf("%+v", err), "secret-")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadKey(filepath.Join(folder, "nowhere")); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Error(err)
	}
}
