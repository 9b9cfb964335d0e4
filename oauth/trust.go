package oauth

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/venuekey/venuekey"
)

// trust.go owns a private certificate authority: that of a company whose proxy
// reads along, or of an emulated venue.

// CAParam is the app's parameter that holds certificates in PEM. They are trusted
// beside the system's by every request to the app's venue, and by no other.
const CAParam = "ca"

// Trusting gives the transport for requests of an app: the one that a test set, or
// nil for one that is made for each request, or one that is made so and trusts the
// app's certificates too.
func Trusting(set http.RoundTripper, app venuekey.App) http.RoundTripper {
	pem := app.Param(CAParam)
	if set != nil || pem == "" {
		return set
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM([]byte(pem)) {
		return trusting{}
	}
	return trusting{roots}
}

// CheckCA refuses certificates that cannot be read.
func CheckCA(app venuekey.App) error {
	if transport, ok := Trusting(nil, app).(trusting); ok && transport.roots == nil {
		return wrong("the app's certificate authority is not PEM", "give a file with certificates in PEM")
	}
	return nil
}

// trusting stands for transports that are made for each request. Nobody is trusted
// where there are no roots.
type trusting struct{ roots *x509.CertPool }

// RoundTrip is for whoever does not send by Send.
func (t trusting) RoundTrip(request *http.Request) (*http.Response, error) {
	return t.transport(new(gate)).RoundTrip(request)
}

func (t trusting) transport(g *gate) *http.Transport {
	once := onceTransport(g)
	once.TLSClientConfig = &tls.Config{RootCAs: t.roots}
	if t.roots == nil {
		once.TLSClientConfig.RootCAs = x509.NewCertPool()
	}
	return once
}

// madeFor gives a transport of our own for one request, and tells whether it is one.
func madeFor(transport http.RoundTripper, g *gate) (*http.Transport, bool) {
	switch t := transport.(type) {
	case nil:
		return onceTransport(g), true
	case trusting:
		return t.transport(g), true
	}
	return nil, false
}
