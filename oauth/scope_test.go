package oauth

import (
	"fmt"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// What an answer to an exchange says of the scopes, in every form that is known of
// venues, and what was asked for beside it (RFC 6749 §3.3, §5.1).
func TestScopesOfAnAnswer(t *testing.T) {
	for _, row := range []struct{ field, scopes, missing string }{
		{``, "read trade", ""},
		{`,"scope":null`, "read trade", ""},
		{`,"scope":""`, "read trade", ""},
		{`,"scope":"trade read"`, "trade read", ""},
		{`,"scope":"trade,read"`, "trade read", ""},
		{`,"scope":"read"`, "read", "trade"},
		{`,"scope":["read"]`, "read", "trade"},
		{`,"scope":["read","trade"]`, "read trade", ""},
		{`,"scope":"other"`, "other", "read trade"},
		{`,"scope":7`, "read trade", ""},
	} {
		client, _ := answering(t, says(200, fmt.Sprintf(`{"access_token":"a"%s}`, row.field)))
		app := stageApp
		app.Scopes = []string{"read trade"} // as a program may write it
		token, err := client.Exchange(t.Context(), app, "code", "")
		if err != nil || strings.Join(token.Scopes, " ") != row.scopes || strings.Join(token.Missing(), " ") != row.missing {
			t.Errorf("%s: %v, without %v, %v", row.field, token.Scopes, token.Missing(), err)
		}
	}
	// A renewal asks for nothing, so it says nothing of what was asked for.
	client, _ := answering(t, says(200, `{"access_token":"a","scope":"read"}`))
	if token, err := client.Refresh(t.Context(), venuekey.App{ClientID: "id", Scopes: []string{"trade"}}, "r"); err != nil || len(token.Asked) > 0 || len(token.Scopes) != 1 {
		t.Error(token.Scopes, token.Asked, err)
	}
}
