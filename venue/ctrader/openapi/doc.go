// Package openapi is the cTrader Open API: connections that are authorised and
// stay so. Its messages are in package message.
//
// A Client is what programs want. It connects to one environment, live or demo,
// authorises the application and the accounts, and keeps all of that, and every
// subscription, through lost connections, maintenance and renewals of the token:
//
//	client := &openapi.Client{
//		Live:     true,
//		ClientID: id, ClientSecret: secret,
//		Token: source.Access, Refused: source.Newer, // of a venuekey.Source
//	}
//	go client.Run(ctx)
//	quotes, err := client.Spots(ctx, account, []int64{symbol})
//	for quote := range quotes.All(ctx) { … }
//
// A Conn is one connection, for programs that want to do the rest themselves. What
// carries its envelopes is in package wire.
//
// Every request is a method of both. Exchange sends one as bytes, and keeps the
// fields that package message does not know. Events come to handlers (Handle), which
// allocate nothing, or to streams of bounded room (Events, Spots, Depth,
// Trendbars, Notify). Errors are *Error; SafeToRetry is the question to ask
// them. An order is never sent twice by this package.
//
// Texts in messages are the service's own, as they came: data, which is not fit for a
// terminal as it is. In an *Error and in the log they are one line without control
// characters, and without what the service was told in secret.
//
// It takes a function that yields a token and knows nothing of where that comes
// from. Nothing here refreshes one.
package openapi
