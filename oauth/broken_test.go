package oauth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// An answer breaks off: a proxy ends, states a wrong length, or never sends the end.
// Where the token was there as a whole it is taken, since the one before is dead.
func TestATokenInAnAnswerThatBrokeOff(t *testing.T) {
	const whole = `{"access_token":"a2","refresh_token":"r2","expires_in":3600}`
	for name, row := range map[string]struct {
		head, body string
		hangs      bool
		taken      bool
	}{
		"the length is too long":       {head: "Content-Length: 5000", body: whole, taken: true},
		"the last chunk is missing":    {head: "Transfer-Encoding: chunked", body: fmt.Sprintf("%x\r\n%s", len(whole), whole), taken: true},
		"the connection stays open":    {head: "Content-Length: 5000", body: whole, hangs: true, taken: true},
		"it is wrapped":                {head: "Content-Length: 5000", body: `{"data":` + whole, taken: true},
		"the token is cut":             {head: "Content-Length: 5000", body: whole[:len(whole)-3]},
		"an error is there as a whole": {head: "Content-Length: 5000", body: `{"error":"invalid_grant"}`},
		"an error stands beside it":    {head: "Content-Length: 5000", body: `{"error":"invalid_grant","access_token":"r1"}`},
		"nothing came":                 {head: "Content-Length: 5000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+row.head+"\r\n\r\n"+row.body)
				if row.hangs {
					_, _ = conn.Read(make([]byte, 1)) // until the client gives up
				}
			}))
			defer server.Close()
			client := Client{Config: Config{TokenURL: server.URL}}
			ctx := t.Context()
			if row.hangs {
				ctx = deadline(t, 300*time.Millisecond)
			}
			token, err := client.Refresh(ctx, venuekey.App{ClientID: "c"}, "r1")
			if !row.taken {
				if venuekey.ClassOf(err) != venuekey.ClassUnknown {
					t.Fatalf("%v: %v", venuekey.ClassOf(err), err)
				}
				return
			}
			if err != nil || token.Refresh != "r2" || !strings.Contains(strings.Join(token.Notes, "; "), "broke off") {
				t.Fatalf("%q, %v", token.Notes, err)
			}
		})
	}
}

func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
