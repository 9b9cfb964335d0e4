package tradovate

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// socketrequest.go owns requests on a WebSocket: four lines, and the answer by id
// (Tradovate facts §5). What orders, user syncs and market data answer has files of its
// own.

// request is what a client asks: "endpoint\nid\nquery\nbody".
type request struct {
	endpoint string // in lower case
	id       int64
	query    url.Values
	body     []byte // nil for none
}

// answered is what becomes of a request: a status and, beside 200, a text. A 429 has
// none.
type answered struct {
	status int
	d      any
}

func refused(status int, text string) answered { return answered{status, text} }

// parseRequest reads the lines. What a client leaves out at the end may be absent, and
// JavaScript clients write "undefined" for no body (Tradovate facts §10.8).
func parseRequest(text string) (request, bool) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 2 {
		return request{}, false
	}
	id, err := strconv.ParseInt(strings.TrimSpace(lines[1]), 10, 64)
	r := request{endpoint: strings.ToLower(strings.TrimSpace(lines[0])), id: id}
	if err != nil || r.endpoint == "" || strings.ContainsAny(r.endpoint, " {[\"") {
		return request{}, false
	}
	if len(lines) > 2 {
		r.query, err = url.ParseQuery(lines[2])
	}
	if len(lines) > 3 {
		if body := strings.TrimSpace(lines[3]); body != "" && body != "undefined" {
			r.body = []byte(body)
		}
	}
	return r, err == nil
}

// read takes the body apart. It is false for one that is no JSON object; no body is an
// empty object.
func (r request) read(into any) bool {
	if r.body == nil {
		return true
	}
	return r.body[0] == '{' && json.Unmarshal(r.body, into) == nil
}

// request carries out what a frame asks. It is false for a frame that is no request.
func (c *socket) request(text string) bool {
	r, ok := parseRequest(text)
	if !ok {
		return false
	}
	f := c.server.socketFaults.take(r.endpoint)
	if f != nil {
		c.server.core.Record(emulator.Event{Kind: emulator.EventFaultInjected, Status: f.Status, Detail: string(f.Kind) + " on " + r.endpoint})
		if c.insteadOf(f, r) {
			return true
		}
	}
	if c.server.Current().Socket.Deaf {
		return true
	}
	messages := c.messages(r.id, c.carryOut(r))
	if f != nil {
		c.mangle(f, messages)
		return true
	}
	for _, message := range messages {
		c.tell(message)
	}
	return true
}

// messages are what a client is told of a request; a split snapshot is several.
func (c *socket) messages(id int64, a answered) []any {
	if parts, ok := a.d.(parts); ok {
		var list []any
		for _, part := range parts {
			list = append(list, map[string]any{"s": a.status, "i": id, "d": part})
		}
		return list
	}
	message := map[string]any{"s": a.status, "i": id}
	if a.d != nil && a.d != "" {
		message["d"] = a.d
	}
	return []any{message}
}

// carryOut does what a request asks.
func (c *socket) carryOut(r request) answered {
	if r.endpoint == "authorize" {
		return c.authorize(r)
	}
	c.mu.Lock()
	authorised, pair := c.pair.Access != "", c.pair
	c.mu.Unlock()
	if !authorised {
		return refused(http.StatusUnauthorized, "Access is denied")
	}
	if wait, held := c.penalised(r); held {
		return wait
	}
	if c.host.market {
		return c.market(r)
	}
	u, k := c.server.userOf(pair), c.server.Current().filled()
	if _, known := operations[r.endpoint]; known {
		return caller{c.server, u, c.host.env, c.server.mayTrade(k, pair.Grant, c.host.env)}.operate(r.endpoint, r)
	}
	switch {
	case r.endpoint == "user/syncrequest":
		return c.synchronise(r, u)
	case r.endpoint == "account/list" && k.AccountsDenied:
		return refused(http.StatusUnauthorized, "Access is denied")
	case r.endpoint == "account/list":
		return answered{http.StatusOK, accountsOf(u, c.host.env)}
	}
	return refused(http.StatusNotFound, "Not found: "+r.endpoint)
}

// authorize opens the socket. A token that is dead is refused, and the socket stays.
func (c *socket) authorize(r request) answered {
	k := c.server.Current().filled()
	token, form := string(r.body), TokenRaw
	var quoted string
	if json.Unmarshal(r.body, &quoted) == nil {
		token, form = quoted, TokenQuoted
	}
	pair, err := c.owner(k.Socket, token)
	e := emulator.Event{Kind: SocketRefused, User: pair.Grant.User, Client: pair.Grant.Client, Fingerprint: emulator.Fingerprint(token), Status: http.StatusUnauthorized}
	if err != nil || k.Socket.Token != TokenEither && k.Socket.Token != form {
		if err != nil {
			e.Status, e.Detail = c.server.deadStatus(k, pair, err), err.Error()
		}
		c.server.core.Record(e)
		if e.Status == http.StatusTooManyRequests {
			return answered{status: e.Status}
		}
		return refused(e.Status, "Invalid access token")
	}
	e.Kind, e.Status = SocketAuthorized, http.StatusOK
	c.mu.Lock()
	c.pair = pair
	c.mu.Unlock()
	c.server.core.Record(e)
	c.server.limit(k, pair.Grant.User)
	return answered{status: http.StatusOK}
}

// owner is whose token it is, at this host.
func (c *socket) owner(k SocketKnobs, token string) (emulator.Pair, error) {
	if access, known := c.server.accessOf(token); known {
		if !c.host.market || k.Market == MarketByAccessToken {
			return emulator.Pair{}, core.ErrUnknownToken
		}
		return c.server.core.Tokens.Use(c.server.core.Clock.Now(), access)
	}
	if c.host.market && k.Market == MarketByMDToken {
		return emulator.Pair{}, core.ErrUnknownToken
	}
	return c.server.core.Tokens.Use(c.server.core.Clock.Now(), token)
}
