package openapi

import (
	"crypto/x509"

	"github.com/venuekey/venuekey/emulator"
)

// certificate.go owns which certificate the server has.

// CA returns the certificate authority that a client must trust.
func (s *Server) CA() *x509.CertPool { return s.certify().Pool() }

// CAPEM returns the same certificate in PEM, as in a file.
func (s *Server) CAPEM() []byte { return s.certify().PEM() }

// certify returns the server's authority, and makes one if it was given none.
func (s *Server) certify() *emulator.Authority {
	s.certified.Do(func() {
		if s.authority = s.Authority; s.authority == nil {
			s.authority = emulator.NewAuthority(s.Hosts...)
		}
	})
	return s.authority
}
