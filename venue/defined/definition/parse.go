package definition

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/venuekey/venuekey/internal/foreign"
)

// parse.go owns the way from a file to a Definition.

// Find returns the text of the definition of that name, and what to call it in mistakes.
type Find func(name string) (file string, text []byte, err error)

// MostBytes is more than the file of any definition has.
const MostBytes = 256 << 10

// mostBases is how many definitions may extend each other.
const mostBases = 4

// Parse reads a definition; file is what to call it in mistakes. All mistakes are returned
// together, as Mistakes. A definition that extends another is one here; see ParseWith.
func Parse(file string, text []byte) (*Definition, error) { return ParseWith(file, text, nil) }

// ParseWith is Parse for a definition that may extend another, which find finds.
func ParseWith(file string, text []byte, find Find) (*Definition, error) {
	root, mistakes := readTree(foreign.Name(file), text)
	if root != nil {
		root, mistakes = extended(root, mistakes, find, nil)
	}
	if root == nil {
		return nil, mistakes.sorted()
	}
	d := decoder{places: map[string]place{"": {root.file, root.line}}, mistakes: mistakes}
	definition := new(Definition)
	d.set(reflect.ValueOf(definition).Elem(), root, "")
	if root.kind == '{' {
		check(definition, &d)
	}
	if err := d.mistakes.sorted(); err != nil {
		return nil, err
	}
	return definition, nil
}

// extended returns a tree merged into the one that it extends.
func extended(root *node, mistakes Mistakes, find Find, seen []string) (*node, Mistakes) {
	m := root.member("extends")
	if m == nil || m.value.kind != '"' {
		return root, mistakes // if it is something else, the decoder says so
	}
	wrong := func(what, remedy string) (*node, Mistakes) {
		return nil, append(mistakes, Mistake{File: root.file, Line: m.line, Field: "extends", What: what, Remedy: remedy})
	}
	name := m.value.text
	switch {
	case !isVenueName(name):
		return wrong("it is not the name of a definition", "write it in lower-case letters, digits and dashes")
	case find == nil:
		return wrong("there is nothing here that it could extend", "write the whole definition")
	case strings.Contains("\n"+strings.Join(seen, "\n")+"\n", "\n"+name+"\n"):
		return wrong("the definitions extend each other in a circle", "remove it from one of them")
	case len(seen) >= mostBases:
		return wrong(fmt.Sprintf("more than %d definitions extend each other", mostBases), "extend one of the first")
	}
	file, text, err := find(name)
	if err != nil {
		return wrong("there is no definition "+name+": "+foreign.Error(err).Error(), "check the name")
	}
	base, more := readTree(foreign.Name(file), text)
	mistakes = append(mistakes, more...)
	if base == nil {
		return nil, mistakes
	}
	if base, mistakes = extended(base, mistakes, find, append(seen, name)); base == nil {
		return nil, mistakes
	}
	return merged(base, root), mistakes
}

// isVenueName reports whether a name can be a venue's part of an ID.
func isVenueName(name string) bool {
	return name != "" && len(name) <= longestName && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	})
}
