package openapi

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// listen.go owns the ports: listening, TLS, and distinguishing WebSocket from TCP.

const shakeHands = 10 * time.Second

// Start listens on all four ports and returns; Close ends that. It can be called once.
func (s *Server) Start() error {
	s.begin()
	s.certify()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.listeners) > 0 {
		return errors.New("openapi: server was started before")
	}
	for _, port := range []struct {
		want       string
		is         *string
		live, json bool
	}{
		{s.Listen.LiveProtobuf, &s.addresses.LiveProtobuf, true, false},
		{s.Listen.LiveJSON, &s.addresses.LiveJSON, true, true},
		{s.Listen.DemoProtobuf, &s.addresses.DemoProtobuf, false, false},
		{s.Listen.DemoJSON, &s.addresses.DemoJSON, false, true},
	} {
		l, err := net.Listen("tcp", cmp.Or(port.want, "127.0.0.1:0"))
		if err != nil {
			for _, open := range s.listeners {
				open.Close()
			}
			s.listeners = nil
			return err
		}
		s.listeners = append(s.listeners, l)
		*port.is = l.Addr().String()
		s.running.Go(func() { s.accept(l, port.live, port.json) })
	}
	return nil
}

func (s *Server) accept(l net.Listener, live, json bool) {
	secure := s.certify().Config()
	for {
		raw, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of files, most likely
			continue
		}
		if !s.hold(raw) {
			return
		}
		go func() {
			defer s.release(raw)
			stream := tls.Server(raw, secure)
			ctx, cancel := context.WithTimeout(context.Background(), shakeHands)
			defer cancel()
			if stream.HandshakeContext(ctx) == nil {
				s.serve(stream, live, json)
			}
		}()
	}
}

// ServeConn serves a connection until it ends. It adds no TLS: the connection has none, or
// has it already. Start is not required.
func (s *Server) ServeConn(stream net.Conn, live, json bool) {
	s.begin()
	if s.hold(stream) {
		defer s.release(stream)
		s.serve(stream, live, json)
	}
}

// hold registers a stream for Close, unless the server is already closed.
func (s *Server) hold(stream net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		stream.Close()
		return false
	}
	s.running.Add(1)
	s.streams[stream] = true
	return true
}

func (s *Server) release(stream net.Conn) {
	stream.Close()
	s.mu.Lock()
	delete(s.streams, stream)
	s.mu.Unlock()
	s.running.Done()
}

// serve recognises WebSocket by the first bytes: no message has the length that "GET " would
// mean.
func (s *Server) serve(raw net.Conn, live, json bool) {
	c := &conn{s: s, stream: &stream{Conn: raw}, out: newOutbox(), live: live, json: json, accounts: make(map[int64]*session)}
	c.open()
	defer c.close()
	k := s.knobs()
	if k.Unauthenticated > 0 {
		c.stream.SetReadDeadline(time.Now().Add(k.Unauthenticated))
	}
	in := bufio.NewReader(c.stream)
	first, err := in.Peek(4)
	if err != nil {
		return
	}
	switch {
	case string(first) == "GET ":
		c.wire, err = upgrade(c.stream, in, c)
	case json:
		c.wire = jsonWire(k.JSONFraming, c.stream, in)
	default:
		c.wire = &frameWire{stream: c.stream, in: in}
	}
	c.stream.SetReadDeadline(time.Time{})
	if err == nil {
		c.serve()
	}
}
