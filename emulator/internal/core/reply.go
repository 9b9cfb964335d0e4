package core

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// reply.go owns the small pieces of HTTP that all venues write and read in the same way.
// The redirect to the app is in sendback.go.

// MaxBody is how many bytes of a request body are read; forms are far smaller.
const MaxBody = 1 << 20

// Reply sends v as JSON that must not be cached (RFC 6749 §5.1).
func Reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "emulator: answer is not JSON", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// Seconds returns a lifetime in seconds, as in answers.
func Seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }

// Bearer returns the token in the Authorization header, or "" if there is none (RFC 6750
// §2.1).
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
