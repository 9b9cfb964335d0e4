// Package openapi is a client for the cTrader Open API that stays connected and
// authorised. Package message has the messages.
//
// Most programs want a Client. It connects to one environment, live or demo,
// authorises the application and its accounts, and restores all of that, and every
// subscription, after lost connections, maintenance and renewals of the token:
//
//	client := &openapi.Client{
//		Live:     true,
//		ClientID: id, ClientSecret: secret,
//		Token: source.Access, Rejected: source.Newer, // of a venuekey.Source
//	}
//	go client.Run(ctx)
//	quotes, err := client.Spots(ctx, account, []int64{symbol})
//	for quote := range quotes.All(ctx) { … }
//
// A Conn is a single connection, for programs that want to do the rest themselves.
// Package wire, one layer below, reads and writes envelopes.
//
// Client and Conn have a method for every request. Exchange sends a request as bytes
// and preserves fields that package message does not know. Events are delivered to
// handlers (Handle), without allocating, or through bounded streams (Events, Notify,
// and Spots, Depth and Trendbars, which also subscribe). Requests fail with an *Error,
// whose SafeToRetry method says whether the request may be sent again. This package
// never sends an order twice.
//
// Strings in messages are untrusted data, exactly as the service sent them: escape
// them before you print them to a terminal. In an *Error and in the log they are a
// single line without control characters, and any secret that the service echoes is
// replaced by "[secret]".
//
// The Client calls a function to get the access token and does not care where that
// comes from. Nothing here refreshes a token.
package openapi
