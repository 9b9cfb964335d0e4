package main

import "fmt"

// write_binary.go owns the code for protobuf.

func writeBinary(out *page, p *protocol) {
	out.begin("message", "binary_generated.go owns the messages in protobuf.", "math", "", "github.com/venuekey/venuekey")
	for _, m := range p.own() {
		writeReset(out, p, m)
		writeUnmarshal(out, p, m)
		writeAppend(out, p, m)
	}
}

// writeReset writes code that resets a message and keeps the memory of its slices.
func writeReset(out *page, p *protocol, m *message) {
	name := goType(m.name)
	out.linef("func (m *%s) reset() {\n*m = %s{", name, name)
	for _, f := range m.fields {
		if f.repeated() {
			out.linef("%s: m.%s[:0],", goName(f.name), goName(f.name))
		}
	}
	out.linef("}\n}\n")
}

func wire(f field) string {
	switch f.kind {
	case "double":
		return "asFixed64"
	case "string":
		return "asPiece"
	}
	return "asVarint"
}

// read returns the expression that converts a decoded field to its Go value.
func (f field) read() string {
	switch {
	case f.secret():
		return "venuekey.Secret(f.piece)"
	case f.kind == "string":
		return "string(f.piece)"
	case f.kind == "bool":
		return "f.value != 0"
	case f.kind == "double":
		return "math.Float64frombits(f.value)"
	case f.kind == "uint64":
		return "f.value"
	}
	return fmt.Sprintf("%s(f.value)", f.plain())
}

func writeUnmarshal(out *page, p *protocol, m *message) {
	name, needed := goType(m.name), m.needed()
	seen := "0"
	out.linef("// UnmarshalBinary decodes the message from protobuf. It resets m first and reuses\n// the memory of its slices.")
	out.linef("func (m *%s) UnmarshalBinary(b []byte) error {\nm.reset()", name)
	if needed != 0 {
		out.linef("var seen uint64")
		seen = "seen"
	}
	for _, f := range m.fields {
		if p.byName[f.kind] != nil && !f.repeated() {
			out.linef("var parts%d []byte // of %s", f.number, f.name)
		}
	}
	out.linef("f := fields{rest: b}\nfor f.next() {")
	if len(m.fields) > 0 {
		out.linef("switch f.key {")
		for _, f := range m.fields {
			writeCase(out, p, m, f)
		}
		out.linef("}")
	}
	out.linef("}")
	out.linef("if err := f.done(%q, %s, b, %s, %#x); err != nil {\nreturn err\n}", name, table(name, "Fields"), seen, needed)
	for _, f := range m.fields {
		if p.byName[f.kind] == nil || f.repeated() {
			continue
		}
		// Also if the field is required: then done has checked that it is present.
		out.linef("if parts%d != nil {", f.number)
		if f.optional() {
			out.linef("m.%s = new(%s)", goName(f.name), goType(f.kind))
		}
		out.linef("if err := m.%s.UnmarshalBinary(parts%d); err != nil {\nreturn inside(err, %q, %q)\n}\n}", goName(f.name), f.number, name, f.name)
	}
	out.linef("return nil\n}\n")
}

func writeCase(out *page, p *protocol, m *message, f field) {
	name, target := goType(m.name), "m."+goName(f.name)
	inner := p.byName[f.kind] != nil
	switch {
	case inner && f.repeated():
		out.linef("case %d<<3 | asPiece:\n%s = extended(%s)", f.number, target, target)
		out.linef("if err := %s[len(%s)-1].UnmarshalBinary(f.piece); err != nil {\nreturn inside(err, %q, %q)\n}", target, target, name, f.name)
	case inner:
		out.linef("case %d<<3 | asPiece:\nparts%d = joined(parts%d, f.piece)", f.number, f.number, f.number)
	case f.repeated():
		out.linef("case %d<<3 | asVarint:\n%s = append(%s, %s)", f.number, target, target, f.read())
		out.linef("case %d<<3 | asPiece:\n%s, f.fault = unpack(%s, f.piece)", f.number, target, target)
	case f.optional():
		out.linef("case %d<<3 | %s:\n%s = Some(%s)", f.number, wire(f), target, f.read())
	default:
		out.linef("case %d<<3 | %s:\n%s = %s", f.number, wire(f), target, f.read())
	}
	if f.required() {
		out.linef("seen |= 1<<%d", f.number)
	}
}

func writeAppend(out *page, p *protocol, m *message) {
	name := goType(m.name)
	nested := false
	for _, f := range m.fields {
		nested = nested || p.byName[f.kind] != nil
	}
	out.linef("// AppendBinary appends the message in protobuf, with the fields sorted by number.")
	out.linef("func (m *%s) AppendBinary(b []byte) ([]byte, error) {", name)
	if nested {
		out.linef("var at int\nvar err error")
	}
	for _, f := range byNumber(m.fields) {
		target := "m." + goName(f.name)
		switch {
		case p.byName[f.kind] != nil:
			writeAppendInner(out, name, f, target)
		case f.repeated():
			out.linef("for _, v := range %s {\n%s\n}", target, f.write("v"))
		case f.optional():
			out.linef("if v, ok := %s.Get(); ok {\n%s\n}", target, f.write("v"))
		default:
			out.linef("%s", p.refusal(name, f, target)+f.write(target))
		}
	}
	out.linef("return b, nil\n}\n")
}

func writeAppendInner(out *page, name string, f field, target string) {
	each, after := target, "}"
	switch {
	case f.repeated():
		out.linef("for i := range %s {", target)
		each += "[i]"
	case f.optional():
		out.linef("if %s != nil {", target)
	default:
		after = ""
	}
	out.linef("b, at = opened(b, %d<<3 | asPiece)", f.number)
	out.linef("if b, err = %s.AppendBinary(b); err != nil {\nreturn b, inside(err, %q, %q)\n}", each, name, f.name)
	out.linef("b = closed(b, at)\n%s", after)
}

// refusal returns the check of a required enum that has no value 0: a zero means that the
// caller forgot to set it, and must not be sent with an order.
func (p *protocol) refusal(name string, f field, target string) string {
	e := p.enumOf[f.kind]
	if e == nil {
		return ""
	}
	for _, v := range e.values {
		if v.number == 0 {
			return ""
		}
	}
	return fmt.Sprintf("if %s == 0 {\nreturn b, notSet(%q, %q)\n}\n", target, name, f.name)
}

func (f field) write(v string) string {
	key := fmt.Sprintf("%d<<3 | %s", f.number, wire(f))
	switch f.kind {
	case "string":
		return fmt.Sprintf("b = appendText(b, %s, %s)", key, v)
	case "bool":
		return fmt.Sprintf("b = appendBool(b, %s, %s)", key, v)
	case "double":
		return fmt.Sprintf("b = appendDouble(b, %s, %s)", key, v)
	case "uint64":
		return fmt.Sprintf("b = appendNumber(b, %s, %s)", key, v)
	}
	return fmt.Sprintf("b = appendNumber(b, %s, uint64(%s))", key, v)
}
