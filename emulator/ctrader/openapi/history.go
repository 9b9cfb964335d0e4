package openapi

import (
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// history.go owns the lists of past deals, orders and cash flows.

// answerHistory answers requests about the past.
func (a *asking) answerHistory(k Knobs, req message.Message) (message.Message, error) {
	switch m := req.(type) {
	case *message.GetTrendbarsReq:
		return a.trendbars(k, m)
	case *message.GetTickDataReq:
		return a.ticks(k, m)
	case *message.DealListReq:
		k.MaxRows = min(int(m.MaxRows.Or(int32(k.MaxRows))), k.MaxRows)
		list, more, err := a.deals(k, m.FromTimestamp, m.ToTimestamp, 0)
		return &message.DealListRes{CtidTraderAccountID: a.account(), Deal: list, HasMore: more}, err
	case *message.DealListByPositionIDReq:
		list, more, err := a.deals(k, m.FromTimestamp, m.ToTimestamp, m.PositionID)
		return &message.DealListByPositionIDRes{CtidTraderAccountID: a.account(), Deal: list, HasMore: more}, err
	case *message.OrderListReq:
		list, more, err := a.orders(k, m.FromTimestamp, m.ToTimestamp, 0)
		return &message.OrderListRes{CtidTraderAccountID: a.account(), Order: list, HasMore: more}, err
	case *message.OrderListByPositionIDReq:
		list, more, err := a.orders(k, m.FromTimestamp, m.ToTimestamp, m.PositionID)
		return &message.OrderListByPositionIDRes{CtidTraderAccountID: a.account(), Order: list, HasMore: more}, err
	case *message.OrderDetailsReq:
		return a.orderDetails(m)
	case *message.DealOffsetListReq:
		return a.offsets(m)
	case *message.CashFlowHistoryListReq:
		return a.cashFlow(m)
	}
	return nil, nil
}

// past limits a list to a period, and to the rows that an answer can have.
func past[T any](k Knobs, list []T, at func(T) time.Time, begin, end time.Time) (some []T, more bool) {
	for _, item := range list {
		if t := at(item); t.Before(begin) || t.After(end) {
			continue
		}
		if len(some) >= k.MaxRows {
			return some, true
		}
		some = append(some, item)
	}
	return some, false
}

func (a *asking) deals(k Knobs, from, to message.Optional[int64], position int64) ([]message.Deal, bool, error) {
	begin, end, err := a.s.between(from, to)
	if err != nil {
		return nil, false, err
	}
	var all []message.Deal
	for _, d := range a.book.deals {
		if position == 0 || d.PositionID == position {
			all = append(all, d.Deal)
		}
	}
	list, more := past(k, all, func(d message.Deal) time.Time { return message.Time(d.ExecutionTimestamp) }, begin, end)
	return list, more, nil
}

func (a *asking) orders(k Knobs, from, to message.Optional[int64], position int64) ([]message.Order, bool, error) {
	begin, end, err := a.s.between(from, to)
	if err != nil {
		return nil, false, err
	}
	var all []message.Order
	for _, o := range a.book.orders {
		if position == 0 || o.position == position {
			all = append(all, *o.message())
		}
	}
	list, more := past(k, all, func(o message.Order) time.Time { return message.Time(o.UTCLastUpdateTimestamp.Or(0)) }, begin, end)
	return list, more, nil
}

func (a *asking) orderDetails(m *message.OrderDetailsReq) (message.Message, error) {
	o := a.book.order(m.OrderID)
	if o == nil {
		return nil, refused("ORDER_NOT_FOUND", "Order is not found")
	}
	res := &message.OrderDetailsRes{CtidTraderAccountID: a.account(), Order: *o.message()}
	for _, d := range a.book.deals {
		if d.OrderID == o.id {
			res.Deal = append(res.Deal, d.Deal)
		}
	}
	return res, nil
}

// offsets returns the deals that closed a deal, and those that it closed.
func (a *asking) offsets(m *message.DealOffsetListReq) (message.Message, error) {
	res := &message.DealOffsetListRes{CtidTraderAccountID: a.account()}
	byID := make(map[int64]*deal)
	for _, d := range a.book.deals {
		byID[d.DealID] = d
		if d.opening == m.DealID {
			res.OffsetBy = append(res.OffsetBy, d.offset(d.FilledVolume))
		}
	}
	asked := byID[m.DealID]
	if asked == nil {
		return nil, refused("ENTITY_NOT_FOUND", "Deal is not found")
	}
	if opening := byID[asked.opening]; opening != nil {
		res.Offsetting = append(res.Offsetting, opening.offset(asked.FilledVolume))
	}
	return res, nil
}

func (d *deal) offset(volume int64) message.DealOffset {
	return message.DealOffset{DealID: d.DealID, Volume: volume, ExecutionTimestamp: message.Some(d.ExecutionTimestamp), ExecutionPrice: d.ExecutionPrice}
}

func (a *asking) cashFlow(m *message.CashFlowHistoryListReq) (message.Message, error) {
	begin, end, err := a.s.between(message.Some(m.FromTimestamp), message.Some(m.ToTimestamp))
	if err != nil {
		return nil, err
	}
	all := Knobs{MaxRows: len(a.book.cash)}
	list, _ := past(all, a.book.cash, func(d message.DepositWithdraw) time.Time { return message.Time(d.ChangeBalanceTimestamp) }, begin, end)
	return &message.CashFlowHistoryListRes{CtidTraderAccountID: a.account(), DepositWithdraw: list}, nil
}
