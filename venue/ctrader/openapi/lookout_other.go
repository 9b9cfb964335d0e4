//go:build !linux

package openapi

import "net"

// lookout_other.go owns systems on which a connection cannot be watched.

// watchSocket is implemented for Linux only.
func watchSocket(nc net.Conn) (net.Conn, watch) { return nc, nil }
