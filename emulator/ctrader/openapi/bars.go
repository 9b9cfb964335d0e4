package openapi

import (
	"math/rand/v2"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// bars.go owns bars and ticks: the current bars, and a past that is computed from the time
// alone, so that it is always the same.

type barKey struct {
	symbol int64
	period message.TrendbarPeriod
}

func periods() []message.TrendbarPeriod {
	var list []message.TrendbarPeriod
	for p := message.TrendbarPeriodM1; p <= message.TrendbarPeriodMn1; p++ {
		list = append(list, p)
	}
	return list
}

// lengthOf returns the length of a bar, or 0 for an unknown period. Months have 30 days
// here.
func lengthOf(p message.TrendbarPeriod) time.Duration {
	minutes := []int{0, 1, 2, 3, 4, 5, 10, 15, 30, 60, 240, 720, 1440, 10080, 43200}
	if p < 1 || int(p) >= len(minutes) {
		return 0
	}
	return time.Duration(minutes[p]) * time.Minute
}

// liveBar is the current bar, of bids.
type liveBar struct {
	start                  time.Time
	open, high, low, close int64
	ticks                  int64
}

func (q *quote) live(p message.TrendbarPeriod, now time.Time) *liveBar {
	bar := q.bars[p]
	if bar == nil {
		bar = new(liveBar)
		q.bars[p] = bar
		bar.tick(p, now, q.bid)
	}
	return bar
}

func (b *liveBar) tick(p message.TrendbarPeriod, now time.Time, price int64) {
	if start := now.Truncate(lengthOf(p)); !start.Equal(b.start) {
		*b = liveBar{start: start, open: price, high: price, low: price}
	}
	b.close, b.ticks = price, b.ticks+1
	b.high, b.low = max(b.high, price), min(b.low, price)
}

func (b *liveBar) message(p message.TrendbarPeriod) message.Trendbar {
	return message.Trendbar{
		Volume: b.ticks, Period: optional(p), Low: message.Some(b.low),
		DeltaOpen: message.Some(uint64(b.open - b.low)), DeltaClose: message.Some(uint64(b.close - b.low)),
		DeltaHigh:             message.Some(uint64(b.high - b.low)),
		UTCTimestampInMinutes: message.Some(uint32(b.start.Unix() / 60)),
	}
}

// pastPrice returns the bid at a time: the symbol's initial price, plus or minus some
// points.
func (q *quote) pastPrice(t time.Time) int64 {
	random := rand.New(rand.NewPCG(uint64(t.Unix()), uint64(q.ID)))
	return q.Bid + (random.Int64N(201)-100)*q.point()
}

func (q *quote) pastBar(start time.Time, length time.Duration) *liveBar {
	b := &liveBar{start: start, open: q.pastPrice(start), close: q.pastPrice(start.Add(length)), ticks: int64(length / time.Second)}
	b.high, b.low = max(b.open, b.close)+7*q.point(), min(b.open, b.close)-5*q.point()
	return b
}

// between returns the bounds of a request. The end defaults to now, and the beginning to a
// day before the end.
func (s *Server) between(from, to message.Optional[int64]) (time.Time, time.Time, error) {
	now := s.now()
	end := to.Or(now.UnixMilli())
	begin := from.Or(max(0, end-24*time.Hour.Milliseconds()))
	if begin < 0 || end < begin || end > message.MaxTimestamp {
		return now, now, refused("INCORRECT_BOUNDARIES", "Incorrect period boundaries")
	}
	return message.Time(begin), message.Time(end), nil
}

func (a *asking) trendbars(k Knobs, m *message.GetTrendbarsReq) (message.Message, error) {
	quotes, err := a.s.symbols([]int64{m.SymbolID})
	if err != nil {
		return nil, err
	}
	length := lengthOf(m.Period)
	if length == 0 {
		return nil, refused(invalidRequest, "Unknown period")
	}
	most := int64(min(m.Count.Or(uint32(k.MaxRows)), uint32(k.MaxRows)))
	from := m.FromTimestamp
	if from.IsZero() && !m.Count.IsZero() {
		end := m.ToTimestamp.Or(a.s.now().UnixMilli())
		from = message.Some(max(0, end-most*length.Milliseconds()))
	}
	begin, end, err := a.s.between(from, m.ToTimestamp)
	if err != nil {
		return nil, err
	}
	res := &message.GetTrendbarsRes{
		CtidTraderAccountID: a.account(), Period: m.Period, SymbolID: message.Some(m.SymbolID),
		Timestamp: message.Some(end.UnixMilli()),
	}
	if now := a.s.now(); end.After(now) {
		end = now
	}
	// Only complete bars, and of those the newest, sorted from old to new.
	first := message.Time(end.Truncate(length).UnixMilli() - most*length.Milliseconds())
	res.HasMore = message.Some(!first.Add(-length).Before(begin))
	for t := first; !t.Add(length).After(end); t = t.Add(length) {
		if !t.Before(begin) {
			res.Trendbar = append(res.Trendbar, quotes[0].pastBar(t, length).message(0))
		}
	}
	return res, nil
}

// tickEvery is the time between past ticks.
const tickEvery = 10 * time.Second

func (a *asking) ticks(k Knobs, m *message.GetTickDataReq) (message.Message, error) {
	quotes, err := a.s.symbols([]int64{m.SymbolID})
	if err != nil {
		return nil, err
	}
	begin, end, err := a.s.between(m.FromTimestamp, m.ToTimestamp)
	if err != nil {
		return nil, err
	}
	if now := a.s.now(); end.After(now) {
		end = now
	}
	res := &message.GetTickDataRes{CtidTraderAccountID: a.account()}
	var lastTime, lastPrice int64
	for t := end.Truncate(tickEvery); !t.Before(begin); t = t.Add(-tickEvery) {
		if len(res.TickData) == k.MaxRows {
			res.HasMore = true
			break
		}
		price := quotes[0].pastPrice(t)
		if m.Type == message.QuoteTypeAsk {
			price += quotes[0].Spread
		}
		tick := message.TickData{Timestamp: t.UnixMilli(), Tick: price}
		if len(res.TickData) > 0 {
			tick = k.tick(tick, lastTime, lastPrice)
		}
		lastTime, lastPrice = t.UnixMilli(), price
		res.TickData = append(res.TickData, tick)
	}
	return res, nil
}

// tick encodes a tick as the difference from the one before it in the list.
func (k Knobs) tick(t message.TickData, lastTime, lastPrice int64) message.TickData {
	t.Timestamp -= lastTime
	if k.TickTimesPositive {
		t.Timestamp = -t.Timestamp
	}
	if !k.TickPricesWhole {
		t.Tick -= lastPrice
	}
	return t
}
