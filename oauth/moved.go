package oauth

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// moved.go owns the one kind of redirect that is followed: a venue serves a user from
// another of its own hosts.

// SendWithin sends a request like Send. If the answer is 307 or 308, which say that
// nothing was processed and that method and body stay (RFC 9110 §15.4.8, §15.4.9), and
// leads to one of the venue's own domains, the request is sent there as well, once. Its
// secrets go to no other host. It returns the address that answered in the end.
//
// See Within for the form of the domains.
func SendWithin(domains []string, transport http.RoundTripper, request *http.Request) (Answer, *url.URL, error) {
	again, err := copyOf(request)
	if err != nil {
		return Answer{}, request.URL, err
	}
	answer, err := Send(transport, request)
	if err != nil {
		return answer, request.URL, err
	}
	to, ok := answer.moved(request.URL, domains)
	if !ok {
		return answer, request.URL, nil
	}
	again.URL, again.Host = to, ""
	answer, err = Send(transport, again)
	return answer, to, err
}

// copyOf returns a request with the same method, header and body.
func copyOf(request *http.Request) (*http.Request, error) {
	again := request.Clone(request.Context())
	if request.GetBody == nil {
		return again, nil
	}
	var body []byte
	reader, err := request.GetBody()
	if err == nil {
		defer reader.Close()
		body, err = io.ReadAll(reader)
	}
	if err != nil {
		return nil, wrong("the request's body cannot be read", "")
	}
	again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	again.Body, err = again.GetBody()
	return again, err
}

// moved returns the address at another host that an answer redirects a request to, if it
// may go there. The path may change, the query may not: it could hold a secret.
func (a Answer) moved(from *url.URL, domains []string) (*url.URL, bool) {
	if a.Status != http.StatusTemporaryRedirect && a.Status != http.StatusPermanentRedirect {
		return nil, false
	}
	location, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		return nil, false
	}
	to := from.ResolveReference(location)
	to.RawQuery, to.Fragment, to.RawFragment = from.RawQuery, "", ""
	return to, to.Host != from.Host && Within(domains, to)
}

// Within reports whether an address is at one of the domains. A domain with a port, such as
// 127.0.0.1:9103, stands for that server alone, reached as the rules for every address
// allow; one without a port stands for itself and everything below it, over https on the
// standard port.
func Within(domains []string, to *url.URL) bool {
	if to.User != nil || to.Opaque != "" || secure("", to) != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(to.Hostname(), "."))
	standard := to.Scheme == "https" && (to.Port() == "" || to.Port() == "443")
	for _, domain := range domains {
		if strings.Contains(domain, ":") {
			if to.Host == domain {
				return true
			}
		} else if standard && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return true
		}
	}
	return false
}
