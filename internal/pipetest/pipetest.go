// Package pipetest is a network in memory for tests: what waits on it waits in the
// virtual time of testing/synctest.
package pipetest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Listener is a net.Listener that Dial reaches. New makes one.
type Listener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

// New is a Listener that is open.
func New() *Listener { return &Listener{conns: make(chan net.Conn), done: make(chan struct{})} }

// Dial connects from 127.0.0.1.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return l.From("127.0.0.1")(ctx, "", "")
}

// From is Dial from another address.
func (l *Listener) From(ip string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := Pipe()
		theirs.remote = &net.TCPAddr{IP: net.ParseIP(ip), Port: 40000}
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-l.done:
			return nil, errors.New("pipetest: connection refused")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *Listener) Close() error { l.once.Do(func() { close(l.done) }); return nil }

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return local() }

func local() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// Conn is one end of a connection with room: what is written need not be read at once.
type Conn struct {
	in, out *half
	remote  net.Addr
}

// Pipe is both ends of a connection.
func Pipe() (*Conn, *Conn) {
	a, b := newHalf(), newHalf()
	return &Conn{in: a, out: b, remote: local()}, &Conn{in: b, out: a, remote: local()}
}

// Freeze has whatever is written from now on, at either end, arrive nowhere: a line that
// is dead and does not say so.
func (c *Conn) Freeze() {
	for _, h := range []*half{c.in, c.out} {
		h.mu.Lock()
		h.frozen = true
		h.mu.Unlock()
	}
}

// half is what goes one way.
type half struct {
	mu     sync.Mutex
	moved  *sync.Cond
	bytes  []byte
	closed bool
	frozen bool
	due    time.Time // when a read is called off
	alarm  *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.moved = sync.NewCond(&h.mu)
	return h
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	h := c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.bytes) == 0 && len(b) > 0 {
		switch {
		case h.closed:
			return 0, io.EOF
		case !h.due.IsZero() && !time.Now().Before(h.due):
			return 0, os.ErrDeadlineExceeded
		}
		h.moved.Wait()
	}
	n := copy(b, h.bytes)
	h.bytes = h.bytes[n:]
	return n, nil
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) {
	h := c.out
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, errors.New("pipetest: broken pipe")
	}
	if !h.frozen {
		h.bytes = append(h.bytes, b...)
		h.moved.Broadcast()
	}
	return len(b), nil
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	for _, h := range []*half{c.in, c.out} {
		h.mu.Lock()
		h.closed = true
		if h.alarm != nil {
			h.alarm.Stop()
		}
		h.moved.Broadcast()
		h.mu.Unlock()
	}
	return nil
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return local() }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn; writes never wait.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	h := c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.alarm != nil {
		h.alarm.Stop()
		h.alarm = nil
	}
	h.due = t
	if !t.IsZero() {
		h.alarm = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.moved.Broadcast()
		})
	}
	h.moved.Broadcast()
	return nil
}
