package oauth

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
	"time"
)

// diag_linux.go owns a question to the kernel about a single connection (sock_diag(7)).

// The kernel's names, as far as the syscall package has none.
const (
	netlinkSockDiag  = 4  // NETLINK_SOCK_DIAG
	sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	established      = 1  // TCP_ESTABLISHED
	anyCookie        = 1<<32 - 1

	// diagRequest is the length of a header and a struct inet_diag_req_v2.
	diagRequest = syscall.NLMSG_HDRLEN + 56
	// diagUser is where the user is in a struct inet_diag_msg, and diagAnswer its length.
	diagUser, diagAnswer = 64, 72
	// diagPatience is much longer than the kernel takes, which answers before sending returns.
	diagPatience = time.Second
)

var errNoDiag = errors.New("the kernel tells nothing of this connection")

// diagnose asks the kernel who owns the end at theirs of an established connection. It
// takes the same time however many connections there are, while a table of them is read
// as a whole. It fails where there is no such connection, and where the kernel or a
// sandbox does not answer such questions.
func diagnose(theirs, ours netip.AddrPort) (uid int, err error) {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(socket)
	patience := syscall.NsecToTimeval(diagPatience.Nanoseconds())
	if err := syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience); err != nil {
		return 0, err
	}
	kernel := &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}
	if err := syscall.Sendto(socket, diagQuestion(theirs, ours), 0, kernel); err != nil {
		return 0, err
	}
	answer := make([]byte, 4096)
	n, from, err := syscall.Recvfrom(socket, answer, 0)
	if err != nil {
		return 0, err
	}
	if sender, ok := from.(*syscall.SockaddrNetlink); !ok || sender.Pid != 0 { // any program can send to a netlink socket
		return 0, errNoDiag
	}
	return diagUserOf(answer[:n])
}

// diagQuestion returns the request for one connection, as the owner of theirs sees it.
func diagQuestion(theirs, ours netip.AddrPort) []byte {
	family := byte(syscall.AF_INET)
	if theirs.Addr().Is6() {
		family = syscall.AF_INET6
	}
	native := binary.NativeEndian
	q := make([]byte, 0, diagRequest)
	q = native.AppendUint32(q, diagRequest)
	q = native.AppendUint16(q, sockDiagByFamily)
	q = native.AppendUint16(q, syscall.NLM_F_REQUEST)
	q = append(q, make([]byte, 8)...) // sequence and sender
	q = append(q, family, syscall.IPPROTO_TCP, 0, 0)
	q = native.AppendUint32(q, 1<<established)
	q = binary.BigEndian.AppendUint16(q, theirs.Port())
	q = binary.BigEndian.AppendUint16(q, ours.Port())
	for _, end := range []netip.AddrPort{theirs, ours} {
		var address [16]byte
		copy(address[:], end.Addr().AsSlice())
		q = append(q, address[:]...)
	}
	q = native.AppendUint32(q, 0) // any interface
	q = native.AppendUint32(q, anyCookie)
	return native.AppendUint32(q, anyCookie)
}

// diagUserOf reads the owner of an established connection from an answer.
func diagUserOf(answer []byte) (uid int, err error) {
	const message = syscall.NLMSG_HDRLEN
	if len(answer) < message+diagAnswer || binary.NativeEndian.Uint16(answer[4:]) != sockDiagByFamily || answer[message+1] != established {
		return 0, errNoDiag
	}
	return int(binary.NativeEndian.Uint32(answer[message+diagUser:])), nil
}
