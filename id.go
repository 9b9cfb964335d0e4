package venuekey

import (
	"fmt"
	"strings"
)

// id.go owns the names of sign-ins.

// ID names one sign-in: a venue and a name of the user's choice, written
// "venue/name". "ctrader" alone means "ctrader/default".
type ID struct {
	Venue string
	Name  string
}

// DefaultName is the name of an ID that is written without one.
const DefaultName = "default"

// maxNameLength keeps an ID short enough for a file name, a log line and a table cell.
const maxNameLength = 128

// ParseID parses "venue/name" or "venue". The venue is lower-case letters, digits
// and dashes; the name is letters, digits and ". _ - @ +", but not dots alone. Each
// has at most 128 bytes, so that an ID is safe in a path, a URL, a shell and a log.
func ParseID(text string) (ID, error) {
	venue, name, named := strings.Cut(text, "/")
	if !named {
		name = DefaultName
	}
	if !fits(venue, isVenueByte) {
		return ID{}, fmt.Errorf("id %q: the venue before the slash must be lower-case letters, digits and dashes, as in ctrader/alice", text)
	}
	if !fits(name, isNameByte) || strings.Trim(name, ".") == "" {
		return ID{}, fmt.Errorf("id %q: the name after the slash must be letters, digits and . _ - @ +, as in ctrader/alice", text)
	}
	return ID{Venue: venue, Name: name}, nil
}

// String returns "venue/name", also for the default name. An ID that names only a
// venue, as in an error about an app, is "venue".
func (id ID) String() string {
	if id.Name == "" {
		return id.Venue
	}
	return id.Venue + "/" + id.Name
}

// IsZero reports whether the ID names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err == nil {
		*id = parsed
	}
	return err
}

func fits(s string, ok func(byte) bool) bool {
	if s == "" || len(s) > maxNameLength {
		return false
	}
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func isVenueByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' }

func isNameByte(c byte) bool {
	return isVenueByte(c) || c >= 'A' && c <= 'Z' || strings.IndexByte("._@+", c) >= 0
}
