// Package socket is Tradovate's WebSocket: connections that are authorised once and outlive the token.
//
// A Conn is one connection. It lives once; what replaces it is another's work.
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
