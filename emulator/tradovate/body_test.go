package tradovate

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		contentType, body string
		want              fields // nil: refused
	}{
		{"application/json", `{"name":"a","cid":42,"hibpCheck":true}`, fields{"name": "a", "cid": "42", "hibpCheck": "true"}},
		{"application/json", ` { "name" : "aé\n" } `, fields{"name": "aé\n"}},
		{"application/json", `{"name":null,"a":[1],"b":{"c":1}}`, fields{}},
		{"application/json", `{"name":"a","name":"b"}`, fields{"name": "b"}},
		{"", `{"cid":"42"}`, fields{"cid": "42"}},
		{"text/plain", `{"cid":-1.5e3}`, fields{"cid": "-1.5e3"}},
		{form, "name=a+b&cid=42&name=c", fields{"name": "a b", "cid": "42"}},
		{form + "; charset=UTF-8", "name=%C3%A9", fields{"name": "é"}},
		{form, "name=%zz", nil},
		{form, "a=1;b=2", nil},
		{"application/json", "name=a", fields{"name": "a"}},
		{form, `{"name":"a"}`, fields{"name": "a"}},
		{form, "name", nil},
		{"application/json", `{"name":"a"}x`, nil},
		{"application/json", "null", nil},
		{"application/json", `"a"`, nil},
	} {
		got, err := decode([]byte(test.body))
		if !maps.Equal(got, test.want) || (err != nil) != (test.want == nil) {
			t.Errorf("%s %q: %v, %v", test.contentType, test.body, got, err)
		}
	}
}

// Whatever comes in, decoding gives fields or the one error, what it gives can be
// written as JSON and as a form and read again, and no status is left but these.
func FuzzDecode(f *testing.F) {
	f.Add("application/json", `{"name":"alice","password":"wonderland","appId":"x","cid":42,"sec":"demo-sec"}`)
	f.Add("application/json", `{"grant_type":"refresh_token","refresh_token":"x","client_id":"demo-client"}`)
	f.Add("application/x-www-form-urlencoded", "name=a&cid=42&p-ticket=%20")
	f.Add("", `{"a":{"b":[null,1e9]},"c":"\ud800"}`)
	f.Add("text/plain; charset", `[1]`)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		s := new(Server)
		got, err := decode([]byte(body))
		if err != nil && (got != nil || !errors.Is(err, errBody)) {
			t.Errorf("fields %v and error %v", got, err)
		}
		again(t, got)
		for _, path := range []string{"/v1/auth/accesstokenrequest", "/auth/oauthtoken"} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", contentType)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest || (w.Code == http.StatusOK) != (err == nil && body != "") {
				t.Errorf("%s: status %d, decoded with %v", path, w.Code, err)
			}
		}
	})
}

func again(t *testing.T, want fields) {
	t.Helper()
	form := url.Values{}
	for name, value := range want {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return // JSON would replace what is not UTF-8
		}
		form.Set(name, value)
	}
	object, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		return
	}
	for contentType, body := range map[string]string{"application/json": string(object), "application/x-www-form-urlencoded": form.Encode()} {
		if got, err := decode([]byte(body)); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", contentType, got, err, want)
		}
	}
}
