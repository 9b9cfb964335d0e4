package message

// units.go owns the numbers that have a unit: text in and out, exactly, with no
// floating point in between.

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

const (
	// PriceDigits is the decimal places of prices that are whole numbers:
	// 123000 is 1.23. Orders and positions carry prices as doubles instead;
	// each field says which.
	PriceDigits = 5
	// VolumeDigits is the decimal places of volumes: 1000 is 10 units. What a
	// lot is, Symbol.LotSize says, in the same hundredths.
	VolumeDigits = 2
	// MaxTimestamp is the latest time that requests take, in milliseconds.
	MaxTimestamp = 2147483646000

	// mostDigits is how many decimal places 64 bits can have.
	mostDigits = 19
)

// UnitError is a text or a number that cannot be converted exactly.
type UnitError struct{ Text, Reason string }

// Error implements error.
func (e *UnitError) Error() string {
	return "number " + strconv.Quote(shortened(e.Text)) + " " + e.Reason
}

// FormatPrice writes a price of 1/100000: 123000 is "1.23".
func FormatPrice[T int64 | uint64](price T) string {
	return trimmed(decimal(price, PriceDigits))
}

// ParsePrice reads a price into 1/100000: "1.23" is 123000. More than five
// decimal places are an error unless they are zeros.
func ParsePrice(text string) (int64, error) { return parseDecimal(text, PriceDigits) }

// FormatVolume writes a volume of 1/100 units: 1000 is "10".
func FormatVolume[T int64 | uint64](volume T) string {
	return trimmed(decimal(volume, VolumeDigits))
}

// ParseVolume reads a volume into 1/100 units: "10" is 1000.
func ParseVolume(text string) (int64, error) { return parseDecimal(text, VolumeDigits) }

// FormatMoney writes an amount with as many decimal places as moneyDigits
// says, all of them: 10053 with 2 is "100.53".
func FormatMoney[T int64 | uint64](amount T, moneyDigits uint32) string {
	return decimal(amount, moneyDigits)
}

// ParseMoney reads an amount: "100.53" with 2 is 10053.
func ParseMoney(text string, moneyDigits uint32) (int64, error) {
	return parseDecimal(text, moneyDigits)
}

// Time is the time of a field in milliseconds, in UTC.
func Time(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// Timestamp is a time in milliseconds as requests take it: from 1970 to
// MaxTimestamp, which is in 2038. Parts of a millisecond are dropped.
func Timestamp(t time.Time) (int64, error) {
	// Compared as times: the milliseconds of a far year overflow.
	if t.Before(time.UnixMilli(0)) || t.After(time.UnixMilli(MaxTimestamp)) {
		return 0, &UnitError{t.UTC().Format(time.RFC3339), "is a time that requests do not take"}
	}
	return t.UnixMilli(), nil
}

// maintenanceEnd reads a time that is in seconds by one comment and in
// milliseconds by another. Seconds reach the limit between them in the year
// 5138, milliseconds had passed it in 1973.
func maintenanceEnd(timestamp int64) time.Time {
	if timestamp < 1e11 {
		return time.Unix(timestamp, 0).UTC()
	}
	return Time(timestamp)
}

// MaintenanceEnd is when the maintenance that caused the error ends, if the
// service says so.
func (m *ErrorRes) MaintenanceEnd() (time.Time, bool) {
	timestamp, ok := m.MaintenanceEndTimestamp.Get()
	if !ok || timestamp <= 0 {
		return time.Time{}, false
	}
	return maintenanceEnd(timestamp), true
}

// MaintenanceEnd is when the maintenance that caused the error ends, if the
// service says so.
func (m *CommonErrorRes) MaintenanceEnd() (time.Time, bool) {
	timestamp, ok := m.MaintenanceEndTimestamp.Get()
	if !ok || timestamp == 0 || timestamp > math.MaxInt64 {
		return time.Time{}, false
	}
	return maintenanceEnd(int64(timestamp)), true
}

// decimal writes value / 10^places in full. Beyond what 64 bits can have as
// places it writes an exponent: the places come off the wire.
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
		return -uint64(value) // right for the smallest one too
	}
	return uint64(value)
}

func trimmed(text string) string {
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// parseDecimal reads text * 10^places, if that is a whole number of 64 bits.
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

// scaled is the number of the digits times 10^zeros, and whether it fits.
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
