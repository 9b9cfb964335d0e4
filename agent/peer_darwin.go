package agent

import (
	"net"

	"golang.org/x/sys/unix"
)

// peer_darwin.go owns who connects, on macOS.

// credentials asks who made a connection (unix(4) of macOS, LOCAL_PEERCRED and LOCAL_PEERPID).
func credentials(c *net.UnixConn) (peer Peer, known bool, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, false, err
	}
	var said *unix.Xucred
	pid := 0
	asked := raw.Control(func(fd uintptr) {
		if said, err = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED); err == nil {
			pid, _ = unix.GetsockoptInt(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERPID)
		}
	})
	if asked != nil {
		return Peer{}, false, asked
	}
	if err != nil {
		return Peer{}, false, err
	}
	return Peer{UID: int(said.Uid), PID: pid}, true, nil
}
