package core

import (
	"net/http"
	"net/url"
)

// sendback.go owns the redirect from the authorize page back to the app.

// Echo returns what is sent back besides code or error: the request's state, unchanged, if
// it has one (RFC 6749 §4.1.2), and the issuer, unless empty (RFC 9207).
func Echo(q url.Values, issuer string) url.Values {
	back := url.Values{}
	if q.Has("state") {
		back.Set("state", q.Get("state"))
	}
	if issuer != "" {
		back.Set("iss", issuer)
	}
	return back
}

// SendBackError redirects the browser to the app with an error (RFC 6749 §4.1.2.1). The
// redirect URI of the request must have been checked. An empty description is omitted.
func SendBackError(w http.ResponseWriter, r *http.Request, code, description string, extra url.Values) {
	add := url.Values{"error": {code}}
	if description != "" {
		add.Set("error_description", description)
	}
	for k, v := range extra {
		add[k] = v
	}
	SendBack(w, r, r.URL.Query().Get("redirect_uri"), add)
}

// SendBack redirects the browser to the redirect URI with the values added to
// its query (RFC 6749 §4.1.2).
func SendBack(w http.ResponseWriter, r *http.Request, redirect string, add url.Values) {
	u, err := url.Parse(redirect)
	if err != nil {
		http.Error(w, "emulator: redirect URI is not a URI", http.StatusBadRequest)
		return
	}
	q := u.Query()
	for k, v := range add {
		q[k] = v
	}
	u.RawQuery = q.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	// Not http.Redirect, which would also write the code into a page.
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusFound)
}
