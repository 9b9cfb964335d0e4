package socket

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// pace_test.go holds the budget of requests: no hour has more, and none takes much memory.

func TestThePaceOfAnHour(t *testing.T) {
	for _, requests := range []int{1, 9, 100, 5000, 36_000} {
		synctest.Test(t, func(t *testing.T) {
			p := newPace(Options{Requests: requests}.filled())
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour-time.Second)
			defer cancel()
			sent := 0
			for {
				permit, err := p.Wait(ctx)
				if err != nil {
					break
				}
				permit.Answered(int64(time.Since(p.born)) + 1)
				sent++
			}
			if sent != requests {
				t.Errorf("%d requests an hour: %d were sent", requests, sent)
			}
		})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	newPace(Options{Requests: 1e9}.filled())
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 100_000 {
		t.Errorf("a billion requests an hour take %d bytes", took)
	}
}
