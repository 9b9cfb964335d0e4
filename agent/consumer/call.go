package consumer

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// call.go owns which calls a consumer may make through the proxy.

// Call allows calls of a venue's API by method and name. The zero Call allows nothing.
type Call struct{ text, method, pattern string }

// methods are those of HTTP that a proxy forwards, and that of a message through a WebSocket.
var methods = []string{"*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "SOCKET"}

// ParseCall parses "GET account/*", "* order/**" or "SOCKET md/*": a method of HTTP, SOCKET for
// messages through a WebSocket or a star for any; and the venue's name of the call. A star in
// a name stands for any letters, and for no slash; two at its end for whatever follows.
func ParseCall(text string) (Call, error) {
	method, pattern, ok := strings.Cut(text, " ")
	shown := strconv.Quote(foreign.Name(text))
	pattern = strings.TrimPrefix(pattern, "/")
	bare := strings.TrimSuffix(pattern, "**")
	switch {
	case len(text) > longestRule:
		return Call{}, wrong("a call is longer than it can be", "write one for each")
	case !ok || pattern == "":
		return Call{}, wrong("call "+shown+" is not a method and a name", `write it as "GET account/*" or "* order/list"`)
	case !slices.Contains(methods, method):
		return Call{}, wrong("call "+shown+" has no method that is forwarded", "use one of "+strings.Join(methods, ", "))
	case strings.Contains(bare, "**") || bare != pattern && bare != "" && !strings.HasSuffix(bare, "/") || strings.Count(bare, "*") > mostStars || strings.ContainsAny(pattern, `[]?\%;`+" "):
		return Call{}, wrong("call "+shown+" has a pattern that is none", "a star stands for letters within a name, and ** only at the end, behind a slash")
	}
	return Call{text, method, strings.ToLower(pattern)}, nil
}

// String returns the call as it was written.
func (c Call) String() string { return c.text }

func (c Call) allows(method, name string) bool {
	if c.method != "*" && c.method != method {
		return false
	}
	name = strings.ToLower(strings.Trim(name, "/"))
	above, deep := strings.CutSuffix(c.pattern, "**")
	if !deep {
		fits, err := path.Match(c.pattern, name)
		return fits && err == nil
	}
	count := strings.Count(above, "/")
	parts := strings.SplitN(name, "/", count+1)
	if len(parts) <= count {
		return false
	}
	fits, err := path.Match(strings.TrimSuffix(above, "/"), strings.Join(parts[:count], "/"))
	return above == "" || fits && err == nil
}

// MayCall returns why a consumer may not make a call of a venue's API, nil if it may. That it
// may use the proxy for the sign-in is another question, of [Consumer.May].
func (c Consumer) MayCall(method, name string, effect venuekey.Effect) error {
	switch {
	case c.Expired():
		return ErrUnknown
	case c.ReadOnly && effect != venuekey.EffectNone:
		return errors.New("the consumer " + c.Name + " is read-only, and " + foreign.Name(name) + " is not known to read only")
	case len(c.Calls) > 0 && !slices.ContainsFunc(c.Calls, func(one Call) bool { return one.allows(method, name) }):
		return errors.New("the consumer " + c.Name + " may not call " + method + " " + foreign.Name(name))
	}
	return nil
}
