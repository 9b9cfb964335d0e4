package venuekey

import "errors"

// about.go owns filling in what an error is about, for whoever hands it on.

// About says of an *Error what it is about and what was being done, if it does not
// say so itself, on a copy. Every other error is returned as it is.
func About(id ID, op string, err error) error {
	var known *Error
	if !errors.As(err, &known) {
		return err
	}
	named := *known
	if named.ID.IsZero() {
		named.ID = id
	}
	if named.Op == "" {
		named.Op = op
	}
	return &named
}
