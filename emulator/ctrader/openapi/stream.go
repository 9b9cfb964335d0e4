package openapi

import (
	"crypto/tls"
	"net"
	"sync"
)

// stream.go owns the outgoing bytes of a connection, and what faults can do to them.

// stream is a connection whose writes can be made to go wrong.
type stream struct {
	net.Conn

	mu      sync.Mutex
	oneByte bool
	cut     bool // after left more bytes the connection closes
	left    int
	holding bool // what is written is held back
	held    []byte
}

// Write writes, or does what a fault demands.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holding {
		s.held = append(s.held, p...)
		return len(p), nil
	}
	out := append(s.held, p...)
	s.held = nil
	return len(p), s.put(out)
}

func (s *stream) put(out []byte) error {
	if s.cut && len(out) >= s.left {
		s.write(out[:s.left])
		s.abort()
		return net.ErrClosed
	}
	if s.cut {
		s.left -= len(out)
	}
	return s.write(out)
}

func (s *stream) write(out []byte) error {
	step := max(len(out), 1)
	if s.oneByte {
		step = 1
	}
	for len(out) > 0 {
		n := min(step, len(out))
		if _, err := s.Conn.Write(out[:n]); err != nil {
			return err
		}
		out = out[n:]
	}
	return nil
}

func (s *stream) order(change func(*stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// closeWrite closes the sending side only, if the connection can do that.
func (s *stream) closeWrite() error {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return s.Conn.Close()
}

// abort closes without the closing alert of TLS.
func (s *stream) abort() {
	if secure, ok := s.Conn.(*tls.Conn); ok {
		secure.NetConn().Close()
		return
	}
	s.Conn.Close()
}
