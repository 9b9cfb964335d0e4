// Package defined emulates the venue that a definition describes: its sign-in page, or the
// request that a key or a password is sent with, its token requests with the same names,
// encodings and header fields, and the lives, the rotation, the cut-offs and the errors that
// the file states. So every definition can be tried before anybody's account is.
//
// It serves what the definition has an address for, at the path and the query of that address,
// on one host:
//
//	before.request.url      what comes before the page
//	authorize.url           sign-in page
//	exchange.url            exchanges a code, a key or a password for tokens
//	renew.request.url       renews
//	keepalive.request.url   keeps a session from ending for want of calls
//	revoke.request.url      revokes a token
//	who.request.url         whose access token it is
//	/_emulator/             admin endpoint, see package emulator
//
// The venue shares the definition with the client, and nothing that acts on it: requests are
// taken apart here, and put together in package venue/defined. A fact that is wrong in the
// file is wrong on both sides, which is why the file names its sources.
//
// What the file does not say is a switch: see [Knobs]. Where a user pastes a token from the
// venue's pages, the user's password stands for it; it can be pasted as often as a test needs.
package defined
