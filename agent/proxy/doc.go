// Package proxy forwards calls of a venue's API for programs that see no token:
//
//	http://agent/proxy/VENUE/NAME/PATH        a call, such as /proxy/tradovate/bot/order/list
//	http://agent/proxy/VENUE/NAME/@HOST/PATH  the same at another of the venue's hosts
//
// A Handler goes into [agent.Server], which knows who asks:
//
//	server := &agent.Server{Keeper: keeper}
//	server.Proxy = &proxy.Handler{Keeper: keeper}
//
// # What goes to the venue
//
// The method, the query, the body and the header fields of the request, signed with the
// token, and to the venue's hosts only: the address comes from the venue
// ([venuekey.Proxied]), and nothing in a request changes its host. What a program must not
// decide is removed: Authorization, cookies, the fields of a hop (RFC 9110 §7.6.1), those that
// override a method or an address, and trailers. Calls that hand out tokens or end them are
// refused.
//
// # What comes back
//
// The answer as it comes, streamed, without cookies. A redirect is never followed: one to
// another of the venue's hosts leads back to the proxy, and any other is an error. After a 401
// the token is reported and renewed if it is dead; the call is sent again only if it is known
// to read and has no body, since a proxy must not repeat what may be done twice
// (RFC 9110 §9.2.2).
//
// # WebSockets
//
// An upgrade is forwarded. If the venue's messages are understood, as Tradovate's are, the
// proxy puts the token into the one that authorises, and judges every other as it does a
// call; otherwise it is a call of unknown effect.
package proxy
