package tradovate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// proxied.go owns calls for programs that see no token: of the REST API, and over the
// WebSocket (Tradovate facts §5).

// websocketName is the WebSocket's path below /v1.
const websocketName = "websocket"

// Call implements venuekey.Proxied. A call's host is one of Host's constants, or a name that
// HostURL takes. Whatever Operation.Reads does not know counts as trading.
func (v Venue) Call(app venuekey.App, token venuekey.Token, call venuekey.Call) (venuekey.Target, error) {
	o := Operation{Path: call.Path, Method: call.Method}
	if strings.ContainsFunc(call.Path, notInNames) {
		return venuekey.Target{}, wrong("the operation is not a path such as order/list", "")
	}
	base, err := v.HostURL(app, token, Host(call.Host))
	if err == nil && call.Host == "" && o.name() == "auth/me" {
		base = v.APIFor(app, token).MeBase
	}
	if err != nil {
		return venuekey.Target{}, err
	}
	at, err := url.Parse(base)
	if err != nil {
		return venuekey.Target{}, wrong("the api address is not a URL", "venuekey app add tradovate --url api=URL")
	}
	target := venuekey.Target{Name: o.name(), Effect: effectOf(o), CA: string(app.Param(oauth.CAParam)), URL: at.JoinPath(withoutVersion(call.Path))}
	if target.Name == websocketName {
		target.Effect = venuekey.EffectNone // what is sent through it is judged
		target.Message = func(token venuekey.Token, text []byte) venuekey.Message { return message(call.Host, token, text) }
	}
	return target, nil
}

// withoutVersion is a path below /v1, which some clients have in their addresses.
func withoutVersion(path string) string {
	if len(path) > 3 && strings.EqualFold(path[:3], "v1/") {
		return path[3:]
	}
	return path
}

func effectOf(o Operation) venuekey.Effect {
	switch {
	case o.givesTokens():
		return venuekey.EffectCredentials
	case o.Reads():
		return venuekey.EffectNone
	}
	return venuekey.EffectUnknown
}

// message says what a frame from a program is: a heartbeat, the authorisation, which gets the
// token, or a request of an operation.
func message(host string, token venuekey.Token, text []byte) venuekey.Message {
	if string(bytes.TrimSpace(text)) == "[]" {
		return venuekey.Message{Name: "heartbeat", Effect: venuekey.EffectNone, Text: text, Quiet: true}
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	number, _, _ := bytes.Cut(rest, []byte("\n"))
	o := Operation{Path: string(bytes.TrimSpace(first))}
	m := venuekey.Message{Name: o.name(), Effect: socketEffect(o), Text: text, Refusal: func(reason string) []byte { return refusal(number, reason) }}
	switch {
	case strings.ContainsFunc(o.Path, notInNames):
		m.Name = "" // the venue could read it in another way
	case m.Name == "authorize":
		m.Effect = venuekey.EffectNone
		m.Text = fmt.Appendf(nil, "authorize\n%s\n\n%s", bytes.TrimSpace(number), string(tokenFor(host, token)))
	}
	return m
}

// notInNames reports whether no name of an operation has a letter. Lower case must not make
// one of something else, such as the sign for Kelvin.
func notInNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '/' && r != '_' && r != '-'
}

// socketEffect is what an operation does over the WebSocket, which has those too that begin
// and end a subscription.
func socketEffect(o Operation) venuekey.Effect {
	name := o.name()
	if strings.HasPrefix(name, "md/") || name == "user/syncrequest" {
		return venuekey.EffectNone
	}
	return effectOf(o)
}

// tokenFor is the token that a host wants: market data has one of its own, if the venue
// issued it.
func tokenFor(host string, token venuekey.Token) venuekey.Secret {
	if market := token.Extra("mdAccessToken"); market != "" && (host == string(HostMarketData) || host == string(HostMDDemo)) {
		return market
	}
	return token.Access
}

// refusal is the venue's own form of an answer, with 403. A request without a number gets
// nothing that could be taken for the answer to another.
func refusal(number []byte, reason string) []byte {
	id, err := strconv.ParseInt(string(bytes.TrimSpace(number)), 10, 64)
	if err != nil {
		return nil
	}
	text, err := json.Marshal(reason)
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, `a[{"s":403,"i":%d,"d":%s}]`, id, text)
}
