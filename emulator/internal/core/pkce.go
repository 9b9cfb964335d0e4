package core

import (
	"crypto/sha256"
	"encoding/base64"
)

// pkce.go owns the check of a PKCE verifier.

// VerifyPKCE reports whether the verifier matches the challenge (RFC 7636 §4.6). An empty
// method means "plain" (§4.3). Without a challenge every verifier passes.
func VerifyPKCE(challenge, method, verifier string) bool {
	switch {
	case challenge == "":
		return true
	case method == "" || method == "plain":
		return verifier == challenge
	case method == "S256":
		sum := sha256.Sum256([]byte(verifier))
		return base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
	}
	return false
}
