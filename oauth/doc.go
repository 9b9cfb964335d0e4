// Package oauth signs users in to any venue that speaks OAuth 2, and refreshes and
// revokes their tokens. It builds the authorization URL with state and PKCE, receives the
// redirect on a loopback listener or as a pasted address, and sends the token requests.
//
// A Config describes a venue's endpoints as plain data. A Client acts on a Config. The
// packages under venue/ supply both; a program uses this package directly only to add a
// venue or to run the flow itself, for example behind its own web server.
//
// The package keeps these rules:
//
//   - A token request is sent once. Connections are not reused and the body cannot be
//     rewound, so net/http cannot repeat the request on its own. Redirects are not
//     followed.
//   - Secrets travel in the body or in the Authorization header (RFC 6749 §2.3.1), and in
//     a URL only if the venue accepts nothing else.
//   - State is 130 random bits and is compared in constant time. A callback with another
//     state is answered but ignored (RFC 6749 §10.12, RFC 9700 §4.7).
//   - PKCE uses S256 only, never "plain" (RFC 7636 §4.2, RFC 9700 §2.1.1).
//   - The listener binds to loopback addresses only, in both address families if the
//     redirect URI says localhost, and is closed when Login returns (RFC 8252 §7.3,
//     §8.3).
//   - TLS certificates are always verified. An app's parameter "ca" adds the certificates
//     of a private authority, which only that app's requests trust.
//   - At most 1 MiB of an answer is read. A token that can be found in it is kept,
//     because the venue has issued it and the previous one may be dead. An error is
//     believed only if it is an OAuth error in JSON. Anything else may come from a proxy
//     or a gateway; the error says what arrived, without quoting it.
package oauth
