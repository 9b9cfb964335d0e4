package definition

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey/internal/foreign"
)

// path.go owns the language of places in an answer: "data.jwtToken" is a field of an object
// in the answer's JSON, "accounts.0.id" goes through a list, and "header:CST" is a header
// field.

// Path is such a place. The zero value leads nowhere.
type Path struct {
	// Header is the name of a header field.
	Header string
	// Steps are the names of fields, and numbers in lists, from the outside in.
	Steps []string
}

// Paths are places of which the first that holds something counts.
type Paths []Path

const (
	longestPath = 256
	deepestPath = 8
	longestName = 64
)

// ParsePath parses a path.
func ParsePath(text string) (Path, error) {
	name, isHeader := strings.CutPrefix(text, "header:")
	switch {
	case text == "":
		return Path{}, errors.New("a path is empty")
	case len(text) > longestPath:
		return Path{}, fmt.Errorf("a path has at most %d characters", longestPath)
	case isHeader && !isFieldName(name):
		return Path{}, fmt.Errorf("header:%s does not name a header field", foreign.Name(name))
	case isHeader:
		return Path{Header: http.CanonicalHeaderKey(name)}, nil
	}
	steps := strings.Split(text, ".")
	if len(steps) > deepestPath {
		return Path{}, fmt.Errorf("a path has at most %d steps", deepestPath)
	}
	for _, step := range steps {
		if step == "" || strings.ContainsFunc(step, func(r rune) bool { return r != '-' && (r > 0x7f || !isWordByte(byte(r))) }) {
			return Path{}, fmt.Errorf("the path %s is not letters, digits, _ and - with dots between them", foreign.Name(text))
		}
	}
	return Path{Steps: steps}, nil
}

// String returns the path as it is written.
func (p Path) String() string {
	if p.Header != "" {
		return "header:" + p.Header
	}
	return strings.Join(p.Steps, ".")
}

// Find returns the JSON value at the path, and reports whether there is one. The value of a
// header field is a JSON string; null is no value.
func (p Path) Find(header http.Header, body json.RawMessage) (json.RawMessage, bool) {
	if p.Header != "" {
		value := header.Get(p.Header)
		if value == "" {
			return nil, false
		}
		quoted, err := json.Marshal(value)
		return quoted, err == nil
	}
	if len(p.Steps) == 0 {
		return nil, false
	}
	for _, step := range p.Steps {
		var fields map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(body, &fields) == nil && fields != nil {
			body = fields[step]
			continue
		}
		at, err := strconv.Atoi(step)
		if err != nil || json.Unmarshal(body, &list) != nil || at < 0 || at >= len(list) {
			return nil, false
		}
		body = list[at]
	}
	return body, len(body) > 0 && string(body) != "null"
}

// Find returns the value at the first path that leads to one.
func (p Paths) Find(header http.Header, body json.RawMessage) (json.RawMessage, bool) {
	for _, path := range p {
		if value, ok := path.Find(header, body); ok {
			return value, true
		}
	}
	return nil, false
}

// isFieldName reports whether a name can be that of a header field (RFC 9110 §5.1).
func isFieldName(name string) bool {
	return name != "" && len(name) <= longestName && !strings.ContainsFunc(name, func(r rune) bool {
		return r > 0x7f || !isWordByte(byte(r)) && strings.IndexByte("!#$%&'*+-.^|~", byte(r)) < 0
	})
}
