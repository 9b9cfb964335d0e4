package agent

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// crowd.go owns how many connections are open at once. A further one waits for its turn in the
// kernel's queue.

const (
	// mostConnections is how many there may be through a socket, and mostElsewhere through any other
	// listener, where whoever has no token holds one for seconds all the same.
	mostConnections, mostElsewhere = 1 << 14, 1 << 12
	// keptFiles is how many descriptors are left for everything else: the vault, its spills, the audit
	// log, the connections to venues.
	keptFiles = 256
	// oneOf is the part of a listener's connections that one address may have.
	oneOf = 4
)

// crowd is the connections of a server. The zero value is ready to use.
type crowd struct{ open sync.Map } // net.Conn to *bounded

// changed is http.Server.ConnState. Connections are counted by it and not in a type of their own,
// because net/http looks for a *tls.Conn. Whoever takes a connection over counts it from then on.
func (o *crowd) changed(c net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	if of, ok := o.open.LoadAndDelete(c); ok {
		of.(*bounded).gone(c)
	}
}

// limited is a listener of which some connections are open at most, as few as a process with so many
// files can have beside its work.
func (o *crowd) limited(l net.Listener, files int) net.Listener {
	room := max(files-keptFiles, files/oneOf)
	most := min(mostConnections, room-room/oneOf)
	b := &bounded{Listener: l, crowd: o, closed: make(chan struct{})}
	if l.Addr().Network() != "unix" {
		most = min(mostElsewhere, room/oneOf)
		b.each, b.of = max(most/oneOf, 1), map[netip.Addr]int{}
	}
	b.room = make(chan struct{}, max(most, 1))
	return b
}

// bounded is that listener.
type bounded struct {
	net.Listener
	crowd  *crowd
	room   chan struct{}
	each   int // how many one address may have; 0 for any number
	closed chan struct{}
	once   sync.Once

	mu sync.Mutex
	of map[netip.Addr]int
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		select {
		case b.room <- struct{}{}:
		case <-b.closed:
			return nil, net.ErrClosed
		}
		c, err := b.Listener.Accept()
		if err != nil {
			<-b.room
			return nil, err
		}
		if b.come(c) {
			b.crowd.open.Store(c, b)
			return c, nil
		}
		_ = c.Close()
		<-b.room
	}
}

// come counts a connection of an address. It is false if that has as many as it may.
func (b *bounded) come(c net.Conn) bool {
	if b.each == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	from := addressOf(c)
	if b.of[from] >= b.each {
		return false
	}
	b.of[from]++
	return true
}

// gone gives the place of a connection to the next.
func (b *bounded) gone(c net.Conn) {
	if b.each > 0 {
		b.mu.Lock()
		from := addressOf(c)
		if b.of[from]--; b.of[from] == 0 {
			delete(b.of, from)
		}
		b.mu.Unlock()
	}
	<-b.room
}

// addressOf is whence a connection comes. In IPv6 one host has all of a network of 64 bits.
func addressOf(c net.Conn) netip.Addr {
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	address := from.Addr().Unmap().WithZone("")
	if network, err := address.Prefix(64); err == nil && address.Is6() {
		return network.Addr()
	}
	return address
}

// Close implements net.Listener.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}
