package ttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"reflect"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// What this venue is in OAuth 2 can be written down, and a Client that has read it
// sends the same requests.
func TestTheConfigSurvivesJSON(t *testing.T) {
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ := httputil.DumpRequest(r, true)
		sent = append(sent, string(request))
		fmt.Fprint(w, `{"access_token":"a","accessToken":"a","expires_in":60}`)
	}))
	defer server.Close()
	for _, params := range []map[string]venuekey.Secret{nil, {"client_auth": "basic", "token_form": "query", "address_form": "query"}} {
		app := venuekey.App{Venue: "ttp", ClientID: "id", ClientSecret: "secret", RedirectURI: "https://app.example/cb", Params: params, URLs: map[string]string{"base": server.URL}}
		config := Venue{}.config(app)
		text, err := json.Marshal(config)
		var back oauth.Config
		if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, config) {
			t.Fatalf("%s %v", text, err)
		}
		read := Venue{}.client(app)
		read.Config = back
		sent = nil
		for _, client := range []oauth.Client{Venue{}.client(app), read} {
			if _, err := client.Refresh(t.Context(), app, "refresh"); err != nil {
				t.Fatal(err)
			}
		}
		if len(sent) != 2 || sent[0] != sent[1] {
			t.Errorf("%q", sent)
		}
	}
}
