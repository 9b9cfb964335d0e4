//go:build !windows

package oauth

import (
	"errors"
	"syscall"
)

// nosuchaddress_unix.go owns the errors for an address that this machine does not have.

// isNoSuchAddress reports whether this machine lacks the address family.
func isNoSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
