package openapi

import (
	"errors"
	"reflect"

	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// handle.go owns the path of a request, from the first checks to its answer.

func (c *conn) handle(e message.Envelope) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.ended != "" {
		return
	}
	req, decoding := c.decode(e)
	account, _ := accountOf(req)
	c.log(Event{Kind: Received, Type: e.Type, Account: account, Client: c.app})
	if e.Type == message.TypeHeartbeatEvent {
		return
	}
	f := c.s.faults.ofRequest(e.Type)
	c.logFault(f, e.Type)
	if f != nil && f.Kind == CloseBefore {
		c.stream.abort()
		c.finishLocked("by a fault")
		return
	}
	answer, err := c.answer(e, req, decoding, f)
	asker := c
	if err != nil {
		asker = nil
		r := refusal{code: "UNKNOWN_ERROR"}
		errors.As(err, &r)
		r.account = account
		c.refuse(r, e, f)
	} else if answer != nil {
		asker = nil
		c.reply(answer, e.ID, f)
	}
	c.s.flush(asker, e.ID, f)
}

func (c *conn) decode(e message.Envelope) (message.Message, error) {
	if c.json {
		return message.DecodeJSON(e.Type, e.Payload)
	}
	return message.Decode(e.Type, e.Payload)
}

// answer returns the answer to a request, or nil if the published events are the answer.
func (c *conn) answer(e message.Envelope, req message.Message, decoding error, f *Fault) (message.Message, error) {
	k := c.s.knobs()
	if f != nil && f.Kind == Refuse {
		return nil, refusal{code: f.Code, text: f.Description, retryAfter: f.RetryAfter}
	}
	if err := c.mayAsk(k, e.Type); err != nil {
		return nil, err
	}
	if decoding != nil {
		return nil, refused(invalidRequest, "Malformed message")
	}
	if account, ok := accountOf(req); ok && e.Type != message.TypeAccountAuthReq {
		session, err := c.sessionOf(k, account)
		if err != nil {
			return nil, err
		}
		return c.s.answerAccount(k, &asking{c, session, c.s.bookOf(account)}, req)
	}
	return c.answerApp(k, req)
}

// mayAsk makes the checks that do not need the message itself.
func (c *conn) mayAsk(k Knobs, t message.PayloadType) error {
	early := t == message.TypeApplicationAuthReq ||
		!k.Strict && (t == message.TypeVersionReq || t == message.TypeRefreshTokenReq)
	switch {
	case c.app == "" && !early:
		return refused("CH_CLIENT_NOT_AUTHENTICATED", "Client is not authenticated")
	case !message.IsRequest(t):
		return refused("UNSUPPORTED_MESSAGE", "Message is not supported")
	}
	if until := c.s.maintenance; c.s.now().Before(until) {
		return refusal{code: k.MaintenanceCode, text: "Server is under maintenance", until: until}
	}
	return c.tooFast(k, t)
}

// sessionOf returns the open session of an account.
func (c *conn) sessionOf(k Knobs, account int64) (*session, error) {
	session, ok := c.accounts[account]
	if !ok {
		code := invalidRequest
		if k.NotAuthorizedTyped {
			code = "ACCOUNT_NOT_AUTHORIZED"
		}
		return nil, refused(code, "Trading account is not authorized")
	}
	if k.EnforceExpiry {
		if _, err := c.s.Venue.Grant(session.access); errors.Is(err, core.ErrExpiredToken) {
			return nil, badToken(err)
		}
	}
	return session, nil
}

// accountOf returns the account that a request names.
func accountOf(m message.Message) (int64, bool) {
	if m == nil || reflect.ValueOf(m).IsNil() {
		return 0, false
	}
	field := reflect.ValueOf(m).Elem().FieldByName("CtidTraderAccountID")
	if !field.IsValid() || field.Kind() != reflect.Int64 {
		return 0, false
	}
	return field.Int(), true
}

// asking is the sender of a request, for handlers that need an account.
type asking struct {
	*conn
	session *session
	book    *book
}

func (a *asking) account() int64 { return a.book.account }
