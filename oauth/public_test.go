package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// Whoever catches the code of an app without a secret could exchange it, were it not
// for PKCE (RFC 8252 §8.1): it is sent whatever the venue's declaration says of it, and
// nothing that looks like a secret is.
func TestAttackACodeOfAnAppWithoutASecretIsCaught(t *testing.T) {
	var form url.Values
	client, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		if _, _, basic := r.BasicAuth(); basic || form.Get("client_id") != "public" || form.Has("client_secret") {
			says(401, `{"error":"invalid_client"}`)(w, r)
			return
		}
		says(200, `{"access_token":"a","refresh_token":"r"}`)(w, r)
	})
	client.ClientAuth, client.AuthorizeURL, client.RevokeURL = AuthPublic, "https://venue.example/authorize", client.TokenURL
	app := venuekey.App{ClientID: "public", RedirectURI: "http://127.0.0.1:8080/cb"}
	attempt := client.NewAttempt()
	address, err := client.Authorize(app, attempt)
	if err != nil || len(attempt.Verifier) != 43 || !strings.Contains(address, "code_challenge_method=S256") || strings.Contains(address, string(attempt.Verifier)) {
		t.Fatal(address, err)
	}
	token, err := client.Exchange(t.Context(), app, "code", attempt.Verifier)
	if err != nil || form.Get("code_verifier") != string(attempt.Verifier) {
		t.Fatal(form, err)
	}
	if _, err := client.Refresh(t.Context(), app, token.Refresh); err != nil {
		t.Error(err)
	}
	if err := client.Revoke(t.Context(), app, token); err != nil { // RFC 7009 §2.1
		t.Error(err)
	}
}
