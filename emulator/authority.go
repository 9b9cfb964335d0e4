package emulator

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

// authority.go owns the certificates of emulated venues.

// Authority is a certificate authority that exists for one run, and is trusted only by
// clients that are configured to. Its keys are never written anywhere.
type Authority struct {
	root *x509.Certificate
	leaf tls.Certificate
}

// NewAuthority makes an authority, and a certificate for loopback and the given host names
// and addresses. They are valid for a year, longer than any test, and from an hour ago, for
// clients whose clock is slow.
func NewAuthority(hosts ...string) *Authority {
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Emulated venues' authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, host := range hosts {
		if address := net.ParseIP(host); address != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, address)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	rootKey, leafKey := newKey(), newKey()
	a := &Authority{root: issue(root, root, rootKey, rootKey)}
	signed := issue(leaf, a.root, leafKey, rootKey)
	a.leaf = tls.Certificate{Certificate: [][]byte{signed.Raw}, PrivateKey: leafKey, Leaf: signed}
	return a
}

// Pool returns the authority as a client trusts it.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// PEM returns the authority's certificate in PEM, as in a file.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// Config returns the configuration of a server that has the certificate.
func (a *Authority) Config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf}, MinVersion: tls.VersionTLS12}
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
