package message

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// units.go owns the conversion between text and numbers that have a unit, exactly and
// without floating point.

const (
	// PriceDigits is the number of decimal places of prices that are integers: 123000
	// means 1.23. Orders and positions have prices as float64 instead; the comment of
	// each field says which.
	PriceDigits = 5
	// VolumeDigits is the number of decimal places of volumes: 1000 means 10 units.
	// Symbol.LotSize is the size of a lot, in the same hundredths.
	VolumeDigits = 2
	// MaxTimestamp is the latest time that requests accept, in Unix milliseconds.
	MaxTimestamp = 2147483646000

	// mostDigits is the most decimal places that 64 bits can have.
	mostDigits = 19
)

// UnitError reports a text or a number that cannot be converted exactly.
type UnitError struct{ Text, Reason string }

// Error implements error.
func (e *UnitError) Error() string {
	return "number " + strconv.Quote(shortened(e.Text)) + " " + e.Reason
}

// FormatPrice formats a price in 1/100000, without trailing zeros: 123000 becomes "1.23".
func FormatPrice[T int64 | uint64](price T) string {
	return trimmed(decimal(price, PriceDigits))
}

// ParsePrice parses a price into 1/100000: "1.23" becomes 123000. More than five decimal
// places are an error unless they are zeros. The error is a *UnitError.
func ParsePrice(text string) (int64, error) { return parseDecimal(text, PriceDigits) }

// FormatVolume formats a volume in 1/100 of a unit, without trailing zeros: 1000 becomes
// "10".
func FormatVolume[T int64 | uint64](volume T) string {
	return trimmed(decimal(volume, VolumeDigits))
}

// ParseVolume parses a volume into 1/100 of a unit: "10" becomes 1000. More than two
// decimal places are an error unless they are zeros. The error is a *UnitError.
func ParseVolume(text string) (int64, error) { return parseDecimal(text, VolumeDigits) }

// FormatMoney formats an amount with moneyDigits decimal places: 10053 with 2 becomes
// "100.53". The message that has the amount, or the one around it, has moneyDigits.
func FormatMoney[T int64 | uint64](amount T, moneyDigits uint32) string {
	return decimal(amount, moneyDigits)
}

// ParseMoney parses an amount with up to moneyDigits decimal places: "100.53" with 2
// becomes 10053. The error is a *UnitError.
func ParseMoney(text string, moneyDigits uint32) (int64, error) {
	return parseDecimal(text, moneyDigits)
}

// Time converts Unix milliseconds to a time in UTC.
func Time(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// Timestamp converts a time to Unix milliseconds in the range that requests accept, from
// 1970 to MaxTimestamp, which is in 2038. Fractions of a millisecond are dropped. The
// error is a *UnitError.
func Timestamp(t time.Time) (int64, error) {
	// Compared as times: the milliseconds of a distant year overflow.
	if t.Before(time.UnixMilli(0)) || t.After(time.UnixMilli(MaxTimestamp)) {
		return 0, &UnitError{t.UTC().Format(time.RFC3339), "is a time that requests do not accept"}
	}
	return t.UnixMilli(), nil
}

// maintenanceEnd converts a time that one published comment states in seconds and another
// in milliseconds. Seconds reach the threshold in the year 5138; milliseconds passed it
// in 1973.
func maintenanceEnd(timestamp int64) time.Time {
	if timestamp < 1e11 {
		return time.Unix(timestamp, 0).UTC()
	}
	return Time(timestamp)
}

// MaintenanceEnd returns when the maintenance that caused the error ends, and whether the
// service said so.
func (m *ErrorRes) MaintenanceEnd() (time.Time, bool) {
	timestamp, ok := m.MaintenanceEndTimestamp.Get()
	if !ok || timestamp <= 0 {
		return time.Time{}, false
	}
	return maintenanceEnd(timestamp), true
}

// MaintenanceEnd returns when the maintenance that caused the error ends, and whether the
// service said so.
func (m *CommonErrorRes) MaintenanceEnd() (time.Time, bool) {
	timestamp, ok := m.MaintenanceEndTimestamp.Get()
	if !ok || timestamp == 0 || timestamp > math.MaxInt64 {
		return time.Time{}, false
	}
	return maintenanceEnd(int64(timestamp)), true
}

// decimal formats value / 10^places with all its places. Above mostDigits it writes an
// exponent instead, since places may come from the wire.
func decimal[T int64 | uint64](value T, places uint32) string {
	digits, sign := strconv.FormatUint(magnitude(value), 10), ""
	if value < 0 {
		sign = "-"
	}
	if places == 0 {
		return sign + digits
	}
	if places > mostDigits {
		return sign + digits + "e-" + strconv.FormatUint(uint64(places), 10)
	}
	if short := int(places) + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	point := len(digits) - int(places)
	return sign + digits[:point] + "." + digits[point:]
}

func magnitude[T int64 | uint64](value T) uint64 {
	if value < 0 {
		return -uint64(value) // correct for the smallest one too
	}
	return uint64(value)
}

func trimmed(text string) string {
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// parseDecimal returns text * 10^places, if that is an integer that fits in 64 bits.
func parseDecimal(text string, places uint32) (int64, error) {
	unsigned, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(unsigned, ".")
	if !allDigits(whole) || point && !allDigits(fraction) {
		return 0, &UnitError{text, "is not a decimal number"}
	}
	fraction = strings.TrimRight(fraction, "0")
	if uint64(len(fraction)) > uint64(places) {
		return 0, &UnitError{text, "has more than " + strconv.FormatUint(uint64(places), 10) + " decimal places"}
	}
	value, ok := scaled(whole+fraction, int(min(places, math.MaxInt32))-len(fraction))
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if !ok || value > limit {
		return 0, &UnitError{text, "is too large"}
	}
	if negative {
		return -int64(value), nil
	}
	return int64(value), nil
}

func allDigits(text string) bool {
	return text != "" && digits([]byte(text)) == len(text)
}

// scaled returns the number that digits spell, times 10^zeros, and whether it fits.
func scaled(digits string, zeros int) (value uint64, ok bool) {
	value, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || value == 0 {
		return value, err == nil
	}
	for range zeros {
		high, low := bits.Mul64(value, 10)
		if high != 0 {
			return 0, false
		}
		value = low
	}
	return value, true
}
