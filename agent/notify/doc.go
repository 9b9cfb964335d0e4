// Package notify carries warnings about sign-ins to a person: to an address on the web, to
// the desktop, or to whatever else takes a [Notice].
//
// A [Teller] decides what is said and when. It hears the events of a Keeper, says again
// what still needs its user, says once that it is mended, and lets what can wait do so
// until quiet hours end. What it has said is in a file, so that neither a restart nor
// SIGKILL makes it forget that somebody was told.
//
// A [Courier] brings notices to a [Webhook], signed, and again until they are there. Each is
// in a file of the [Outbox] before it is sent and until it has arrived; one that does not
// arrive within a day, or is refused, is kept there as a dead letter.
//
// The JSON of a notice, which is also the body of a request, has
//
//	delivery      the same for every attempt to deliver this notice
//	event         trouble, warning, recovered or test
//	id            ctrader/alice; only the venue if it is about all of it
//	at            when this was said, as all times in RFC 3339
//	since         when it began
//	repeat        how often the same was said before; 0 is left out
//	state         as in "venuekey status": degraded, needs sign-in, fresh
//	reason        why, in words
//	ending        from when the end of the sign-in is counted; never, or unknown
//	sign_in_ends  when the sign-in ends although nothing fails, if that is known
//	left_seconds  how long the access token was still valid then; left out if unknown
//	remedy        what mends it, in words for a person
//	help          the one command or address that does it
//
// What is unknown is left out. A notice is made of these alone: no token, key or address of
// a vault can be in one, and each text has passed the gate for text from outside.
package notify
