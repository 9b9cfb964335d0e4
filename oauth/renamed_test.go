package oauth

import (
	"net/url"
	"testing"

	"github.com/venuekey/venuekey"
)

// A venue may have names of its own for what the standard sends and gets back.
func TestParametersUnderOtherNames(t *testing.T) {
	config := Config{AuthorizeURL: "https://venue.example/connect?v=3", Rename: map[string]string{"client_id": "api_key", "response_type": "", "redirect_uri": "", "state": "redirect_params"},
		StatePrefix: "state=", CodeParam: "request_token", ScopeSeparator: ",", DefaultScopes: []string{"a", "b"}}
	attempt := Attempt{State: "the-state"}
	address, err := config.Authorize(venuekey.App{ClientID: "key", RedirectURI: "https://app.example/cb"}, attempt)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := url.Parse(address)
	want := url.Values{"v": {"3"}, "api_key": {"key"}, "redirect_params": {"state=the-state"}, "scope": {"a,b"}}
	if at.Query().Encode() != want.Encode() {
		t.Errorf("%s, want %s", at.Query().Encode(), want.Encode())
	}
	for text, code := range map[string]venuekey.Secret{"request_token=c&state=the-state": "c", "code=c&state=the-state": "", "request_token=c": "", "request_token=c&state=another": "", "request_token=c&request_token=d&state=the-state": ""} {
		query, _ := url.ParseQuery(text)
		if got := config.readCallback(query, attempt); got.Code != code || (got.stray == "") != (code != "") {
			t.Errorf("%s: %q %q", text, string(got.Code), got.stray)
		}
	}
}

// A row with a status explains errors with that status alone.
func TestAMeaningOfAStatus(t *testing.T) {
	config := Config{Meanings: []Meaning{{Status: 403, Code: "busy", Class: venuekey.ClassLater, Reason: "later"}, {Code: "busy", Class: venuekey.ClassRefused, Reason: "refused"}}}
	for status, want := range map[int]venuekey.Class{403: venuekey.ClassLater, 400: venuekey.ClassRefused, 0: venuekey.ClassRefused} {
		if got := config.Explain("", status, "busy", "", nil); got.Class != want {
			t.Errorf("%d: %s", status, got.Class)
		}
	}
}
