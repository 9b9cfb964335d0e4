package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/venuekey/venuekey/internal/foreign"
)

// dial.go owns the client's way to a server: a connection, TLS and the server's
// certificate.

// Endpoint is where a server is and how it is reached.
type Endpoint struct {
	// Address is host:port.
	Address string
	// WebSocket takes the place of frames. Both run over TLS.
	WebSocket bool
	// TLS is how the server is verified; nil is the system's roots and the host
	// of Address. An empty ServerName and an unset MinVersion are filled in, the
	// latter with TLS 1.2.
	TLS *tls.Config
	// Dial makes the connection below TLS; nil is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial connects and verifies the server. The context ends that, and nothing later.
func Dial(ctx context.Context, e Endpoint, o Options) (*Conn, error) {
	c, err := dial(ctx, e, o)
	if err != nil {
		return nil, foreign.Error(err)
	}
	return c, nil
}

func dial(ctx context.Context, e Endpoint, o Options) (*Conn, error) {
	if e.WebSocket {
		return dialWebSocket(ctx, e, o)
	}
	nc, err := e.dialTLS(ctx)
	if err != nil {
		return nil, err
	}
	return New(nc, o), nil
}

func (e Endpoint) dialTLS(ctx context.Context) (net.Conn, error) {
	dial := e.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", e.Address)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(nc, e.tlsConfig())
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, handshakeError(err)
	}
	return secured, nil
}

func (e Endpoint) tlsConfig() *tls.Config {
	config := &tls.Config{}
	if e.TLS != nil {
		config = e.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(e.Address)
	}
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	return config
}

func handshakeError(err error) error {
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, new(tls.RecordHeaderError)):
		return errors.New("the server does not speak TLS")
	case errors.As(err, &verification):
		return fmt.Errorf("the server's certificate does not verify: %w", verification.Err)
	case errors.As(err, new(x509.HostnameError)), errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("the server's certificate does not verify: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server closed the connection during the TLS handshake")
	}
	return fmt.Errorf("TLS handshake: %w", err)
}
