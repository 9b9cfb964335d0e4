package postgres

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// tls_test.go owns what is said about a server that cannot prove who it is.

// secured listens as a server of PostgreSQL does that speaks TLS, with a
// certificate of its own, and gives its port. Nobody gets further than that.
func secured(t *testing.T, certificate tls.Certificate, asks tls.ClientAuthType) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answering(t, listener, func(client net.Conn) {
		request := make([]byte, 8) // SSLRequest, to which "S" is yes
		if _, err := io.ReadFull(client, request); err != nil {
			return
		}
		if _, err := client.Write([]byte("S")); err != nil {
			return
		}
		server := tls.Server(client, &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: asks, MinVersion: tls.VersionTLS12})
		_ = server.Handshake() // which the client ends
	})
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// certify makes a certificate that signs itself, and the file to trust it by.
func certify(t *testing.T, host string, ends time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: ends.Add(-48 * time.Hour), NotAfter: ends,
	}
	if ip := net.ParseIP(host); ip != nil {
		form.DNSNames, form.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// Trying again does not make a certificate good: a person has to fix something.
func TestCertificatesThatDoNotVerify(t *testing.T) {
	t.Parallel()
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	for name, test := range map[string]struct {
		mode, host string
		ends       time.Time
		trusted    bool
	}{
		"signed by nobody":                       {"verify-full", "127.0.0.1", tomorrow, false},
		"of another host":                        {"verify-full", "db.example.com", tomorrow, true},
		"that is out of date":                    {"verify-full", "127.0.0.1", yesterday, true},
		"signed by nobody, of any host":          {"verify-ca", "db.example.com", tomorrow, false},
		"out of date, and of any host":           {"verify-ca", "db.example.com", yesterday, true},
		"signed by another one with sslrootcert": {"require", "127.0.0.1", tomorrow, false},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, file := certify(t, test.host, test.ends)
			if !test.trusted {
				_, file = certify(t, test.host, test.ends)
			}
			_, err := Open(t.Context(), fmt.Sprintf("host=127.0.0.1 port=%s user=u dbname=d sslmode=%s sslrootcert=%s password=%s",
				secured(t, certificate, tls.NoClientCert), test.mode, file, password))
			says(t, err, venuekey.ClassMisconfigured, "has a certificate that is not trusted", "sslrootcert")
		})
	}
}

// The other way round, it is for the address to give a certificate.
func TestAServerThatWantsACertificate(t *testing.T) {
	t.Parallel()
	certificate, file := certify(t, "127.0.0.1", time.Now().Add(24*time.Hour))
	_, err := Open(t.Context(), fmt.Sprintf("host=127.0.0.1 port=%s user=u dbname=d sslmode=verify-full sslrootcert=%s password=%s",
		secured(t, certificate, tls.RequireAnyClientCert), file, password))
	says(t, err, venuekey.ClassMisconfigured, "rejects this machine's certificate", "sslcert")
}
