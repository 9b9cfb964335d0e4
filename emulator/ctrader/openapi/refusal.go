package openapi

import (
	"cmp"
	"math"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// refusal.go owns the errors of the protocol.

const (
	invalidRequest = "INVALID_REQUEST"
	blocked        = "BLOCKED_PAYLOAD_TYPE"
)

// refusal is an error answer. Its code is a name, never a number (§3.7).
type refusal struct {
	code, text string
	account    int64
	// order and position are those that the refusal of an order is about.
	order, position int64
	trading         bool // it refuses an order
	until           time.Time
	retryAfter      time.Duration
	// end, unless empty, means that the connection ends too, and why.
	end string
}

func (r refusal) Error() string { return "openapi: " + r.code }

func refused(code, text string) error { return refusal{code: code, text: text} }

// badOrder returns the refusal of an order.
func badOrder(code, text string) error { return refusal{code: code, text: text, trading: true} }

// refuse answers with an error. The caller holds the lock.
func (c *conn) refuse(r refusal, e message.Envelope, f *Fault) {
	c.log(Event{Kind: Refused, Type: e.Type, Account: r.account, Client: c.app, Detail: r.code})
	c.reply(c.s.knobs().message(r), e.ID, f)
	if r.end != "" {
		c.finishLocked(r.end)
	}
}

func (k Knobs) message(r refusal) message.Message {
	text := optional(r.text)
	if r.trading && !k.OrderErrorsPlain {
		return &message.OrderErrorEvent{
			CtidTraderAccountID: r.account, ErrorCode: r.code, Description: text,
			OrderID: optional(r.order), PositionID: optional(r.position),
		}
	}
	until := r.until.Unix()
	if k.CommonErrors != k.MaintenanceOtherUnit {
		until = r.until.UnixMilli()
	}
	if r.until.IsZero() {
		until = 0
	}
	if k.CommonErrors {
		return &message.CommonErrorRes{ErrorCode: r.code, Description: text, MaintenanceEndTimestamp: optional(uint64(until))}
	}
	return &message.ErrorRes{
		ErrorCode: r.code, Description: text, CtidTraderAccountID: optional(r.account),
		MaintenanceEndTimestamp: optional(until),
		RetryAfter:              optional(uint64(math.Ceil(r.retryAfter.Seconds()))),
	}
}

// optional returns an Optional that is absent if the value is zero.
func optional[T cmp.Ordered](value T) message.Optional[T] {
	var nothing T
	if value == nothing {
		return message.Optional[T]{}
	}
	return message.Some(value)
}
