package tradovate

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// idtoken.go owns the ID token, which has been seen beside the tokens of OAuth (Tradovate
// facts §3.2).

// idToken returns an ID token with the claims that OpenID Connect Core §2 requires. Its
// signature is made up, since there is no key that a client could check it with.
func (s *Server) idToken(k Knobs, p emulator.Pair, now time.Time) string {
	u, _ := s.core.Registry.User(p.Grant.User)
	return part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": cmp.Or(k.Issuer, "https://"+nowhere("live")), "aud": p.Grant.Client,
		"sub": fmt.Sprint(u.ID), "iat": now.Unix(), "exp": p.AccessExpires.Unix(),
	}) + "." + k.format().Mint()
}

// part encodes one part of a JSON Web Token (RFC 7515 §3.1).
func part(fields map[string]any) string {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // only texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
