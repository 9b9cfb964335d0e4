package ttp

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator/internal/core"
)

// bearer.go owns how the plugin finds the access token in a request.

// bearer finds the token in header, form or query, and refuses a request that has it in two
// places (RFC 6750 §2, TTP facts §3). It returns "" if the request has no token.
func (k Knobs) bearer(w http.ResponseWriter, r *http.Request) (string, error) {
	readForm(w, r)
	header := r.Header.Get("Authorization")
	if k.StripAuthorization {
		header = ""
	}
	form, query := r.PostForm.Get("access_token"), r.URL.Query().Get("access_token")
	places := 0
	for _, found := range []string{header, form, query} {
		if found != "" {
			places++
		}
	}
	switch {
	case places > 1:
		return "", bad("invalid_request", "Only one method may be used to authenticate at a time")
	case header == "":
		return form + query, nil
	}
	token := core.Bearer(r)
	if token == "" {
		return "", bad("invalid_request", "The Authorization header is malformed")
	}
	return token, nil
}
