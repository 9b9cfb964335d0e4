package defined

import (
	"net/http"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
)

// sign.go owns the header fields of API calls.

// Sign implements venuekey.Signer. Fields that hold the token are always set; others only if
// the program has not set them.
func (v venue) Sign(token venuekey.Token, request *http.Request) {
	carried := false
	for name, template := range v.d.API.Headers {
		names := template.Names()
		values := map[string]venuekey.Secret{"access": token.Access}
		for _, name := range names {
			if extra, ok := strings.CutPrefix(name, "extra."); ok {
				values[name] = token.Extra(extra)
			} else if name != "access" {
				values[name] = token.Extra(ownField + name)
			}
		}
		holds := slices.Contains(names, "access")
		carried = carried || holds
		if value := template.Render(values); value != "" && (holds || request.Header.Values(name) == nil) {
			request.Header.Set(name, string(value))
		}
	}
	if !carried {
		token.SetAuthHeader(request)
	}
}
