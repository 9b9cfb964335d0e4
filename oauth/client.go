package oauth

import (
	"encoding/json"
	"net/http"

	"github.com/venuekey/venuekey"
)

// client.go owns what acts on a Config, and what of a venue no data can say.

// Client signs users in and renews, probes and revokes tokens at the venue that its
// Config describes. It keeps nothing, so that a venue makes one for each call.
type Client struct {
	Config
	// Own finds what else a venue says in JSON that holds no token and no OAuth
	// error, such as a demand to wait; nil for a venue that says nothing else.
	Own func(grant string, answer Answer, fields map[string]json.RawMessage) *venuekey.Error
	// Transport sends token requests; nil means one that is made for each of them, and
	// Trusting gives one for an app's private certificate authority. Give another
	// one only for a test, and see that it neither reuses connections nor repeats
	// requests.
	Transport http.RoundTripper
}
