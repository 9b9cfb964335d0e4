//go:build !windows

package oauth

import (
	"errors"
	"syscall"
)

// isNoSuchAddress reports whether this machine lacks the address family.
func isNoSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
