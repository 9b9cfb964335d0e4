package oauth

import (
	"net"
	"net/http"
	"net/netip"
	"os"
)

// peer.go owns whose a connection is, as far as the system says.

// peer is the user at the other end of a connection on this machine.
type peer struct {
	uid   int
	known bool
}

// peerOf asks for the user who sent a request.
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

// isOther says that it is none of those who may open an address: this program's user,
// whoever logged in and became this user (by sudo, as for a service), and root, who can
// be anybody: what forwards a port into a virtual machine runs as root. An address that
// was only printed is for whoever it was shown to, if nobody logged in.
func (p peer) isOther(exposed bool, login peer) bool {
	return p.known && (exposed || login.known) && p.uid != 0 && p.uid != os.Geteuid() && p != login
}
