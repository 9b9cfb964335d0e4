package openapi_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// pace_test.go owns what the service sees of many callers, judged by the service
// as it judges: by when requests arrive.

// judge refuses what exceeds the limit within a second of its own clock, as the service does.
type judge struct {
	limit   int
	mu      sync.Mutex
	taken   []time.Time
	refused int
	busiest int // the most that came within a second, refused ones too
	all     []time.Time
}

func (j *judge) tooMuch(now time.Time) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	within := func(times []time.Time) int {
		n := 0
		for i := len(times) - 1; i >= 0 && now.Sub(times[i]) < time.Second; i-- {
			n++
		}
		return n
	}
	j.all = append(j.all, now)
	j.busiest = max(j.busiest, within(j.all))
	if within(j.taken) >= j.limit {
		j.refused++
		return true
	}
	j.taken = append(j.taken, now)
	return false
}

// crowd has callers send requests side by side, and returns their errors.
func crowd(callers, each int, send func() error) []error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for range callers {
		all.Go(func() {
			for range each {
				if err := send(); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return errs
}

// Transit times vary: what is sent at the beginning of a window may arrive later than what is
// sent at the beginning of the next.
func TestTheWayThereIsNoReasonToBeRefused(t *testing.T) {
	for _, stall := range []time.Duration{25 * time.Millisecond, 300 * time.Millisecond} {
		for name, req := range map[string]message.Message{"reads": &message.TraderReq{CtidTraderAccountID: 7}, "orders": order} {
			t.Run(fmt.Sprint(name, " ", stall), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					j := &judge{limit: 50}
					n := 0
					f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
						if e.Type != req.PayloadType() {
							return false
						}
						if n++; n%100 == 1 {
							time.Sleep(stall) // and all that follows waits behind it
						}
						if j.tooMuch(time.Now()) {
							s.refuse(e.ID, "REQUEST_FREQUENCY_EXCEEDED", "")
							return true
						}
						return false
					}
					c := authorised(t, f, openapi.Options{}, 7)
					defer c.Close()
					time.Sleep(2 * time.Second)
					began := time.Now()
					errs := crowd(100, 3, func() error { _, err := c.Do(t.Context(), req); return err })
					if len(errs) > 0 || j.refused > 0 {
						t.Errorf("%d refused, of which callers saw %d; at most %d within a second", j.refused, len(errs), j.busiest)
					}
					if took := time.Since(began); took > 8*time.Second {
						t.Errorf("300 requests took %v", took)
					}
				})
			})
		}
	}
}

// Repeated requests wait their turn among all others.
func TestWhatIsAskedAgainTakesItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		j := &judge{limit: 50}
		busy := time.Now().Add(3 * time.Second) // another program uses up what there is
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeTraderReq && (j.tooMuch(time.Now()) || time.Now().Before(busy)) {
				s.refuse(e.ID, "REQUEST_FREQUENCY_EXCEEDED", "")
				return true
			}
			return false
		}
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		errs := crowd(120, 2, func() error {
			_, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7})
			return err
		})
		if len(errs) > 0 || j.busiest > 50 {
			t.Errorf("%d within a second; callers saw %v", j.busiest, errs)
		}
	})
}

// With a slow service, requests are sent hardly more slowly than the limit allows.
func TestSlowAnswersDoNotHoldUpWhatMayGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type != message.TypeTraderReq {
				return false
			}
			time.AfterFunc(10*time.Second, func() { s.usual(e, m) })
			return true
		}
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		crowd(200, 1, func() error {
			_, err := c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7})
			return err
		})
		times := f.times(message.TypeTraderReq)
		if took := times[len(times)-1].Sub(times[0]); took > 6*time.Second {
			t.Errorf("200 went out within %v", took)
		}
	})
}

// A fractional limit holds for every second too.
func TestFractionsOfALimit(t *testing.T) {
	for _, limit := range []float64{0.5, 1, 1.5, 2.5, 4.5, 5, 49.9} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
					if e.Type != message.TypeGetTrendbarsReq {
						return false
					}
					s.send(e.ID, &message.GetTrendbarsRes{Period: message.TrendbarPeriodM1})
					return true
				}
				c := authorised(t, f, openapi.Options{Requests: 1000, Historical: limit}, 7)
				defer c.Close()
				n := int(10*limit) + 1
				crowd(20, n/20+1, func() error {
					_, err := c.GetTrendbars(t.Context(), &message.GetTrendbarsReq{CtidTraderAccountID: 7, Period: message.TrendbarPeriodM1})
					return err
				})
				times := f.times(message.TypeGetTrendbarsReq)
				for i := range times {
					for k := i + 1; k < len(times); k++ {
						span := math.Floor(times[k].Sub(times[i]).Seconds()) + 1
						if float64(k-i+1) > math.Ceil(span*limit) || span == 1 && float64(k-i+1) > max(1, limit) {
							t.Fatalf("%d within %v", k-i+1, times[k].Sub(times[i]))
						}
					}
				}
			})
		})
	}
}
