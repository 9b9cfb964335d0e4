package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/venuekey/venuekey/internal/foreign"
)

// tree.go owns a file's JSON as a tree whose nodes know their lines. encoding/json takes a
// name that is given twice, and stops at its first error.

// node is a JSON value.
type node struct {
	file string
	line int
	// kind is one of { [ " 0 t n, as the value begins; a number is 0 and a truth value t.
	kind    byte
	text    string // a string's value, a number's digits, true or false
	members []member
	items   []*node
}

// member is a field of an object.
type member struct {
	name  string
	line  int
	value *node
}

const (
	// Most is how many bytes a file may have.
	Most = 256 << 10
	// deepestTree is how deep its values may be nested.
	deepestTree = 12
	// mostMembers bounds the members of one object, and the items of one list.
	mostMembers = 256
)

// treeReader reads a file.
type treeReader struct {
	file     string
	text     []byte
	decoder  *json.Decoder
	counted  int // how far lines are counted
	line     int
	mistakes Mistakes
}

// readTree reads a file. The tree is nil if it is not JSON.
func readTree(file string, text []byte) (*node, Mistakes) {
	r := &treeReader{file: file, text: text, decoder: json.NewDecoder(bytes.NewReader(text)), line: 1}
	r.decoder.UseNumber()
	if len(text) > Most {
		return nil, Mistakes{{File: file, Line: 1, What: fmt.Sprintf("the file has more than %d KiB", Most>>10), Remedy: "a definition has a few; is it the right file?"}}
	}
	if !utf8.Valid(text) {
		return nil, Mistakes{{File: file, Line: 1, What: "the file is not UTF-8", Remedy: "save it as UTF-8"}}
	}
	root, err := r.value("", 0)
	if err != nil {
		return nil, append(r.mistakes, r.broken(err))
	}
	if _, err := r.decoder.Token(); err != io.EOF {
		r.at()
		return nil, append(r.mistakes, Mistake{File: file, Line: r.line, What: "there is text after the end of the definition", Remedy: "remove it"})
	}
	return root, r.mistakes
}

// at moves the count of lines to the end of the last token.
func (r *treeReader) at() int {
	offset := int(r.decoder.InputOffset())
	r.line += bytes.Count(r.text[r.counted:offset], []byte("\n"))
	r.counted = offset
	return r.line
}

// broken says where the file is not JSON.
func (r *treeReader) broken(err error) Mistake {
	line, remedy := r.at(), "check commas, quotes and brackets there"
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		line = 1 + bytes.Count(r.text[:min(int(syntax.Offset), len(r.text))], []byte("\n"))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		line = 1 + bytes.Count(bytes.TrimRight(r.text, "\n"), []byte("\n"))
		return Mistake{File: r.file, Line: line, What: "the file ends too early", Remedy: "close every bracket"}
	case errors.Is(err, errTooDeep):
		return Mistake{File: r.file, Line: line, What: err.Error()}
	}
	return Mistake{File: r.file, Line: line, What: "the file is not JSON: " + foreign.Error(err).Error(), Remedy: remedy}
}

var errTooDeep = fmt.Errorf("values are nested more than %d deep, or one has more than %d parts", deepestTree, mostMembers)

func (r *treeReader) value(path string, depth int) (*node, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	n := &node{file: r.file, line: r.at()}
	switch t := token.(type) {
	case json.Delim:
		if depth >= deepestTree {
			return nil, errTooDeep
		}
		n.kind = byte(t)
		if n.kind == '[' {
			return n, r.list(n, path, depth)
		}
		return n, r.object(n, path, depth)
	case string:
		n.kind, n.text = '"', t
	case json.Number:
		n.kind, n.text = '0', t.String()
	case bool:
		n.kind, n.text = 't', strconv.FormatBool(t)
	default:
		n.kind = 'n'
	}
	return n, nil
}

func (r *treeReader) list(n *node, path string, depth int) error {
	for r.decoder.More() {
		item, err := r.value(fmt.Sprintf("%s[%d]", path, len(n.items)), depth+1)
		if err != nil {
			return err
		}
		if n.items = append(n.items, item); len(n.items) > mostMembers {
			return errTooDeep
		}
	}
	_, err := r.decoder.Token()
	return err
}

func (r *treeReader) object(n *node, path string, depth int) error {
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return err
		}
		name, line := token.(string), r.at() // a key is a string, or Token fails
		value, err := r.value(join(path, name), depth+1)
		if err != nil {
			return err
		}
		if first := n.member(name); first != nil {
			r.mistakes = append(r.mistakes, Mistake{File: r.file, Line: line, Field: join(path, name),
				What: fmt.Sprintf("it is given twice, first on line %d", first.line), Remedy: "keep one of them"})
			continue
		}
		if n.members = append(n.members, member{name, line, value}); len(n.members) > mostMembers {
			return errTooDeep
		}
	}
	_, err := r.decoder.Token()
	return err
}

// join returns the path of a field. The name comes from the file.
func join(path, name string) string {
	name = foreign.Name(name)
	if path == "" {
		return name
	}
	return path + "." + name
}

// member returns the member of that name, nil if there is none.
func (n *node) member(name string) *member {
	for i := range n.members {
		if n.members[i].name == name {
			return &n.members[i]
		}
	}
	return nil
}

// is says what a value is, for a person.
func (n *node) is() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case '0':
		return "the number " + n.text
	case 't':
		return n.text
	}
	return "null"
}

// merged returns what an object becomes if another changes parts of it (RFC 7396): objects
// are merged, null removes, and everything else replaces.
func merged(base, change *node) *node {
	if change.kind != '{' || base.kind != '{' {
		return change
	}
	out := &node{file: change.file, line: change.line, kind: '{'}
	for _, m := range base.members {
		switch c := change.member(m.name); {
		case c == nil:
			out.members = append(out.members, m)
		case c.value.kind != 'n':
			out.members = append(out.members, member{m.name, c.line, merged(m.value, c.value)})
		}
	}
	for _, c := range change.members {
		if base.member(c.name) == nil && c.value.kind != 'n' {
			out.members = append(out.members, c)
		}
	}
	return out
}

// known lists words for a remedy.
func known(words []string) string { return strings.Join(words, ", ") }
