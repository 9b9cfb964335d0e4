package oauth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// A key may travel in a header field of any name. It is struck from what the venue, or a
// gateway, says of the request.
func TestAttackAKeyInAFieldOfItsOwn(t *testing.T) {
	const key = "k3y-of-the-api-that-nobody-repeats"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_request","error_description":"the field was %s, version %s"}`, r.Header.Get("X-Api-Key"), r.Header.Get("Version"))
	}))
	defer server.Close()
	client := Client{Config: Config{TokenURL: server.URL, Header: http.Header{"X-Api-Key": {key}, "Version": {"3"}}}}
	_, err := client.Grant(t.Context(), venuekey.App{ClientID: "id"}, url.Values{"grant_type": {"client_credentials"}})
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), key) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(err.Error(), "version 3") {
		t.Errorf("what is too short to be a secret was struck: %v", err)
	}
}
