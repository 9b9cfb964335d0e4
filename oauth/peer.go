package oauth

import (
	"net"
	"net/http"
	"net/netip"
	"os"
)

// peer.go owns which user a connection belongs to, as far as the system says.

// peer is the user at the other end of a connection on this machine.
type peer struct {
	uid   int
	known bool
}

// peerOf returns the user who sent a request.
func peerOf(r *http.Request) peer {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return peer{}
	}
	ours, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return peer{}
	}
	theirs, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return peer{}
	}
	return whoConnects(theirs, ours)
}

// isOther reports whether p may not open an address. Allowed are this program's user, the
// user who logged in and became it (with sudo, as for a service), and root, which may act
// for anyone: what forwards a port into a virtual machine runs as root. An address that
// was only printed is for whoever it was shown to, if no login is known.
func (p peer) isOther(exposed bool, login peer) bool {
	return p.known && (exposed || login.known) && p.uid != 0 && p.uid != os.Geteuid() && p != login
}
