// Package socket speaks Tradovate's WebSocket, on connections that stay authorised.
//
// Most programs want a Client. It connects to one host, for users or for market data,
// authorises the connection, and restores that, the user sync and every subscription
// after lost connections, maintenance and renewals of the token:
//
//	client := socket.For(keeper.Source(id), socket.Live())
//	client.Sync = &socket.Sync{Users: []int64{user}, EntityTypes: []string{"order", "position"}}
//	events := client.Events(socket.Buffer{})
//	go client.Run(ctx)
//	for event := range events.All(ctx) { … }
//
// A Conn is a single connection, for programs that want to do the rest themselves.
//
// # Requests
//
// A request has an endpoint, a query and a body, as it would over HTTP; the answer is
// JSON, exactly as received. Errors are *Error: call SafeToRetry before you send the same
// request again. This package never sends an order twice. An order without an answer gives
// venuekey.ClassUnknown, and MayBeDone: look at the orders before you send another.
//
// A time penalty is waited out once for a request that reads. An order that meets one gives
// KindPenalty with the ticket, because the price may be another after the wait: send the
// same body with the field "p-ticket" then, or do not.
//
// # Events and gaps
//
// The user sync begins with EventSnapshot, in several parts unless Sync.Whole is set, which
// EventProps change from then on. What happens while the Client is not connected is in no
// event: EventGap says so, and is followed by the snapshot anew. Market data go on where
// they are; charts begin anew.
//
// Client.Changes is the same as typed entities. Quotes, Depth, Histograms and Chart stream
// market data as types of package message; Raw and RawChart stream it as it comes.
//
// A stream has limited room. When it is full the oldest event is dropped and counted; with
// Buffer.Block the connection waits for the reader instead.
//
// # What a Client does about what happens
//
//	the token is renewed            nothing: the connection keeps its authorisation
//	the connection is closed        connects again with the token of the moment
//	nothing comes for 10 s          asks for account/list; connects again if nothing answers
//	only heartbeats for 5 min, or
//	a request without an answer     the same, with 30 s for the answer
//	an answer: the token is dead    connects again, once in a minute at most
//	authorize is refused            asks Rejected for a newer token, once for each
//	closed for a limit              the same, since the token was revoked; then waits a
//	                                minute, and longer each time
//	maintenance                     waits for the end of the published window, and tries
//	                                every two minutes
//	421, the wrong host             connects to the host that Hosts names, if it is the
//	                                venue's; asks Rejected if there is none
//	a lockout, a captcha            waits an hour
//	the sign-in has ended, no host  ends Run with the error
//	serves this user
//
// Ready waits for it, State and OnState say where it stands, and an error's Remedy what a
// person can do.
//
// # Tokens and hosts
//
// For takes all from a sign-in: the access token, apiHosts, and for hosts of market data
// mdAccessToken, in whose place the access token is presented if there is none, or the venue
// does not take it. A token goes to Endpoint and to the venue's own domains only, whatever
// apiHosts says. A token in a log or an error is struck out.
//
// Texts in answers and events are the venue's own and may hold anything: clean them
// before you show them on a terminal. Texts in an *Error and in the log are one line,
// without control characters and without the secrets that were sent.
//
// What the venue does follows the section numbers of "Tradovate facts", §0, §2, §5 and §6.
// None of it has been tried against the real service yet.
package socket
