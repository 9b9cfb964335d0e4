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

// certificate.go owns the test authority: made at the start, trusted by nobody who is
// not told to.

// CA is what a client has to trust.
func (s *Server) CA() *x509.CertPool {
	s.certify()
	pool := x509.NewCertPool()
	pool.AddCert(s.authority)
	return pool
}

// CAPEM is the same as a file would hold it.
func (s *Server) CAPEM() []byte {
	s.certify()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.authority.Raw})
}

// certify makes an authority and a certificate for loopback and Hosts. A year is longer
// than any test; the hour before now is for clients whose clock is behind.
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
		panic(err) // there is no such error with this curve and this source
	}
	return key
}

func issue(c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		panic(err) // the templates are the ones above
	}
	signed, err := x509.ParseCertificate(raw)
	if err != nil {
		panic(err)
	}
	return signed
}
