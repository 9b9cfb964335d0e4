package openapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// certificate.go owns the test certificate authority, which is created at the start and
// trusted only by clients that are configured to.

// CA returns the certificate authority that a client must trust.
func (s *Server) CA() *x509.CertPool {
	s.certify()
	pool := x509.NewCertPool()
	pool.AddCert(s.authority)
	return pool
}

// CAPEM returns the same certificate in PEM, as in a file.
func (s *Server) CAPEM() []byte {
	s.certify()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.authority.Raw})
}

// certify creates the authority, and a certificate for loopback and Hosts. They are valid
// for a year, longer than any test, and from an hour ago, for clients whose clock is slow.
func (s *Server) certify() {
	s.certified.Do(func() {
		ca := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Emulated Open API authority"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		}
		for _, host := range s.Hosts {
			if address := net.ParseIP(host); address != nil {
				leaf.IPAddresses = append(leaf.IPAddresses, address)
			} else {
				leaf.DNSNames = append(leaf.DNSNames, host)
			}
		}
		authorityKey, leafKey := newKey(), newKey()
		s.authority = issue(ca, ca, authorityKey, authorityKey)
		signed := issue(leaf, s.authority, leafKey, authorityKey)
		s.certificate = tls.Certificate{Certificate: [][]byte{signed.Raw}, PrivateKey: leafKey, Leaf: signed}
	})
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // impossible with this curve and this source
	}
	return key
}

func issue(c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		panic(err) // impossible with the templates above
	}
	signed, err := x509.ParseCertificate(raw)
	if err != nil {
		panic(err)
	}
	return signed
}
