package proxy

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/foreign"
)

// forward.go owns what of a request goes to the venue, and what of its answer comes back.

// removed are the fields of a request that are not the program's to decide: who it is, where
// it came from, and what could change its method or its address behind the judgement.
var removed = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Origin", "Referer", "Via",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url", "X-Original-Method",
}

// removedPrefixes are the beginnings of further ones, in the form of net/http.
var removedPrefixes = []string{"Venuekey-", "X-Forwarded", "Sec-Fetch-"}

// rewrite makes the request to the venue. The fields of a hop are gone already.
func rewrite(p *httputil.ProxyRequest) {
	c := callIn(p.In.Context())
	at := *c.target.URL
	at.RawQuery = p.Out.URL.RawQuery // without what could be read in two ways
	p.Out.URL, p.Out.Host, p.Out.Trailer = &at, "", nil
	for _, name := range removed {
		p.Out.Header.Del(name)
	}
	for name := range p.Out.Header {
		if slices.ContainsFunc(removedPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			p.Out.Header.Del(name)
		}
	}
}

// signing sends a request with the token, and once more with a newer one if the venue refuses
// that and the call only reads.
type signing struct{ h *Handler }

// RoundTrip implements http.RoundTripper.
func (s signing) RoundTrip(request *http.Request) (*http.Response, error) {
	c := callIn(request.Context())
	began := time.Now()
	response, err := s.send(request, c, c.token)
	if err != nil {
		s.h.took(c.id, 0, began)
		return nil, foreign.ErrorWithout(err, c.token.Access) // an answer that cannot be read is quoted
	}
	s.h.took(c.id, response.StatusCode, began)
	if response.StatusCode != http.StatusUnauthorized || venuekey.ClassOf(venuekey.RefusalOf(response)) != venuekey.ClassRefused {
		return response, nil
	}
	newer, err := c.source.Reject(request.Context(), c.token.Access)
	if err != nil || newer.Access == c.token.Access || !repeatable(request, c) {
		return response, nil
	}
	again, err := s.send(request, c, newer)
	if err != nil {
		return response, nil
	}
	response.Body.Close()
	c.token = newer
	return again, nil
}

func (s signing) send(request *http.Request, c *call, token *venuekey.Token) (*http.Response, error) {
	signed := request.Clone(request.Context())
	c.source.Sign(token, signed)
	return s.h.pools.of(c.target.CA, s.h.Base).RoundTrip(signed)
}

// repeatable reports whether a call may be sent twice: one that is known to read, and whose
// body is not used up.
func repeatable(request *http.Request, c *call) bool {
	return c.asked.Effect == venuekey.EffectNone && (request.Body == nil || request.Body == http.NoBody)
}

// withheld are the fields of an answer that are for whoever holds the token, or for a browser.
var withheld = []string{"Set-Cookie", "Set-Cookie2", "Alt-Svc", "Clear-Site-Data", "Strict-Transport-Security", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"}

// answer changes the venue's answer before it goes to the program. An error takes its place.
func (h *Handler) answer(response *http.Response) error {
	c := callIn(response.Request.Context())
	for _, name := range withheld {
		response.Header.Del(name)
	}
	location := response.Header.Get("Location")
	if location == "" || response.StatusCode < 300 || response.StatusCode > 399 {
		return nil
	}
	to, err := c.target.URL.Parse(location)
	if err == nil {
		err = h.lead(response, c, to)
	}
	if err != nil {
		response.Header.Del("Location")
		return &venuekey.Error{ID: c.id, Op: "proxy", Class: venuekey.ClassUnknown, Err: errAway,
			Reason: "the venue redirects to an address that is not its own, and the token is not sent there"}
	}
	return nil
}

var errAway = errors.New("a redirect away from the venue")

// lead makes a redirect lead back to the proxy, if it goes to one of the venue's hosts.
func (h *Handler) lead(response *http.Response, c *call, to *url.URL) error {
	if to.User != nil || ambiguous(to.EscapedPath(), to.Path) {
		return errAway
	}
	host := ""
	if !strings.EqualFold(to.Host, c.target.URL.Host) {
		host = to.Host
	}
	path := strings.TrimPrefix(to.Path, "/")
	target, err := h.Keeper.Call(response.Request.Context(), c.id, *c.token, venuekey.Call{Host: host, Method: response.Request.Method, Path: path, Query: to.Query()})
	if err != nil || !strings.EqualFold(target.URL.Host, to.Host) || target.URL.Scheme != to.Scheme {
		return errAway
	}
	at := c.prefix + "/"
	if host != "" {
		at += "@" + host + "/"
	}
	back := url.URL{Path: at + path, RawQuery: to.RawQuery}
	response.Header.Set("Location", back.String())
	return nil
}

// failed answers for a venue that gave none.
func (h *Handler) failed(w http.ResponseWriter, r *http.Request, err error) {
	c := callIn(r.Context())
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		class, reason := venuekey.ClassUnknown, "the venue did not answer; the call may have been carried out"
		if c.asked.Effect == venuekey.EffectNone {
			class, reason = venuekey.ClassLater, "the venue did not answer"
		}
		known = &venuekey.Error{ID: c.id, Op: "proxy", Class: class, Reason: reason + ": " + foreign.Error(err).Error()}
	}
	h.log().Warn("a call through the proxy failed", "id", c.id, "call", c.asked.String(), "error", known)
	agent.Fail(w, http.StatusBadGateway, known)
}
