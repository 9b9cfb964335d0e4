package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/venuekey/venuekey"
)

// client.go owns the Client, which acts on a Config, and what data cannot say of a venue.

// Client signs users in and refreshes, probes and revokes tokens at the venue that its
// Config describes. It holds no state, so a venue may build one for each call.
type Client struct {
	Config
	// Own recognises venue-specific JSON that holds neither a token nor an OAuth error,
	// such as a request to wait. It returns nil for an answer that it does not know. A
	// nil Own means that the venue has no such answers.
	Own func(grant string, answer Answer, fields map[string]json.RawMessage) *venuekey.Error
	// Again is asked after an exchange of a code has failed: if the venue did not carry the
	// request out, it waits as long as the venue asked for, and returns what to add to the
	// same request. Nil means that the venue never asks.
	Again func(ctx context.Context, failure error) (added url.Values, again bool)
	// Added is added to a refresh request, such as what the venue gave out for its
	// repetition.
	Added url.Values
	// Transport sends token requests. Nil means a fresh transport for each request, which
	// neither reuses connections nor repeats requests; Trusting returns one that also
	// trusts an app's private certificate authority. Set another one only in tests, and
	// make sure that it does neither of the two.
	Transport http.RoundTripper
}
