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

// dial.go owns connecting to a server: the connection, TLS and the server's certificate.

// Endpoint says where a server is and how to connect to it.
type Endpoint struct {
	// Address is host:port. The port is required.
	Address string
	// WebSocket selects WebSocket messages instead of frames. Both run over TLS.
	WebSocket bool
	// TLS configures how the server is verified. Nil means the system's root
	// certificates. An empty ServerName means the host of Address, and an unset
	// MinVersion means TLS 1.2.
	TLS *tls.Config
	// Dial opens the connection that TLS runs on. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial connects to a server and verifies its certificate. The context limits connecting
// and does not affect the Conn afterwards.
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
