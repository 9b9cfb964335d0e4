package venuetest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/venuekey/venuekey"
)

// around.go owns the tests of the optional interfaces.

var around = []test{
	{"a signed call carries the access token, and keeps its address", signs},
	{"a probe is answered, and presents nothing", probes},
	{"a probe answered by something else fails", probesInVain},
	{"an identity is a name, and no secret", identifies},
	{"a revoked token has no identity", nobody},
	{"an identity is refused by the venue's own answer only", noAnswer},
	{"a revocation ends the token", revokes},
	{"a revocation that was not confirmed is an error", unconfirmed},
}

func (s *stage) prober() venuekey.Prober {
	s.Helper()
	prober, ok := s.Venue.(venuekey.Prober)
	if !ok {
		s.Skip("the venue is not a Prober")
	}
	return prober
}

func probes(s *stage) {
	prober := s.prober()
	token := s.mustSignIn()
	seen := s.front.watched(func() {
		if err := prober.Probe(s.Context(), s.App); err != nil {
			s.Errorf("the probe failed although the server answers: %v", err)
		}
	})
	if len(seen) == 0 {
		s.Error("the probe sent nothing")
	}
	for what, secret := range map[string]venuekey.Secret{"access token": token.Access, "refresh token": token.Refresh, "client secret": s.App.ClientSecret} {
		if carrying(seen, secret) > 0 {
			s.Errorf("the probe presented the %s", what)
		}
	}
	s.mustRefresh(token)
}

func probesInVain(s *stage) {
	prober := s.prober()
	for _, spoil := range faults() {
		if spoil.acts {
			continue
		}
		var err error
		s.front.spoiled(spoil, func() { err = prober.Probe(s.Context(), s.App) })
		if known := s.known(spoil.name, err); known.Class == venuekey.ClassRefused {
			s.Errorf("%s: called a refusal: %v", spoil.name, err)
		}
	}
}

func (s *stage) identifier() venuekey.Identifier {
	s.Helper()
	identifier, ok := s.Venue.(venuekey.Identifier)
	if !ok {
		s.Skip("the venue is not an Identifier")
	}
	return identifier
}

func identifies(s *stage) {
	identifier := s.identifier()
	token := s.mustSignIn()
	name, err := identifier.Identify(s.Context(), s.App, token)
	if err != nil || name == "" {
		s.Errorf("%q %v", name, err)
	}
	s.silent("the identity", name)
	if strings.ContainsAny(name, "\n\r\x1b") {
		s.Errorf("%q is more than a line", name)
	}
}

func nobody(s *stage) {
	identifier := s.identifier()
	token := s.mustSignIn()
	s.TakeBack()
	_, err := identifier.Identify(s.Context(), s.App, token)
	// Some venues have no clear answer for it.
	s.want("the identity of a revoked token", err, venuekey.ClassRefused, venuekey.ClassLater)
}

func noAnswer(s *stage) {
	identifier := s.identifier()
	token := s.mustSignIn()
	for _, spoil := range append(faults(), echo) {
		var name string
		var err error
		s.front.spoiled(spoil, func() { name, err = identifier.Identify(s.Context(), s.App, token) })
		switch {
		case err == nil && !spoil.whole:
			s.Errorf("%s: no error, and the identity %q", spoil.name, name)
		case err != nil && spoil != echo:
			if known := s.known(spoil.name, err); known.Class == venuekey.ClassRefused {
				s.Errorf("%s: called a refusal: %v", spoil.name, err)
			}
		case err != nil:
			s.known(spoil.name, err)
		}
	}
}

func (s *stage) revoker() venuekey.Revoker {
	s.Helper()
	revoker, ok := s.Venue.(venuekey.Revoker)
	if !ok {
		s.Skip("the venue is not a Revoker")
	}
	return revoker
}

func revokes(s *stage) {
	revoker := s.revoker()
	token := s.mustSignIn()
	err := revoker.Revoke(s.Context(), s.App, token)
	switch {
	case err == nil && s.Alive(token.Access):
		s.Error("Revoke returned nil, but the access token is still valid")
	case err != nil && !errors.Is(err, venuekey.ErrAccessLives):
		s.known("a revocation", err)
		s.Errorf("revoke: %v", err)
	}
	_, err = s.refresh(dead(token))
	s.want("a renewal after the revocation", err, venuekey.ClassRefused)
}

func unconfirmed(s *stage) {
	revoker := s.revoker()
	var token venuekey.Token
	for _, spoil := range append(faults(), echo) {
		if spoil.whole || spoil.name == "an empty answer, before the server acts" || spoil.name == "an empty answer, after the server acted" {
			continue // a 200 is a confirmation, whatever it holds (RFC 7009 §2.2)
		}
		if token.Access == "" || !s.Alive(token.Access) {
			token = s.mustSignIn()
		}
		var err error
		seen := s.front.spoiled(spoil, func() { err = revoker.Revoke(s.Context(), s.App, token) })
		if err == nil {
			if s.Alive(token.Access) && !strings.HasPrefix(spoil.name, "garbage") {
				s.Errorf("%s: Revoke returned nil, but the access token is still valid", spoil.name)
			}
			continue
		}
		s.known(spoil.name, err)
		s.stayedHere(spoil, seen)
	}
}

func signs(s *stage) {
	signer, ok := s.Venue.(venuekey.Signer)
	if !ok {
		s.Skip("the venue is not a Signer")
	}
	token := s.mustSignIn()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, "https://api.example/orders?id=7", nil)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Accept", "text/csv")
	signer.Sign(token, request)
	if request.URL.String() != "https://api.example/orders?id=7" || request.Host != "api.example" || request.Method != http.MethodGet {
		s.Errorf("the call was changed to %s %s", request.Method, request.URL)
	}
	if request.Header.Get("Accept") != "text/csv" {
		s.Error("a header field that the program had set was replaced")
	}
	var header strings.Builder
	_ = request.Header.Write(&header)
	if !strings.Contains(header.String(), string(token.Access)) {
		s.Error("the access token is in no header field")
	}
	if token.Refresh != "" && strings.Contains(header.String(), string(token.Refresh)) {
		s.Error("the refresh token is in a header field")
	}
}
