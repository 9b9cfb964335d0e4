// Package loopback recognises the hosts that are this machine: traffic to them cannot be
// read on the way and reaches no other machine.
package loopback

import "net/netip"

// Host reports whether a host, without port, is a loopback address. "localhost" counts
// although it is a name, because registered redirect URIs use it.
func Host(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
