package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

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
	// Shape builds a token request from the parameters that the standard has, for a venue
	// whose requests look different. Nil means a form, as in RFC 6749. An app without a
	// client ID stands for nobody, as in a probe.
	Shape func(ctx context.Context, app venuekey.App, way Way, form url.Values) (*http.Request, error)
	// Read turns the answer to a token request that was sent at a time into one of the
	// standard's form (RFC 6749 §5); what it does not understand stays as it is. Nil means
	// that the venue's answers have that form, but for their Names.
	Read func(answer Answer, sent time.Time) Answer
	// Transport sends token requests. Nil means a fresh transport for each request, which
	// neither reuses connections nor repeats requests; Trusting returns one that also
	// trusts an app's private certificate authority. Set another one only in tests, and
	// make sure that it does neither of the two.
	Transport http.RoundTripper
}

// Grant sends a token request with parameters of the venue's own, once, and returns the
// token. It is for ways to sign in, or to renew, that need neither a code nor a refresh
// token. In a renewal, grant_type is refresh_token, because errors then mean something else.
func (c Client) Grant(ctx context.Context, app venuekey.App, form url.Values) (venuekey.Token, error) {
	return c.grant(ctx, app, form)
}

// shaped returns the request for a form.
func (c Client) shaped(ctx context.Context, app venuekey.App, way Way, form url.Values) (*http.Request, error) {
	if c.Shape != nil {
		return c.Shape(ctx, app, way, form)
	}
	return c.tokenRequest(ctx, app, way, form)
}

// read returns an answer in the standard's form.
func (c Client) read(answer Answer, sent time.Time) Answer {
	if c.Read == nil {
		return answer
	}
	return c.Read(answer, sent)
}
