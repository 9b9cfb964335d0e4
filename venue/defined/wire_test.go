package defined_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined"
)

// What goes over the wire is what the venues' documentation says, to the letter.
func TestRequestsToTheLetter(t *testing.T) {
	app := venuekey.App{ClientID: "the id", ClientSecret: "the+secret", RedirectURI: "https://app.example/cb",
		Params: map[string]venuekey.Secret{"user": "alice", "key": "a-key", "server": "OSP", "host": "api.firm.example"}}
	token := venuekey.Token{Access: "access", Refresh: "refresh", Extras: map[string]venuekey.Secret{"account": `"ABC12"`}}
	for name, row := range map[string]struct {
		login        bool
		line, kind   string
		header, body string
	}{
		"public":      {login: true, line: "POST api.public.com/userapiauthservice/personal/access-tokens", kind: "application/json", body: `{"secret":"a-key","validityInMinutes":1440}`},
		"projectx":    {login: true, line: "POST api.firm.example/api/Auth/loginKey", kind: "application/json", body: `{"apiKey":"a-key","userName":"alice"}`},
		"deribit":     {login: true, line: "GET www.deribit.com/api/v2/public/auth?client_id=the+id&client_secret=the%2Bsecret&grant_type=client_credentials&scope=session%3Avenuekey"},
		"schwab":      {line: "POST api.schwabapi.com/v1/oauth/token", kind: "application/x-www-form-urlencoded", header: "Basic dGhlK2lkOnRoZSUyQnNlY3JldA==", body: "grant_type=refresh_token&refresh_token=refresh"},
		"questrade":   {line: "POST login.questrade.com/oauth2/token", kind: "application/x-www-form-urlencoded", body: "grant_type=refresh_token&refresh_token=refresh"},
		"tastytrade":  {line: "POST api.tastyworks.com/oauth/token", kind: "application/json", body: `{"client_id":"the id","client_secret":"the+secret","grant_type":"refresh_token","refresh_token":"refresh"}`},
		"tradelocker": {line: "POST live.tradelocker.com/backend-api/auth/jwt/refresh", kind: "application/json", body: `{"refreshToken":"refresh"}`},
		"ig":          {line: "POST api.ig.com/gateway/deal/session/refresh-token", kind: "application/json", body: `{"refresh_token":"refresh"}`},
	} {
		var line, kind, header, body string
		venue := defined.NewOver(direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			line, kind, header = r.Method+" "+r.Host+r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("Authorization")
			text, _ := io.ReadAll(r.Body)
			body = string(text)
			w.WriteHeader(http.StatusTooManyRequests)
		})}, parsed(t, name))
		if row.login {
			_, _ = venue.Login(t.Context(), app, silent{})
		} else {
			_, _ = venue.Refresh(t.Context(), app, token)
		}
		if line != row.line || kind != row.kind || header != row.header || body != row.body {
			t.Errorf("%s:\n%s\n%s\n%s\n%s", name, line, kind, header, body)
		}
	}
}

// So do the calls of the API.
func TestCallsToTheLetter(t *testing.T) {
	token := venuekey.Token{Access: "access", Extras: map[string]venuekey.Secret{"account": `"ABC12"`, "cst": `"c-s-t"`, "venuekey.client_id": `"id"`, "venuekey.ask.key": `"a-key"`, "venuekey.ask.acc_num": `"2"`}}
	for name, want := range map[string]map[string]string{
		"schwab": {"Authorization": "Bearer access"}, "kite": {"Authorization": "token id:access", "X-Kite-Version": "3"}, "fyers": {"Authorization": "id:access"},
		"ig":      {"Authorization": "Bearer access", "X-Ig-Api-Key": "a-key", "Ig-Account-Id": "ABC12"},
		"capital": {"X-Security-Token": "access", "Cst": "c-s-t", "Authorization": ""}, "tradelocker": {"Authorization": "Bearer access", "Accnum": "2"},
	} {
		request, _ := http.NewRequest(http.MethodGet, "https://api.example/", nil)
		named(t, name).(venuekey.Signer).Sign(token, request)
		for field, value := range want {
			if got := request.Header.Get(field); got != value {
				t.Errorf("%s: %s is %q, want %q", name, field, got, value)
			}
		}
	}
}
