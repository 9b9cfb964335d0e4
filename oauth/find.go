package oauth

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// find.go owns the search for JSON in an answer. Plugins, proxies and PHP put
// things around it, and a token that is there and is not found is lost: the venue
// has ended the one before.

// finding is what an answer holds.
type finding struct {
	// grants are the objects that hold an access token, each once.
	grants []map[string]json.RawMessage
	// faults are the objects that hold the name of an error.
	faults []map[string]json.RawMessage
	// isJSON says that there is JSON, whatever it holds.
	isJSON bool
	// notes say what stands around it.
	notes []string
}

// find searches an answer's body. The whole of it is JSON, as a rule; else the
// objects that stand somewhere in it are looked at.
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
	// The objects in a whole web page are data of its scripts, which may have
	// tokens of their own: one that is ours comes as RFC 6749 §5.1 wants it, and
	// no error is believed.
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
		s.notes = append(s.notes, fmt.Sprintf("the answer had %d bytes behind its JSON", after))
	}
	return s.finding
}

// inUTF8 gives a body as UTF-8 without a byte-order mark, and says if it was not.
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

// isPage reports whether a text is a whole web page, and not just a piece of HTML
// such as a notice of PHP.
func isPage(text []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(text[:min(len(text), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// mostWork bounds the search for objects, in bytes looked at: a text that opens
// braces and never closes them would be read again from each of them. A try costs
// something itself, for a text of nothing but braces.
const (
	mostWork  = 8 * maxAnswer
	workOfTry = 512
)

// objectsIn finds the JSON objects in a text, the outermost ones, and how much
// text stands before the first and after the last.
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

// search collects what a finding is made of.
type search struct {
	finding
	names Names
	page  bool
}

// deepest is how many objects and lists an answer may be wrapped in.
const deepest = 4

// look searches a value. It is alone as long as nothing stands beside it in what
// it is wrapped in: an error is believed only there, because gateways quote others.
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
	// A gateway that is set up wrongly passes the answer on as a string. Errors in
	// strings are quotations.
	var quoted string
	if json.Unmarshal(value, &quoted) == nil && strings.HasPrefix(strings.TrimSpace(quoted), "{") && json.Valid([]byte(quoted)) {
		s.look([]byte(quoted), false, depth+1)
	}
}

// grant keeps an object with a token, unless it repeats one with no more in it.
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
