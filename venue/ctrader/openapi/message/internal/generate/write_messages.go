package main

import (
	"fmt"
	"strings"
)

// write_messages.go owns the code for the structs.

// scalars gives the Go type of each scalar that the protocol uses.
var scalars = map[string]string{
	"int32": "int32", "int64": "int64", "uint32": "uint32", "uint64": "uint64",
	"double": "float64", "bool": "bool", "string": "string",
}

// plain returns the Go type of a single value of a field.
func (f field) plain() string {
	if f.secret() {
		return "venuekey.Secret"
	}
	if scalar, ok := scalars[f.kind]; ok {
		return scalar
	}
	return goType(f.kind)
}

func (p *protocol) goFieldType(f field) string {
	switch {
	case f.repeated():
		return "[]" + f.plain()
	case f.required():
		return f.plain()
	case p.byName[f.kind] != nil:
		return "*" + f.plain()
	}
	return "Optional[" + f.plain() + "]"
}

func writeMessages(out *page, p *protocol) {
	out.begin("message", "messages_generated.go owns the structs of the messages.", "github.com/venuekey/venuekey")
	for _, m := range p.own() {
		name := goType(m.name)
		out.comment(describe(p, m))
		out.linef("type %s struct {", name)
		for _, f := range m.fields {
			if unit := p.unit(m, f); unit != "" {
				out.comment(unit)
			}
			out.linef("%s %s", goName(f.name), p.goFieldType(f))
		}
		out.linef("}\n")
		if m.id != 0 {
			out.linef("// PayloadType implements Message.\nfunc (*%s) PayloadType() PayloadType { return Type%s }\n", name, name)
		}
		var list []string
		for _, f := range m.fields {
			list = append(list, fmt.Sprintf("%d %s", f.number, f.name))
		}
		out.linef("const %s = %q\n", table(name, "Fields"), strings.Join(list, " "))
	}
}

// describe returns the doc comment of a struct.
func describe(p *protocol, m *message) string {
	text := goType(m.name) + " is " + m.name
	if m.id == 0 {
		return text + ", a part of other messages."
	}
	text += fmt.Sprintf(" (%d)", m.id)
	switch {
	case m.isRequest():
		text += ", a request. The answer is " + goType(p.answer(m).name) + "."
	case m.isEvent():
		text += ", an event."
	default:
		text += ", an answer."
	}
	if m.id == 2173 {
		text += " Leave refreshing to venuekey's Keeper: a refresh token is single-use, and any other program that uses it locks the Keeper out."
	}
	return text
}
