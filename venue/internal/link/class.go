package link

import (
	"errors"

	"github.com/venuekey/venuekey"
)

// class.go owns what the class of a connection's error says, whatever caused it.

// ClassOf returns the class of the outermost error that has one, such as an Error of a
// client, even if its cause is a *venuekey.Error with another, which venuekey.ClassOf would
// prefer. An error without a class is venuekey.ClassUnknown.
func ClassOf(err error) venuekey.Class {
	var classed interface{ ErrorClass() venuekey.Class }
	if errors.As(err, &classed) {
		return classed.ErrorClass()
	}
	return venuekey.ClassUnknown
}

// Final reports whether only a person can help.
func Final(err error) bool {
	class := ClassOf(err)
	return class == venuekey.ClassRefused || class == venuekey.ClassMisconfigured
}
