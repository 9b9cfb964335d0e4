//go:build !linux && !darwin

package agent

import "net"

// peer_other.go owns who connects, where nobody says so.

// credentials is not known here: the folder of the socket protects it.
func credentials(*net.UnixConn) (peer Peer, known bool, err error) { return Peer{}, false, nil }
