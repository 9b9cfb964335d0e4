package tradovate

import (
	"slices"
	"strconv"
	"strings"
)

// key.go owns the API keys that sign-ins by password need.

// APIKey is an API key. At the real venue it belongs to one user; here all users
// may use it.
type APIKey struct {
	// CID is its number.
	CID int64
	// Sec is its secret.
	Sec string
}

// DefaultKey is the API key that a server knows whose Keys are empty: cid 42, sec
// "demo-sec".
func DefaultKey() APIKey { return APIKey{CID: 42, Sec: "demo-sec"} }

// client is how the key stands in events and grants, where OAuth clients stand by
// their client id.
func (k APIKey) client() string { return apiKeyClient + strconv.FormatInt(k.CID, 10) }

const apiKeyClient = "cid "

// isAPIKey tells whether a grant's client is an API key.
func isAPIKey(client string) bool { return strings.HasPrefix(client, apiKeyClient) }

// key finds the key by cid, which clients send as a number or a string (Tradovate
// facts §1.1), and secret.
func (s *Server) key(cid, sec string) (APIKey, bool) {
	n, err := strconv.ParseInt(cid, 10, 64)
	i := slices.Index(s.keys, APIKey{CID: n, Sec: sec})
	if err != nil || i < 0 {
		return APIKey{}, false
	}
	return s.keys[i], true
}
