package main

import (
	"fmt"
	"slices"
)

// write_json.go owns the code for JSON.

func writeJSON(out *page, p *protocol) {
	out.begin("message", "json_generated.go owns the messages in JSON.", "fmt", "log/slog", "strconv", "", "github.com/venuekey/venuekey")
	for _, m := range p.own() {
		name := goType(m.name)
		out.linef("// UnmarshalJSON decodes the message from JSON and skips unknown keys.")
		out.linef("func (m *%s) UnmarshalJSON(text []byte) error { return readJSONInto(m, %q, text, false) }\n", name, name)
		out.linef("// MarshalJSON implements json.Marshaler. The result is for the wire: it includes\n// secrets.")
		out.linef("func (m %s) MarshalJSON() ([]byte, error) { return m.AppendJSON(nil) }\n", name)
		if slices.ContainsFunc(m.fields, field.secret) {
			out.linef("// LogValue implements slog.LogValuer: the message without its secrets, which a\n// JSON handler would otherwise get from MarshalJSON.")
			out.linef("func (m %s) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf(\"%%+v\", m)) }\n", name)
		}
		writeReadJSON(out, p, m)
		writeAppendJSON(out, p, m)
	}
}

func writeReadJSON(out *page, p *protocol, m *message) {
	name := goType(m.name)
	out.linef("func (m *%s) readJSON(r *reader) {\nm.reset()", name)
	if len(m.fields) > 0 {
		out.linef("var seen uint64")
	}
	out.linef("for key, ok := r.firstKey(%q); ok; key, ok = r.nextKey(%q) {\nswitch string(key) {", name, name)
	for _, f := range m.fields {
		out.linef("case %q:\nif r.field(key, &seen, 1<<%d) {", f.name, f.number)
		writeReadField(out, p, f)
		out.linef("}")
	}
	if m.id != 0 {
		out.linef("case \"payloadType\":\nr.ownType(key, Type%s)", name)
	}
	out.linef("default:\nr.unknown(%s, key)\n}\n}", table(name, "Fields"))
	if needed := m.needed(); needed != 0 {
		out.linef("r.need(%q, %s, seen, %#x)", name, table(name, "Fields"), needed)
	}
	out.linef("}\n")
}

func writeReadField(out *page, p *protocol, f field) {
	target := "m." + goName(f.name)
	inner := p.byName[f.kind] != nil
	switch {
	case f.repeated():
		out.linef("%s = %s[:0]\nfor ok := r.firstElement(); ok; ok = r.nextElement() {", target, target)
		if inner {
			out.linef("%s = extended(%s)\n%s[len(%s)-1].readJSON(r)\n}", target, target, target, target)
			return
		}
		out.linef("%s = append(%s, %s)\n}", target, target, p.readValue(f))
	case inner && f.optional():
		out.linef("%s = new(%s)\n%s.readJSON(r)", target, goType(f.kind), target)
	case inner:
		out.linef("%s.readJSON(r)", target)
	case f.optional():
		out.linef("%s = Some(%s)", target, p.readValue(f))
	default:
		out.linef("%s = %s", target, p.readValue(f))
	}
}

func (p *protocol) readValue(f field) string {
	if e := p.enumOf[f.kind]; e != nil {
		name := goType(f.kind)
		return fmt.Sprintf("%s(r.enum(%q, %s, %q))", name, name, table(name, "Values"), prefix(e))
	}
	if f.secret() {
		return "venuekey.Secret(r.string())"
	}
	return "r." + scalars[f.kind] + "()"
}

func writeAppendJSON(out *page, p *protocol, m *message) {
	name := goType(m.name)
	out.linef("// AppendJSON appends the message in JSON.")
	out.linef("func (m *%s) AppendJSON(b []byte) ([]byte, error) {", name)
	if slices.ContainsFunc(m.fields, func(f field) bool { return p.byName[f.kind] != nil || f.kind == "double" }) {
		out.linef("var err error")
	}
	out.linef("b = append(b, '{')")
	for _, f := range byNumber(m.fields) {
		writeAppendJSONField(out, p, name, f)
	}
	out.linef("return append(b, '}'), nil\n}\n")
}

func writeAppendJSONField(out *page, p *protocol, name string, f field) {
	target := "m." + goName(f.name)
	key := fmt.Sprintf("b = appendKey(b, %q)", f.name)
	inner := p.byName[f.kind] != nil
	switch {
	case f.repeated():
		out.linef("if len(%s) > 0 {\n%s\nb = append(b, '[')\nfor i := range %s {\nb = appendComma(b)", target, key, target)
		out.linef("%s\n}\nb = append(b, ']')\n}", f.writeJSON(name, target+"[i]", inner))
	case inner && f.optional():
		out.linef("if %s != nil {\n%s\n%s\n}", target, key, f.writeJSON(name, target, true))
	case f.optional():
		out.linef("if v, ok := %s.Get(); ok {\n%s\n%s\n}", target, key, f.writeJSON(name, "v", false))
	default:
		out.linef("%s%s\n%s", p.refusal(name, f, target), key, f.writeJSON(name, target, inner))
	}
}

func (f field) writeJSON(name, v string, inner bool) string {
	switch {
	case inner:
		return fmt.Sprintf("if b, err = %s.AppendJSON(b); err != nil {\nreturn b, inside(err, %q, %q)\n}", v, name, f.name)
	case f.kind == "double":
		return fmt.Sprintf("if b, err = appendJSONDouble(b, %s, %q, %q); err != nil {\nreturn b, err\n}", v, name, f.name)
	case f.secret():
		return fmt.Sprintf("b = appendJSONText(b, string(%s))", v)
	case f.kind == "string":
		return fmt.Sprintf("b = appendJSONText(b, %s)", v)
	case f.kind == "bool":
		return fmt.Sprintf("b = strconv.AppendBool(b, %s)", v)
	case f.kind == "uint64":
		return fmt.Sprintf("b = strconv.AppendUint(b, %s, 10)", v)
	case f.kind == "int64":
		return fmt.Sprintf("b = strconv.AppendInt(b, %s, 10)", v)
	}
	return fmt.Sprintf("b = strconv.AppendInt(b, int64(%s), 10)", v)
}

// byNumber returns the fields sorted by number, their order on the wire.
func byNumber(fields []field) []field {
	return slices.SortedFunc(slices.Values(fields), func(a, b field) int { return a.number - b.number })
}
