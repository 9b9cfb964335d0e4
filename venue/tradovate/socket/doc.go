// Package socket is Tradovate's WebSocket: connections that are authorised and stay so.
//
// A Client is what programs want. It connects to one host, for users or for market data,
// authorises the connection, and keeps that, the user sync and every subscription through
// lost connections, maintenance and renewals of the token:
//
//	client := &socket.Client{
//		Endpoint: socket.Live(),
//		Token: source.Access, Rejected: source.Newer, // of a venuekey.Source
//		Sync:  &socket.Sync{Users: []int64{user}, EntityTypes: []string{"order", "position"}},
//	}
//	events := client.Events()
//	go client.Run(ctx)
//	for event := range events.All(ctx) { … }
//
// A Conn is one connection, for programs that want to do the rest themselves.
//
// Requests go by endpoint, query and body, as they do over HTTP, and their answers are
// JSON as it came. Errors are *Error; SafeToRetry is the question to ask them. An order is
// never sent twice by this package.
//
// Texts in answers and events are the venue's own, as they came: data, which is not fit
// for a terminal as it is. In an *Error and in the log they are one line without control
// characters, and without what the venue was told in secret.
//
// What the venue does is of the fact sheet "Tradovate facts" in this module's
// documentation, §5 and §6. Nothing here has met the real service.
package socket
