package oauth

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// A certificate that does not verify has to be mended, and nothing was sent. One of
// a private authority verifies for the app that names it.
func TestAPrivateAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(says(200, `{"access_token":"a"}`)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	certificate := venuekey.Secret(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	app := stageApp
	refresh := func(address string) error {
		client := Client{Config: Config{TokenURL: address}, Transport: Trusting(nil, app)}
		_, err := client.Refresh(t.Context(), app, sentRefresh)
		return err
	}
	if err := refresh(server.URL); !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), "does not verify") || !strings.Contains(remedyOf(err), "--ca") {
		t.Fatalf("%v; %s", err, remedyOf(err))
	}
	app.Params = map[string]venuekey.Secret{CAParam: certificate}
	if err := refresh(server.URL); err != nil {
		t.Fatal(err)
	}
	// It vouches for its own names only.
	if err := refresh(strings.Replace(server.URL, "127.0.0.1", "localhost", 1)); !venuekey.Misconfigured(err) {
		t.Fatal(err)
	}
	app.Params = map[string]venuekey.Secret{CAParam: "no certificate"}
	if _, err := Roots(app); !venuekey.Misconfigured(err) {
		t.Fatal(err)
	}
	if err := refresh(server.URL); !venuekey.Misconfigured(err) {
		t.Fatal(err)
	}
}
