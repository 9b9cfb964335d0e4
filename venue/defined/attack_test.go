package defined_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined"
)

// A venue cannot put a word into our mouth: fields that are named like ours are dropped, and
// no call of the API carries them.
func TestAttackAnAnswerWithFieldsOfOurs(t *testing.T) {
	const answer = `{"status": "success", "venuekey.client_id": "evil", "venuekey.user": "eve", "venuekey.base": "https://evil.example",
		"data": {"access_token": "a", "venuekey.client_id": "evil", "venuekey.base": "https://evil.example", "user_id": "alice"}}`
	for name, body := range map[string]string{"projectx": `{"success": true, "token": "a", "venuekey.base": "https://evil.example", "venuekey.user": "eve"}`, "kite": answer,
		"ttp": `{"access_token": "a", "refresh_token": "r", "venuekey.user": "eve", "venuekey.base": "https://evil.example"}`} {
		d := parsed(t, name)
		app := venuekey.App{ClientID: "mine", ClientSecret: "secret", RedirectURI: "https://app.example/cb", Params: map[string]venuekey.Secret{"user": "u", "key": "k"}}
		venue := defined.NewOver(direct{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })}, d)
		var token venuekey.Token
		var err error
		if name == "projectx" {
			token, err = venue.Login(t.Context(), app, silent{})
		} else {
			token, err = venue.Login(t.Context(), app, &pasting{})
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		request, _ := http.NewRequest(http.MethodGet, "https://api.example/", nil)
		venue.(venuekey.Signer).Sign(token, request)
		base, _ := defined.Base(d, app, token)
		if token.User == "eve" || strings.Contains(base, "evil") || strings.Contains(request.Header.Get("Authorization"), "evil") {
			t.Errorf("%s: %q %q %q", name, token.User, base, request.Header.Get("Authorization"))
		}
	}
}
