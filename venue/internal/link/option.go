package link

import "time"

// option.go owns the defaults of a connection's options.

// OrElse returns the value of an option, or its default if the value is not positive.
func OrElse[T int | float64 | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}
