package oauth

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// find.go owns the search for JSON in an answer. Plugins, proxies and PHP put things
// around it, and a token that is overlooked is lost: the venue has invalidated the
// previous one.

// finding is what an answer holds.
type finding struct {
	// grants are the objects that hold an access token, without duplicates.
	grants []map[string]json.RawMessage
	// faults are the objects that hold an error code.
	faults []map[string]json.RawMessage
	// isJSON says that there is JSON, of whatever kind.
	isJSON bool
	// notes describe what surrounds it.
	notes []string
}

// find searches the body of an answer. Normally all of it is JSON; otherwise the objects
// within it are searched.
func (c Config) find(body []byte) finding {
	text, note := inUTF8(body)
	s := search{names: c.Names.withDefaults()}
	if note != "" {
		s.notes = append(s.notes, note)
	}
	if json.Valid(text) {
		s.isJSON = true
		s.look(text, true, 0)
		return s.finding
	}
	// The objects in a web page are data for its scripts, which may hold unrelated
	// tokens. So a token in a page must look as RFC 6749 §5.1 requires, and no error in
	// it is believed.
	s.page = isPage(text)
	objects, before, after := objectsIn(text)
	for _, object := range objects {
		s.isJSON = s.isJSON || !s.page
		s.look(object, true, 0)
	}
	if before > 0 {
		s.notes = append(s.notes, fmt.Sprintf("the answer had %d bytes before its JSON", before))
	}
	if after > 0 {
		s.notes = append(s.notes, fmt.Sprintf("the answer had %d bytes after its JSON", after))
	}
	return s.finding
}

// inUTF8 returns a body as UTF-8 without a byte-order mark, and a note if it was not
// that.
func inUTF8(body []byte) (text []byte, note string) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return body[3:], "the answer began with a byte-order mark"
	case len(body) < 2:
		return body, ""
	case body[0] == 0xff && body[1] == 0xfe, body[0] != 0 && body[1] == 0:
		order = binary.LittleEndian
	case body[0] == 0xfe && body[1] == 0xff, body[0] == 0 && body[1] != 0:
		order = binary.BigEndian
	default:
		return body, ""
	}
	units := make([]uint16, len(body)/2)
	for i := range units {
		units[i] = order.Uint16(body[2*i:])
	}
	return bytes.TrimPrefix([]byte(string(utf16.Decode(units))), []byte("\ufeff")), "the answer was in UTF-16"
}

// isPage reports whether a text is a whole web page, and not just a piece of HTML such as
// a notice from PHP.
func isPage(text []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(text[:min(len(text), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// mostWork bounds the search for objects, in bytes scanned: a text that opens many braces
// and closes none would be read again from each of them. Each attempt adds workOfTry, for
// a text of nothing but braces.
const (
	mostWork  = 8 * maxAnswer
	workOfTry = 512
)

// objectsIn returns the outermost JSON objects in a text, and how many bytes precede the
// first and follow the last.
func objectsIn(text []byte) (objects []json.RawMessage, before, after int) {
	at, work := 0, 0
	for work < mostWork {
		open := bytes.IndexByte(text[at:], '{')
		if open < 0 {
			break
		}
		at += open
		var object json.RawMessage
		decoder := json.NewDecoder(bytes.NewReader(text[at:]))
		work += workOfTry
		if err := decoder.Decode(&object); err != nil {
			work += workOf(err, len(text)-at)
			at++
			continue
		}
		if len(objects) == 0 {
			before = len(bytes.TrimSpace(text[:at]))
		}
		objects = append(objects, object)
		at += len(object)
		after = len(bytes.TrimSpace(text[at:]))
	}
	return objects, before, after
}

func workOf(err error, rest int) int {
	if syntax, ok := err.(*json.SyntaxError); ok {
		return int(syntax.Offset)
	}
	return rest
}

// search collects a finding.
type search struct {
	finding
	names Names
	page  bool
}

// deepest is how many levels of objects and lists a token may be nested in.
const deepest = 4

// look searches a value. alone says that nothing stands next to the value in its
// wrappers. An error is believed only there, because gateways quote errors of others.
func (s *search) look(value json.RawMessage, alone bool, depth int) {
	if depth > deepest {
		return
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil {
		if alone && !s.page && text(object, s.names.Error) != "" {
			s.faults = append(s.faults, object)
		}
		if access, _ := tokenText(object, s.names.Access); access != "" {
			if depth > 0 {
				s.notes = append(s.notes, "the token was wrapped in more JSON")
			}
			s.grant(object)
			return
		}
		for _, inner := range object {
			s.look(inner, alone && len(object) == 1, depth+1)
		}
		return
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil {
		for _, inner := range list {
			s.look(inner, alone && len(list) == 1, depth+1)
		}
		return
	}
	// A misconfigured gateway passes the answer on as a string. Errors in strings are
	// quotations.
	var quoted string
	if json.Unmarshal(value, &quoted) == nil && strings.HasPrefix(strings.TrimSpace(quoted), "{") && json.Valid([]byte(quoted)) {
		s.look([]byte(quoted), false, depth+1)
	}
}

// grant adds an object with a token, unless it only repeats one.
func (s *search) grant(object map[string]json.RawMessage) {
	access, _ := tokenText(object, s.names.Access)
	refresh, _ := tokenText(object, s.names.Refresh)
	if s.page && refresh == "" && text(object, s.names.Type) == "" {
		return
	}
	for i, other := range s.grants {
		otherAccess, _ := tokenText(other, s.names.Access)
		otherRefresh, _ := tokenText(other, s.names.Refresh)
		switch {
		case otherAccess != access || refresh != "" && otherRefresh != "" && refresh != otherRefresh:
		case otherRefresh == "":
			s.grants[i] = object
			return
		default:
			return
		}
	}
	s.grants = append(s.grants, object)
}
