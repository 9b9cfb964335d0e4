// Package oauth is how any OAuth 2 venue signs a user in and renews what it
// gave: the authorize address, state and PKCE, the loopback listener and the
// pasted redirect, the token request, and revocation. What is particular to a
// venue is data in a Config, and a Client acts on it; packages under venue/ fill
// both in.
//
// The rules it keeps, with their source:
//
//   - A token request is sent once. Connections are not reused and the body
//     cannot be rewound, so that net/http never repeats it by itself; redirects
//     are not followed; no library that retries is anywhere near.
//   - Secrets travel in the body or the Authorization header (RFC 6749 §2.3.1),
//     in a URL only if the venue takes nothing else.
//   - state is 130 random bits, compared in constant time, and a callback that
//     has another one is answered and ignored (RFC 6749 §10.12, RFC 9700 §4.7).
//   - PKCE is S256 or nothing (RFC 7636 §4.2, RFC 9700 §2.1.1).
//   - The listener binds loopback only, both address families if the
//     redirect says localhost, and is gone when Login returns (RFC 8252 §7.3,
//     §8.3).
//   - Certificates are verified. An app's parameter "ca" holds those of a private
//     authority, which is trusted beside the system's for that app only.
//   - Answers are at most 1 MiB. A token that can be found in one is taken; an
//     error is believed if it is an OAuth error in JSON; anything else came
//     from nobody known, and is an error which says what came, without quoting it.
package oauth
