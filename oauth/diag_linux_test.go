package oauth

import (
	"net"
	"net/netip"
	"os"
	"testing"
)

// The question and the table agree on every kind of connection, and on none.
func TestWhoConnects(t *testing.T) {
	for _, row := range []struct{ name, network, listen, dial string }{
		{"IPv4", "tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"IPv6", "tcp6", "[::1]:0", "::1"},
		{"IPv4 to a socket for both", "tcp", "[::]:0", "127.0.0.1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			listener, err := net.Listen(row.network, row.listen)
			if err != nil {
				t.Skipf("not run from here on: this machine has no %s: %v", row.name, err)
			}
			defer listener.Close()
			_, port, _ := net.SplitHostPort(listener.Addr().String())
			theirs, err := net.Dial("tcp", net.JoinHostPort(row.dial, port))
			if err != nil {
				t.Fatal(err)
			}
			defer theirs.Close()
			ours, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			from, to := netip.MustParseAddrPort(ours.RemoteAddr().String()), netip.MustParseAddrPort(ours.LocalAddr().String())
			if uid, err := diagnose(from, to); err != nil || uid != os.Geteuid() {
				t.Errorf("the kernel names user %d, %v", uid, err)
			}
			if got, want := lookUp(from, to), (peer{os.Geteuid(), true}); got != want {
				t.Errorf("the table names %v", got)
			}
			nobodys := netip.AddrPortFrom(from.Addr(), from.Port()^1)
			if uid, err := diagnose(nobodys, to); err == nil {
				t.Errorf("a connection that is not there belongs to user %d", uid)
			}
			if got := whoConnects(nobodys, to); got.known {
				t.Errorf("a connection that is not there belongs to %v", got)
			}
			// A listening port is not a connection, whatever is asked from it.
			if uid, err := diagnose(netip.AddrPortFrom(to.Addr(), to.Port()), netip.AddrPortFrom(from.Addr(), 1)); err == nil {
				t.Errorf("a listener was taken for a connection of user %d", uid)
			}
		})
	}
}

// What the kernel has not sent, or sends of something else, names nobody.
func TestAnswersThatNameNobody(t *testing.T) {
	whole := make([]byte, 16+diagAnswer)
	whole[4], whole[17], whole[16+diagUser] = sockDiagByFamily, established, 7
	if uid, err := diagUserOf(whole); err != nil || uid != 7 {
		t.Fatal(uid, err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"cut short":     func(a []byte) []byte { return a[:len(a)-1] },
		"nothing":       func(a []byte) []byte { return nil },
		"an error":      func(a []byte) []byte { a[4] = 2; return a },
		"another state": func(a []byte) []byte { a[17] = 10; return a },
	} {
		if uid, err := diagUserOf(spoil(append([]byte(nil), whole...))); err == nil {
			t.Errorf("%s names user %d", name, uid)
		}
	}
}
