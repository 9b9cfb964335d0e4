// Package loopback knows the hosts that are this machine: what is sent there nobody on
// the way can read, and nobody else's machine is asked.
package loopback

import "net/netip"

// Host takes a host without port. "localhost" counts although it is a name, because
// registered redirect URIs use it.
func Host(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
