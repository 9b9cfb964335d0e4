package defined_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/emulator/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// Whatever is sent is answered, and nothing but the right key gets a token.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/login", "application/json", `{"user": "alice", "key": "no"}`)
	f.Add("POST", "/login", "application/json", `{"user": 1}`)
	f.Add("POST", "/renew", "application/x-www-form-urlencoded", "a=b&%zz")
	d, err := definition.Parse("key.json", []byte(key))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, kind, body string) {
		request, err := http.NewRequest(method, "http://127.0.0.1/", strings.NewReader(body))
		if err != nil {
			return
		}
		request.URL.Path = "/" + strings.TrimPrefix(path, "/")
		request.Header.Set("Content-Type", kind)
		answer := httptest.NewRecorder()
		(&defined.Server{Definition: d}).ServeHTTP(answer, request)
		if answer.Code == 0 || strings.Contains(answer.Body.String(), `"token"`) && !strings.Contains(body, "wonderland") {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	})
}
