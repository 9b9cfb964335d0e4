package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// import_test.go owns what other tools write, and the word of the scripts that
// writes as they do.

func TestWhatOtherToolsWrite(t *testing.T) {
	written := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	in := func(d time.Duration) time.Time { return written.Add(d) }
	for name, row := range map[string]struct {
		text string
		want venuekey.Token
	}{
		"a venue's answer": {`{"access_token":"a","token_type":"bearer","expires_in":3600,"refresh_token":"r","scope":"x y"}`,
			venuekey.Token{Access: "a", Refresh: "r", Type: "bearer", Issued: written, Expires: in(time.Hour), Scopes: []string{"x", "y"}}},
		"cTrader's":       {`{"accessToken":"a","tokenType":"bearer","expiresIn":2628000,"refreshToken":"r","errorCode":null}`, venuekey.Token{Access: "a", Refresh: "r", Type: "bearer", Issued: written, Expires: in(2628000 * time.Second)}},
		"x/oauth2":        {`{"access_token":"a","token_type":"Bearer","refresh_token":"r","expiry":"2030-01-02T04:04:05+00:00"}`, venuekey.Token{Access: "a", Refresh: "r", Type: "Bearer", Expires: in(time.Hour)}},
		"no expiry":       {`{"access_token":"a","refresh_token":"r","expiry":"0001-01-01T00:00:00Z"}`, venuekey.Token{Access: "a", Refresh: "r"}},
		"unix":            {`{"access_token":"a","refresh_token":"r","expires_at":1893557045.5}`, venuekey.Token{Access: "a", Refresh: "r", Expires: in(time.Hour + 500*time.Millisecond)}},
		"milliseconds":    {`{"access_token":"a","refresh_token":"r","expires_at":1893557045000}`, venuekey.Token{Access: "a", Refresh: "r", Expires: in(time.Hour)}},
		"text":            {`{"access_token":"a","refresh_token":"r","expires_at":"1893557045"}`, venuekey.Token{Access: "a", Refresh: "r", Expires: in(time.Hour)}},
		"issued earlier":  {`{"access_token":"a","refresh_token":"r","expires_in":"3600","created_at":1893551645}`, venuekey.Token{Access: "a", Refresh: "r", Issued: in(-30 * time.Minute), Expires: in(30 * time.Minute)}},
		"Keycloak's":      {`{"access_token":"a","refresh_token":"r","expires_in":86400,"refresh_expires_in":7200}`, venuekey.Token{Access: "a", Refresh: "r", Issued: written, Expires: in(24 * time.Hour), RefreshExpires: in(2 * time.Hour)}},
		"deeper":          {`{"profiles":[{"name":"x","token":{"refresh-token":"r","scopes":["x","y"]}}]}`, venuekey.Token{Refresh: "r", Scopes: []string{"x", "y"}}},
		"a life of zero":  {`{"access_token":"a","refresh_token":"r","expires_in":0}`, venuekey.Token{Access: "a", Refresh: "r", Issued: written}},
		"a bare token":    {"\ufeff r-_.~+/= \r\n", venuekey.Token{Refresh: "r-_.~+/="}},
		"an endless life": {`{"access_token":"a","expires_in":1e300}`, venuekey.Token{Access: "a", Issued: written, Expires: in(mostSeconds * time.Second)}},
	} {
		got, err := foreignToken(venuekey.Secret(row.text), written, venuekey.RenewWithRefreshToken)
		if err != nil || !sameToken(got, row.want) {
			t.Errorf("%s: %v\n%+v, want\n%+v", name, err, got, row.want)
		}
	}
	if got, err := foreignToken("a\n", written, venuekey.RenewWithAccessToken); err != nil || got.Access != "a" || got.Refresh != "" {
		t.Errorf("a bare access token: %v", err)
	}
}

// sameToken compares what is read; moments may be told in other zones.
func sameToken(a, b venuekey.Token) bool {
	return a.Access == b.Access && a.Refresh == b.Refresh && a.Type == b.Type && a.Issued.Equal(b.Issued) && a.Expires.Equal(b.Expires) &&
		a.RefreshExpires.Equal(b.RefreshExpires) && strings.Join(a.Scopes, " ") == strings.Join(b.Scopes, " ")
}

func TestWhatIsNoToken(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "nothing to import",
		"two words":                   "neither JSON nor a token",
		"a\nb":                        "neither JSON nor a token",
		"<html>\n<body>":              "neither JSON nor a token",
		`{"s-e-c-r-e-t":`:             "looks like JSON",
		`{"client_id":"s-e-c-r-e-t"}`: "no field refresh_token",
		`{"refresh_token":7}`:         "no field refresh_token",
		`[{"refresh_token":"s-e-c-r-e-t"},{"refresh_token":"b"}]`:            "several tokens",
		`{"refresh_token":"s-e-c-r-e-t","expiry":"tomorrow"}`:                "expiry is not a time",
		`{"refresh_token":"s-e-c-r-e-t","expires_at":"2030-01-02T03:04:05"}`: "expiresat is not a time",
	} {
		_, err := foreignToken(venuekey.Secret(text), time.Now(), venuekey.RenewWithRefreshToken)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s-e-c-r-e-t") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// foreigner ID FILE: writes what another tool would have kept of a sign-in.
func foreigner(ts *testscript.TestScript, _ bool, args []string) {
	id, err := venuekey.ParseID(args[0])
	ts.Check(err)
	vault := openVault(ts)
	token, _, err := keepertest.Kept(context.Background(), vault, id)
	ts.Check(err)
	ts.Check(vault.Store.Close())
	text, err := json.Marshal(map[string]any{"access_token": string(token.Access), "refresh_token": string(token.Refresh), "expiry": token.Expires})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".bare"), []byte(token.Refresh+"\n"), 0o600))
}
