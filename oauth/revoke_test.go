package oauth

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

func TestRevoking(t *testing.T) {
	token := venuekey.Token{Access: "a", Refresh: "r"}
	for _, row := range []struct {
		name        string
		answer      http.HandlerFunc
		unsupported bool
		class       venuekey.Class
		good        bool
	}{
		{name: "done", answer: says(200, `{"revoked":true}`), good: true},
		{name: "done, without a word", answer: says(200, ``), good: true},
		{name: "no such address", answer: says(404, `<html>`), unsupported: true, class: venuekey.ClassFailed},
		{name: "not now", answer: says(503, `<html>`), class: venuekey.ClassLater},
		{name: "wrong client", answer: says(401, `{"error":"invalid_client"}`), class: venuekey.ClassMisconfigured},
	} {
		client, _ := answering(t, row.answer)
		client.RevokeURL = client.TokenURL
		err := client.Revoke(t.Context(), stageApp, token)
		if (err == nil) != row.good || errors.Is(err, errors.ErrUnsupported) != row.unsupported || err != nil && venuekey.ClassOf(err) != row.class {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if err := (Client{}).Revoke(t.Context(), stageApp, token); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// A server may end the refresh token and leave the access token alive, so each is
// shown to it, and what it did not confirm is named.
func TestRevokingEndsBothTokens(t *testing.T) {
	token := venuekey.Token{Access: "a", Refresh: "r"}
	for _, row := range []struct {
		name        string
		second      http.HandlerFunc
		unsupported bool
		reason      string
	}{
		{name: "both", second: says(200, `{"revoked":true}`)},
		{name: "not the second", second: says(503, `<html>`), reason: "revoked the refresh token, but not the access token: "},
		{name: "a page is no confirmation", second: says(200, `<html>`), reason: "HTML page"},
		{name: "its own no", second: says(200, `{"revoked":false}`), reason: "did not revoke"},
		{name: "an error in a 200", second: says(200, `{"error":"invalid_client"}`), reason: "client id and secret"},
		{name: "not that kind", second: says(400, `{"error":"unsupported_token_type"}`), reason: "has no way to revoke an access token"},
	} {
		var shown []string
		client, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
			shown = append(shown, r.PostFormValue("token")+" "+r.PostFormValue("token_type_hint"))
			if len(shown) == 2 {
				row.second(w, r)
			}
		})
		client.RevokeURL = client.TokenURL
		err := client.Revoke(t.Context(), stageApp, token)
		if !slices.Equal(shown, []string{"r refresh_token", "a access_token"}) || (err == nil) != (row.reason == "") || errors.Is(err, errors.ErrUnsupported) != row.unsupported {
			t.Errorf("%s: %v, %v", row.name, shown, err)
		} else if err != nil && !strings.Contains(err.Error(), row.reason) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// A server need not revoke every kind of token, and says so (RFC 7009 §2.2.1). The
// other kind is ended all the same, and what the venue confirmed is told as it is:
// never more, and never that nothing was done.
func TestAttackAServerThatRevokesOneKindOfToken(t *testing.T) {
	refusing := func(hint string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if hint == "" || r.PostFormValue("token_type_hint") == hint {
				says(400, `{"error":"unsupported_token_type"}`)(w, r)
			}
		}
	}
	until := time.Date(2031, 5, 6, 7, 8, 0, 0, time.UTC)
	for _, row := range []struct {
		name      string
		token     venuekey.Token
		refuses   string
		is, isNot error
		says      []string
		shown     int
	}{
		{name: "refresh tokens only", token: venuekey.Token{Access: "a", Refresh: "r", Expires: until}, refuses: "access_token",
			is: venuekey.ErrAccessLives, isNot: errors.ErrUnsupported, says: []string{"revoked the refresh token", "2031-05-06 07:08 UTC"}, shown: 2},
		{name: "access tokens only", token: venuekey.Token{Access: "a", Refresh: "r"}, refuses: "refresh_token",
			is: errors.ErrUnsupported, isNot: venuekey.ErrAccessLives, says: []string{"revoked the access token", "no way to revoke a refresh token"}, shown: 2},
		{name: "neither", token: venuekey.Token{Access: "a", Refresh: "r"}, is: errors.ErrUnsupported, isNot: venuekey.ErrAccessLives, says: []string{"no way to revoke"}, shown: 2},
		{name: "an access token alone", token: venuekey.Token{Access: "a"}, refuses: "access_token", is: errors.ErrUnsupported, isNot: venuekey.ErrAccessLives, says: []string{"no way to revoke"}, shown: 1},
		{name: "a refresh token alone", token: venuekey.Token{Refresh: "r"}, refuses: "refresh_token", is: errors.ErrUnsupported, isNot: venuekey.ErrAccessLives, says: []string{"no way to revoke"}, shown: 1},
	} {
		client, asked := answering(t, refusing(row.refuses))
		client.RevokeURL = client.TokenURL
		err := client.Revoke(t.Context(), stageApp, row.token)
		if !errors.Is(err, row.is) || errors.Is(err, row.isNot) || int(asked.Load()) != row.shown {
			t.Errorf("%s: asked %d times, %v", row.name, asked.Load(), err)
			continue
		}
		for _, words := range row.says {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	}
}
