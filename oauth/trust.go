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

// Roots are whom requests of an app trust: the system's authorities and the app's
// own. They are nil if the app has none, which means the system's.
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

// Trusting gives the transport for requests of an app: the one that a test set, or
// nil for one that is made for each request, or one that is made so and trusts the
// app's own authority too.
func Trusting(set http.RoundTripper, app venuekey.App) http.RoundTripper {
	roots, err := Roots(app)
	switch {
	case set != nil:
		return set
	case err != nil:
		return trusting{x509.NewCertPool()} // nobody; CheckApp says why
	case roots == nil:
		return nil
	}
	return trusting{roots}
}

// trusting stands for transports that are made for each request.
type trusting struct{ roots *x509.CertPool }

// RoundTrip is for transports that do not go through Send.
func (t trusting) RoundTrip(request *http.Request) (*http.Response, error) {
	return t.transport(new(gate)).RoundTrip(request)
}

func (t trusting) transport(g *gate) *http.Transport {
	once := onceTransport(g)
	once.TLSClientConfig = &tls.Config{RootCAs: t.roots}
	return once
}

// madeFor gives a transport of our own for one request, and says whether it is one.
func madeFor(transport http.RoundTripper, g *gate) (*http.Transport, bool) {
	switch t := transport.(type) {
	case nil:
		return onceTransport(g), true
	case trusting:
		return t.transport(g), true
	}
	return nil, false
}
