package oauth

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/venuekey/venuekey"
)

// trust.go owns trust in a private certificate authority, such as that of a company's
// proxy or an emulated venue.

// CAParam is the app parameter that holds certificates in PEM. Every request to the app's
// venue trusts them in addition to the system's, and no other request does.
const CAParam = "ca"

// Roots returns the certificate authorities that an app's requests trust: the system's
// and those in CAParam. It returns nil, which means the system's, if the app has none,
// and an error of ClassMisconfigured if they are not PEM.
func Roots(app venuekey.App) (*x509.CertPool, error) {
	pem := app.Param(CAParam)
	if pem == "" {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM([]byte(pem)) {
		return nil, wrong("the app's certificate authority is not PEM", "give a file with certificates in PEM")
	}
	return roots, nil
}

// Trusting returns the transport for an app's requests: set, if it is not nil; nil, which
// means a fresh one for each request, if the app has no CAParam; otherwise one that
// creates a fresh transport for each request and also trusts the app's authorities. If
// they are invalid it trusts none at all.
func Trusting(set http.RoundTripper, app venuekey.App) http.RoundTripper {
	roots, err := Roots(app)
	switch {
	case set != nil:
		return set
	case err != nil:
		return trusting{x509.NewCertPool()} // trusts none; CheckApp says why
	case roots == nil:
		return nil
	}
	return trusting{roots}
}

// trusting stands for transports that are created for each request.
type trusting struct{ roots *x509.CertPool }

// RoundTrip is for requests that do not go through Send.
func (t trusting) RoundTrip(request *http.Request) (*http.Response, error) {
	return t.transport(new(gate)).RoundTrip(request)
}

func (t trusting) transport(g *gate) *http.Transport {
	once := onceTransport(g)
	once.TLSClientConfig = &tls.Config{RootCAs: t.roots}
	return once
}

// madeFor returns a fresh transport for one request, and reports whether transport calls
// for one.
func madeFor(transport http.RoundTripper, g *gate) (*http.Transport, bool) {
	switch t := transport.(type) {
	case nil:
		return onceTransport(g), true
	case trusting:
		return t.transport(g), true
	}
	return nil, false
}
