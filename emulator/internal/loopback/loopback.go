// Package loopback knows the hosts that are this machine, which a made-up user
// visits and an admin endpoint answers.
package loopback

import "net"

// Host takes a host without port. "localhost" counts although it is a
// name, because registered redirect URIs use it.
func Host(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
