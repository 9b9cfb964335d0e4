package tradovate

import (
	"slices"
	"strconv"
	"strings"
)

// key.go owns the API keys that password sign-ins require.

// APIKey is an API key. At the real venue it belongs to one user; here all users can use
// it.
type APIKey struct {
	// CID is the key's number.
	CID int64
	// Sec is the key's secret.
	Sec string
}

// DefaultKey returns the API key of a server whose Keys are empty: cid 42, sec "demo-sec".
func DefaultKey() APIKey { return APIKey{CID: 42, Sec: "demo-sec"} }

// client returns the key's name in events and grants, in place of the client ID of an OAuth
// client.
func (k APIKey) client() string { return apiKeyClient + strconv.FormatInt(k.CID, 10) }

const apiKeyClient = "cid "

// isAPIKey reports whether a grant's client is an API key.
func isAPIKey(client string) bool { return strings.HasPrefix(client, apiKeyClient) }

// key finds a key by its cid, which clients send as a number or a string (Tradovate facts
// §1.1), and its secret.
func (s *Server) key(cid, sec string) (APIKey, bool) {
	n, err := strconv.ParseInt(cid, 10, 64)
	i := slices.Index(s.keys, APIKey{CID: n, Sec: sec})
	if err != nil || i < 0 {
		return APIKey{}, false
	}
	return s.keys[i], true
}
