package oauth

import (
	"errors"
	"syscall"
)

// nosuchaddress_windows.go owns Windows' errors for an address that this machine does not
// have.

// isNoSuchAddress reports whether this machine lacks the address family; the
// numbers are WSAEADDRNOTAVAIL and WSAEAFNOSUPPORT.
func isNoSuchAddress(err error) bool {
	return errors.Is(err, syscall.Errno(10049)) || errors.Is(err, syscall.Errno(10047))
}
