// Package socket speaks Tradovate's WebSocket, on connections that stay authorised.
//
// Most programs want a Client. It connects to one host, for users or for market data,
// authorises the connection, and restores that, the user sync and every subscription
// after lost connections, maintenance and renewals of the token:
//
//	client := &socket.Client{
//		Endpoint: socket.Live(),
//		Token: source.Access, Rejected: source.Newer, // source is a venuekey.Source
//		Sync:  &socket.Sync{Users: []int64{user}, EntityTypes: []string{"order", "position"}},
//	}
//	events := client.Events(socket.Buffer{})
//	go client.Run(ctx)
//	for event := range events.All(ctx) { … }
//
// A Conn is a single connection, for programs that want to do the rest themselves.
//
// A request has an endpoint, a query and a body, as it would over HTTP; the answer is
// JSON, exactly as received. Errors are *Error: call SafeToRetry before you send the same
// request again. This package never sends an order twice.
//
// Texts in answers and events are the venue's own and may hold anything: clean them
// before you show them on a terminal. Texts in an *Error and in the log are one line,
// without control characters and without the secrets that were sent.
//
// What the venue does follows the section numbers of "Tradovate facts", §5 and §6. None
// of it has been tried against the real service yet.
package socket
