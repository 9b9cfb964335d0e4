package oauth

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// peer_linux.go owns what the kernel says of a peer.

// peerLooks is how often the table is read until a row is found: a row may be skipped
// while others come and go.
const peerLooks = 3

// whoConnects returns the user of a connection, which the kernel knows if its other end
// is on this machine and in this network namespace. Otherwise the user is unknown.
func whoConnects(theirs, ours netip.AddrPort) peer {
	if uid, err := diagnose(theirs, ours); err == nil {
		return peer{uid, !unmapped(uid)}
	}
	return lookUp(theirs, ours)
}

// lookUp returns the user of a connection from the kernel's table (proc_net_tcp), which
// every kernel has.
func lookUp(theirs, ours netip.AddrPort) peer {
	row := " " + inTable(theirs) + " " + inTable(ours) + " 01 " // 01 is TCP_ESTABLISHED: a closed one is nobody's
	mapped := " " + inTable(wide(theirs)) + " " + inTable(wide(ours)) + " 01 "
	for range peerLooks {
		for _, table := range []struct{ path, row string }{{"/proc/net/tcp", row}, {"/proc/net/tcp6", row}, {"/proc/net/tcp6", mapped}} {
			if uid, ok := userOf(table.path, table.row); ok {
				return peer{uid, !unmapped(uid)}
			}
		}
	}
	return peer{}
}

// wide returns an IPv4 address as an IPv6 socket shows it.
func wide(at netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(at.Addr().As16()), at.Port())
}

// whoLoggedIn returns the user who logged in to the session that this program runs in,
// even if that user has become another since. Services and containers have none
// (pam_loginuid(8)).
func whoLoggedIn() peer {
	const nobody = 1<<32 - 1
	text, err := os.ReadFile("/proc/self/loginuid")
	uid, notNumber := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil || notNumber != nil || uid == nobody {
		return peer{}
	}
	return peer{int(uid), true}
}

// inTable formats an address as the table does: in words of the machine's byte order.
func inTable(at netip.AddrPort) string {
	bytes, text := at.Addr().AsSlice(), ""
	for ; len(bytes) >= 4; bytes = bytes[4:] {
		text += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(bytes))
	}
	return fmt.Sprintf("%s:%04X", text, at.Port())
}

// mostTable is enough for more than a million connections.
const mostTable = 256 << 20

func userOf(path, row string) (uid int, ok bool) {
	file, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	for lines := bufio.NewScanner(io.LimitReader(file, mostTable)); lines.Scan(); {
		_, rest, found := strings.Cut(lines.Text(), row)
		if !found {
			continue
		}
		// tx_queue:rx_queue tr:tm->when retrnsmt uid
		if fields := strings.Fields(rest); len(fields) > 3 {
			uid, err := strconv.Atoi(fields[3])
			return uid, err == nil
		}
	}
	return 0, false
}

// unmapped reports whether the uid may stand for any user: inside a container it is shown
// for all users that the container does not know (user_namespaces(7)).
func unmapped(uid int) bool {
	const overflow, all = 65534, "0 0 4294967295"
	users, err := os.ReadFile("/proc/self/uid_map")
	return uid == overflow && (err != nil || strings.Join(strings.Fields(string(users)), " ") != all)
}
