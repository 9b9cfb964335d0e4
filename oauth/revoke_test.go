package oauth

import (
	"errors"
	"net/http"
	"testing"

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
		{name: "no such address", answer: says(404, `<html>`), unsupported: true, class: venuekey.Failed},
		{name: "not now", answer: says(503, `<html>`), class: venuekey.Later},
		{name: "wrong client", answer: says(401, `{"error":"invalid_client"}`), class: venuekey.Wrong},
	} {
		config, _ := answering(t, row.answer)
		config.RevokeURL = config.TokenURL
		err := config.Revoke(t.Context(), stageApp, token)
		if (err == nil) != row.good || errors.Is(err, errors.ErrUnsupported) != row.unsupported || err != nil && venuekey.ClassOf(err) != row.class {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if err := (Config{}).Revoke(t.Context(), stageApp, token); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
