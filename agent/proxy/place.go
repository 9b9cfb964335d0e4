package proxy

import (
	"net/http"
	"strings"

	"github.com/venuekey/venuekey"
)

// place.go owns the path of a request: which sign-in, which host of the venue, and which call.

// Prefix begins the paths that are the proxy's.
const Prefix = "/proxy/"

// place is what a path says.
type place struct {
	id     venuekey.ID
	host   string // of the venue; empty for the usual one
	path   string // of the call, without a slash at its beginning
	prefix string // /proxy/VENUE/NAME
}

// mostPath is the longest path, in bytes.
const mostPath = 4 << 10

// placeOf takes a path apart. One that two programs could read in two ways is refused: what is
// judged here must be what the venue does.
func placeOf(r *http.Request) (place, *venuekey.Error) {
	switch {
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
		return place{}, declined("the proxy forwards no " + r.Method)
	case r.URL.Host != "" || r.URL.User != nil || r.URL.Opaque != "":
		return place{}, declined("the request names another server: this is no proxy for the web")
	case len(r.URL.Path) > mostPath:
		return place{}, declined("the path is longer than any call's")
	case ambiguous(r.URL.EscapedPath(), r.URL.Path):
		return place{}, declined("the path could be read in two ways: it has an empty segment, dots, an encoded slash, a percent sign, a backslash, a semicolon, a question mark, a number sign or a control character")
	}
	rest, ok := strings.CutPrefix(r.URL.Path, Prefix)
	venue, rest, _ := strings.Cut(rest, "/")
	name, path, _ := strings.Cut(rest, "/")
	id, err := venuekey.ParseID(venue + "/" + name)
	if !ok || err != nil {
		return place{}, declined("the path names no sign-in: it is " + Prefix + "VENUE/NAME/CALL, such as " + Prefix + "tradovate/bot/order/list")
	}
	p := place{id: id, path: path, prefix: Prefix + venue + "/" + name}
	if host, ok := strings.CutPrefix(path, "@"); ok {
		p.host, p.path, _ = strings.Cut(host, "/")
	}
	return p, nil
}

// ambiguous reports whether programs differ in how they read a path.
func ambiguous(escaped, path string) bool {
	lower := strings.ToLower(escaped)
	if strings.Contains(lower, "%2f") || strings.ContainsAny(path, `\%;?#`) {
		return true
	}
	for _, b := range []byte(path) {
		if b < ' ' || b == 0x7f {
			return true
		}
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		last := i == len(segments)-1 // which is empty behind a slash at the end
		if segment == "" && !last || strings.Trim(segment, ".") == "" && segment != "" {
			return true
		}
	}
	return false
}

func declined(reason string) *venuekey.Error {
	return &venuekey.Error{Op: "proxy", Class: venuekey.ClassDeclined, Reason: reason}
}
