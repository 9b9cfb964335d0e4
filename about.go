package venuekey

import "errors"

// about.go owns filling in the ID and the operation of an error on its way to the
// caller.

// About returns a copy of the *Error in err with its ID and Op filled in where they
// are empty. Any other error, and nil, is returned unchanged.
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
