package venuekey

import (
	"context"
	"net/url"
	"strings"
)

// proxied.go owns calls of a venue's API for programs that see no token: where they go, and
// what they do.

// Proxied is a Venue whose API programs can call over HTTP through somebody else, such as an
// agent's proxy, who adds the token.
type Proxied interface {
	// Call returns where a call goes, and what it does there. It sends nothing and must not
	// block. An *Error of ClassDeclined or ClassMisconfigured says why there is no such call.
	Call(app App, token Token, call Call) (Target, error)
}

// Call is a call of a venue's API, as a program asks for it.
type Call struct {
	// Host names one of the venue's hosts, in the venue's own words; empty means the one
	// that serves most calls.
	Host string
	// Method is that of HTTP.
	Method string
	// Path is decoded, without a slash at its beginning. No segment of it is empty, or
	// consists of dots.
	Path string
	// Query is not changed by a Venue.
	Query url.Values
}

// Target is where a call goes.
type Target struct {
	// URL is the address, with the path and without the query.
	URL *url.URL
	// Name is the call's own name, one for all ways to write its path, such as order/list.
	Name string
	// Effect is what the call does.
	Effect Effect
	// CA has the certificates in PEM that the app trusts besides the system's.
	CA string
	// Message, unless nil, is asked about every message that a program sends through a
	// WebSocket at URL, with the token of the moment. Without it the messages are not looked
	// at.
	Message func(token Token, text []byte) Message
}

// Message is a message through a WebSocket, as a venue understands it.
type Message struct {
	// Name and Effect are those of the call that the message makes; without a name it is none
	// that the venue understands.
	Name   string
	Effect Effect
	// Text is what is sent to the venue: the message itself, or one with the token in it.
	Text []byte
	// Quiet says that the message makes no call, such as a heartbeat: it is always sent.
	Quiet bool
	// Refusal returns what a program gets if it may not make the call, in the venue's form;
	// if it is nil, the WebSocket is closed.
	Refusal func(reason string) []byte
}

// Effect is what a call does.
type Effect int

const (
	// EffectUnknown: it may change something, or trade.
	EffectUnknown Effect = iota
	// EffectNone: it only reads.
	EffectNone
	// EffectCredentials: it hands out, changes or ends what a sign-in holds. Only a Venue
	// makes such a call, never a program through a proxy.
	EffectCredentials
)

// Call returns where a call of the API of an ID's venue goes with a token, and what it does;
// see Proxied. The error is of ClassDeclined if the venue has no such API.
func (k *Keeper) Call(ctx context.Context, id ID, token Token, call Call) (Target, error) {
	venue, err := k.Venue(id.Venue)
	if err != nil {
		return Target{}, annotate(err, id, "call")
	}
	proxied, ok := venue.(Proxied)
	if !ok {
		return Target{}, &Error{ID: id, Op: "call", Class: ClassDeclined, Reason: "the API of " + id.Venue + " is not called over HTTP with a bearer token"}
	}
	app, err := k.app(ctx, id.Venue)
	if err != nil {
		return Target{}, annotate(err, id, "call")
	}
	target, err := proxied.Call(app, token, call)
	if err != nil {
		return Target{}, annotate(err, id, "call")
	}
	if !strings.HasPrefix(target.URL.Path, "/") { // url.URL.JoinPath leaves it out
		target.URL.Path, target.URL.RawPath = "/"+target.URL.Path, ""
	}
	return target, nil
}
