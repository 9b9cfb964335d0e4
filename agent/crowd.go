package agent

import (
	"net"
	"net/http"
	"sync"
)

// crowd.go owns how many connections are open at once.

// crowd is the connections of a server. The zero value is ready to use.
type crowd struct{ open sync.Map } // net.Conn to *bounded

// changed is http.Server.ConnState. Connections are counted by it and not in a type of their own,
// because net/http looks for a *tls.Conn. Whoever takes a connection over counts it from then on.
func (o *crowd) changed(c net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	if of, ok := o.open.LoadAndDelete(c); ok {
		<-of.(*bounded).room
	}
}

// limited is a listener of which some connections are open at most.
func (o *crowd) limited(l net.Listener, most int) net.Listener {
	return &bounded{Listener: l, crowd: o, room: make(chan struct{}, most), closed: make(chan struct{})}
}

type bounded struct {
	net.Listener
	crowd  *crowd
	room   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (b *bounded) Accept() (net.Conn, error) {
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
	b.crowd.open.Store(c, b)
	return c, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}
