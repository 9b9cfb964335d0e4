package agent

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
)

// peer.go owns who is at the other end of a connection, by the kernel's word.

type peerKey struct{}

// Peer is who made a connection. The number of the process is no proof of which program it is:
// it may have ended, and another may have its number.
type Peer struct{ UID, PID int }

// PeerOf returns who made the connection of a request that came through Serve.
func PeerOf(ctx context.Context) (Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(seen)
	return p.Peer, ok && p.known
}

// ThroughSocket reports whether a request came through a Unix socket of Serve, to which only this
// user's programs connect. Whoever comes another way has to say who they are.
func ThroughSocket(ctx context.Context) bool {
	s, ok := ctx.Value(peerKey{}).(seen)
	return ok && s.socket && s.wrong == nil
}

// seen is how a connection came, a Peer if the kernel says which, and what follows from it.
type seen struct {
	Peer
	socket, known bool
	wrong         *venuekey.Error
}

// withPeer notes who made a connection, and that they get no answer unless they are this user.
func withPeer(ctx context.Context, c net.Conn, user int) context.Context {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return context.WithValue(ctx, peerKey{}, seen{})
	}
	peer, known, err := credentials(socket)
	s := seen{Peer: peer, known: known, socket: true}
	switch {
	case err != nil:
		s.wrong = &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "the kernel does not say who connects: " + err.Error()}
	case known && peer.UID != user:
		s.wrong = &venuekey.Error{Class: venuekey.ClassDeclined,
			Reason: fmt.Sprintf("this agent answers user %d only, and user %d asked; root too asks as the user: sudo -u '#%d' venuekey …", user, peer.UID, user)}
	}
	return context.WithValue(ctx, peerKey{}, s)
}

// peerIn is the error for a request of another user.
func peerIn(ctx context.Context) *venuekey.Error {
	s, _ := ctx.Value(peerKey{}).(seen)
	return s.wrong
}

// strangersSocket is the error of a connection to a socket on which neither this user nor root, such as
// systemd, has begun to listen.
func strangersSocket(c *net.UnixConn, path string) *venuekey.Error {
	peer, known, err := credentials(c)
	if err != nil || !known || own.Trusts(peer.UID) {
		return nil
	}
	return &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Reason: fmt.Sprintf("user %d listens at %s, and this is user %d", peer.UID, path, os.Geteuid()),
		Remedy: fmt.Sprintf("unset VENUEKEY_AGENT_SOCKET, or ask as the user whose agent it is: sudo -u '#%d' venuekey …", peer.UID)}
}
