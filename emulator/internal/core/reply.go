package core

// This file owns the small pieces of HTTP that all venues write and read the
// same way.

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// MaxBody is how much of a request body is read; forms are far smaller.
const MaxBody = 1 << 20

// Reply sends v as JSON that nobody may cache (RFC 6749 §5.1).
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

// SendBack redirects the browser to the redirect URI with the values added to
// its query (RFC 6749 §4.1.2).
func SendBack(w http.ResponseWriter, r *http.Request, redirect string, add url.Values) {
	u, err := url.Parse(redirect)
	if err != nil {
		http.Error(w, "emulator: redirect URI is no URI", http.StatusBadRequest)
		return
	}
	q := u.Query()
	for k, v := range add {
		q[k] = v
	}
	u.RawQuery = q.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	// By hand, since http.Redirect would write the code into a page as well.
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusFound)
}
