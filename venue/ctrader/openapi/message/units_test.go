package message_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		value int64
		text  string
	}{
		{123000, "1.23"}, {0, "0"}, {1, "0.00001"}, {-1, "-0.00001"}, {100000, "1"}, {1000000, "10"}, {-12345678, "-123.45678"},
		{math.MaxInt64, "92233720368547.75807"}, {math.MinInt64, "-92233720368547.75808"},
	} {
		if got := message.FormatPrice(c.value); got != c.text {
			t.Errorf("%d is written %s, not %s", c.value, got, c.text)
		}
		if got, err := message.ParsePrice(c.text); err != nil || got != c.value {
			t.Errorf("%s is read %d, %v", c.text, got, err)
		}
	}
	if got := message.FormatPrice(uint64(math.MaxUint64)); got != "184467440737095.51615" {
		t.Error(got)
	}
	if got, err := message.ParsePrice("001.2300000000"); err != nil || got != 123000 {
		t.Error(got, err)
	}
	for _, text := range []string{"", "-", ".", "1.", ".5", "+1", "1e5", "1,5", " 1", "1.2.3", "--1", "0x1", "1.000001",
		"92233720368547.75808", "-92233720368547.75809", "99999999999999999999", "184467440737095.51616", "NaN", "٣"} {
		if got, err := message.ParsePrice(text); err == nil {
			t.Errorf("%q is read %d", text, got)
		}
	}
	if got, err := message.ParseVolume("10"); err != nil || got != 1000 || message.FormatVolume(got) != "10" {
		t.Error(got, err)
	}
	for digits, text := range map[uint32]string{0: "10053", 2: "100.53", 8: "0.00010053", 19: "0.0000000000000010053", math.MaxUint32: "10053e-4294967295"} {
		if got := message.FormatMoney(int64(10053), digits); got != text {
			t.Errorf("%d: %s, not %s", digits, got, text)
		}
	}
	if got, err := message.ParseMoney("-100.5", 2); err != nil || got != -10050 || message.FormatMoney(got, 2) != "-100.50" {
		t.Error(got, err)
	}
	if got, err := message.ParseMoney("0", math.MaxUint32); err != nil || got != 0 {
		t.Error(got, err)
	}
	if _, err := message.ParseMoney("1", math.MaxUint32); err == nil || !strings.Contains(err.Error(), `number "1" is too large`) {
		t.Error(err)
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 8, 8, 12, 0, 0, 5e6, time.UTC)
	ms, err := message.Timestamp(at)
	if err != nil || ms != at.UnixMilli() || !message.Time(ms).Equal(at) || message.Time(ms).Location() != time.UTC {
		t.Error(ms, err)
	}
	for _, far := range []time.Time{{}, time.Unix(-1, 0), time.UnixMilli(message.MaxTimestamp + 1), time.Unix(1<<62, 0)} {
		if got, err := message.Timestamp(far); err == nil {
			t.Errorf("%v is %d", far, got)
		}
	}
	for _, timestamp := range []int64{at.Unix(), at.UnixMilli()} {
		one := message.ErrorRes{MaintenanceEndTimestamp: message.Some(timestamp)}
		other := message.CommonErrorRes{MaintenanceEndTimestamp: message.Some(uint64(timestamp))}
		end, ok := one.MaintenanceEnd()
		if !ok || end.Unix() != at.Unix() {
			t.Error(end)
		}
		if end, ok = other.MaintenanceEnd(); !ok || end.Unix() != at.Unix() {
			t.Error(end)
		}
	}
	if _, ok := new(message.ErrorRes).MaintenanceEnd(); ok {
		t.Error("an end of nothing")
	}
}

func TestBars(t *testing.T) {
	m := message.Trendbar{Volume: 9, Low: message.Some[int64](100), DeltaOpen: message.Some[uint64](1), DeltaClose: message.Some[uint64](2),
		DeltaHigh: message.Some[uint64](5), UTCTimestampInMinutes: message.Some[uint32](1), Period: message.Some(message.TrendbarPeriodH1)}
	want := message.Bar{Open: 101, High: 105, Low: 100, Close: 102, Volume: 9, Time: time.Unix(60, 0).UTC(), Period: m.Period}
	if got, err := m.Bar(); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	m.Low = message.Some[int64](math.MinInt64)
	m.DeltaHigh = message.Some[uint64](math.MaxUint64)
	if got, err := m.Bar(); err != nil || got.High != math.MaxInt64 {
		t.Errorf("%+v, %v", got, err)
	}
	m.Low = message.Some[int64](math.MinInt64 + 1)
	if got, err := m.Bar(); err == nil {
		t.Errorf("%+v", got)
	}
	if got, err := new(message.Trendbar).Bar(); err == nil {
		t.Errorf("%+v", got)
	}
}

func TestTicks(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	list := []message.TickData{{Timestamp: 1000, Tick: 123000}, {Timestamp: -10, Tick: -5}, {Timestamp: 20, Tick: 7}}
	want := []message.Tick{{Time: at(1000), Price: 123000}, {Time: at(990), Price: 122995}, {Time: at(970), Price: 123002}}
	if got, err := message.Ticks(list, true); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	want[1].Price, want[2].Price = -5, 7
	if got, err := message.Ticks(list, false); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, list := range [][]message.TickData{
		{{Timestamp: 1, Tick: math.MaxInt64}, {Timestamp: 1, Tick: 1}},
		{{Timestamp: math.MinInt64}, {Timestamp: 1}},
		{{Timestamp: -2}, {Timestamp: math.MinInt64}},
	} {
		if got, err := message.Ticks(list, true); err == nil {
			t.Errorf("%v", got)
		}
	}
	if got, err := message.Ticks(nil, true); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
