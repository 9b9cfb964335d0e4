package agent

import (
	"net"

	"golang.org/x/sys/unix"
)

// peer_linux.go owns who connects, on Linux.

// credentials asks who made a connection (unix(7), SO_PEERCRED).
func credentials(c *net.UnixConn) (peer Peer, known bool, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, false, err
	}
	var said *unix.Ucred
	asked := raw.Control(func(fd uintptr) { said, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if asked != nil || err != nil {
		return Peer{}, false, orElse(asked, err)
	}
	return Peer{UID: int(said.Uid), PID: int(said.Pid)}, true, nil
}

func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
