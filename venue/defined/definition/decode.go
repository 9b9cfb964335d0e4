package definition

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/typo"
	"github.com/venuekey/venuekey/internal/words"
)

// decode.go owns the step from a tree to the fields of a Definition.

// place is where a field is given.
type place struct {
	file string
	line int
}

// decoder fills a Definition, and remembers where each field is given.
type decoder struct {
	places   map[string]place
	mistakes Mistakes
}

func (d *decoder) wrong(n *node, path, remedy, format string, args ...any) {
	d.mistakes = append(d.mistakes, Mistake{File: n.file, Line: n.line, Field: path, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

var (
	templateType = reflect.TypeFor[Template]()
	pathType     = reflect.TypeFor[Path]()
	pathsType    = reflect.TypeFor[Paths]()
	durationType = reflect.TypeFor[words.Duration]()
)

// set fills a value from a node.
func (d *decoder) set(v reflect.Value, n *node, path string) {
	d.places[path] = place{n.file, n.line}
	switch v.Type() {
	case templateType:
		if n.kind == '0' || n.kind == 't' {
			v.Set(reflect.ValueOf(Template{text: n.text, parts: []Part{{Text: n.text}}, literal: true}))
		} else if d.is(n, path, '"', "text, a number, true or false") {
			d.setParsed(v, n, path)
		}
		return
	case pathType, durationType:
		if d.is(n, path, '"', "text") {
			d.setParsed(v, n, path)
		}
		return
	case pathsType:
		d.setPaths(v, n, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.set(v.Elem(), n, path)
	case reflect.Struct:
		d.setStruct(v, n, path)
	case reflect.Map:
		d.setMap(v, n, path)
	case reflect.Slice:
		d.setList(v, n, path)
	case reflect.String:
		d.setText(v, n, path)
	case reflect.Bool:
		if d.is(n, path, 't', "true or false") {
			v.SetBool(n.text == "true")
		}
	default:
		d.setNumber(v, n, path)
	}
}

// is reports whether a node is of a kind, and notes a mistake if it is not.
func (d *decoder) is(n *node, path string, kind byte, want string) bool {
	if n.kind == kind {
		return true
	}
	d.wrong(n, path, "write "+want, "it is %s", n.is())
	return false
}

func (d *decoder) setText(v reflect.Value, n *node, path string) {
	if !d.is(n, path, '"', "text in quotes") {
		return
	}
	if strings.ContainsFunc(n.text, func(r rune) bool { return r < ' ' || r == 0x7f }) || foreign.Fit(n.text) != n.text {
		d.wrong(n, path, "write one line of plain text", "it holds characters that do not print, or is too long")
		return
	}
	if list, ok := v.Interface().(interface{ choices() []string }); ok && !slices.Contains(list.choices(), n.text) {
		d.wrong(n, path, "write "+known(list.choices()), "%q is not known", foreign.Name(n.text))
		return
	}
	v.SetString(n.text)
}

func (d *decoder) setNumber(v reflect.Value, n *node, path string) {
	if !d.is(n, path, '0', "a number") {
		return
	}
	number, err := strconv.ParseFloat(n.text, 64)
	switch {
	case err != nil:
		d.wrong(n, path, "write a smaller one", "the number is too large")
	case v.CanFloat():
		v.SetFloat(number)
	case number != float64(int32(number)):
		d.wrong(n, path, "write a whole number", "%s is not a whole number that fits", foreign.Name(n.text))
	default:
		v.SetInt(int64(number))
	}
}

// setParsed fills what has a language of its own.
func (d *decoder) setParsed(v reflect.Value, n *node, path string) {
	var err error
	remedy := ""
	switch target := v.Addr().Interface().(type) {
	case *Template:
		*target, err = ParseTemplate(n.text)
	case *Path:
		*target, err = ParsePath(n.text)
		remedy = "write it as in data.token, or header:NAME"
	case *words.Duration:
		if err = target.UnmarshalText([]byte(n.text)); err == nil && *target <= 0 {
			err = fmt.Errorf("the duration %s is not positive", time.Duration(*target))
		}
	}
	if err != nil {
		d.wrong(n, path, remedy, "%s", foreign.Error(err))
	}
}

// setPaths takes one path or a list of them.
func (d *decoder) setPaths(v reflect.Value, n *node, path string) {
	if n.kind == '[' {
		d.setList(v, n, path)
		return
	}
	one := reflect.New(pathType).Elem()
	if d.is(n, path, '"', "a path, or a list of them") {
		d.setParsed(one, n, path)
		v.Set(reflect.Append(v, one))
	}
}

func (d *decoder) setList(v reflect.Value, n *node, path string) {
	if !d.is(n, path, '[', "a list in square brackets") {
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.set(list.Index(i), item, fmt.Sprintf("%s[%d]", path, i))
	}
	v.Set(list)
}

func (d *decoder) setMap(v reflect.Value, n *node, path string) {
	if !d.is(n, path, '{', "an object in braces") {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.members)))
	for _, m := range n.members {
		value := reflect.New(v.Type().Elem()).Elem()
		d.set(value, m.value, join(path, m.name))
		v.SetMapIndex(reflect.ValueOf(m.name), value)
	}
}

func (d *decoder) setStruct(v reflect.Value, n *node, path string) {
	if !d.is(n, path, '{', "an object in braces") {
		return
	}
	fields := fieldsOf(v.Type())
	for i := range n.members {
		m := &n.members[i]
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == m.name }) {
			d.unknown(m, path, fields)
		}
	}
	for _, f := range fields {
		m := n.member(f.name)
		switch {
		case m != nil:
			d.set(v.Field(f.at), m.value, join(path, f.name))
			d.places[join(path, f.name)] = place{m.value.file, m.line}
		case f.needed:
			d.wrong(n, join(path, f.name), "add it", "it is missing")
		}
	}
}

// unknown notes a field that there is not.
func (d *decoder) unknown(m *member, path string, fields []field) {
	remedy, best := "", 3
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
		if far := typo.Distance(strings.ToLower(m.name), f.name); len(m.name) < longestName && far < best {
			remedy, best = "is it "+f.name+"?", far
		}
	}
	if remedy == "" {
		remedy = "known here are " + known(names)
	}
	d.mistakes = append(d.mistakes, Mistake{File: m.value.file, Line: m.line, Field: join(path, m.name), What: "there is no such field", Remedy: remedy})
}

// field is a field of a struct.
type field struct {
	name   string
	at     int
	needed bool
}

func fieldsOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		fields = append(fields, field{f.Tag.Get("json"), i, f.Tag.Get("need") == "yes"})
	}
	return fields
}
