package main

// write_enums.go owns the enums.

import (
	"strconv"
	"strings"
)

func writeEnums(out *page, p *protocol) {
	out.begin("message", "enums_generated.go owns the enums.")
	for _, e := range p.enums {
		if !isPayloadTypes(e.name) {
			writeEnum(out, e)
		}
	}
}

func writeEnum(out *page, e *enum) {
	name := goType(e.name)
	text := name + " is the enum " + e.name + "."
	if strings.HasSuffix(name, "ErrorCode") {
		text += " On the wire an error code is the name, in a text field."
	}
	out.comment(text + " A number that is not listed is kept as it came.")
	out.linef("type %s int32\n", name)
	out.linef("// The values of %s. The comment is the name in the protocol.\nconst (", name)
	var list []string
	for _, v := range e.values {
		out.linef("%s %s = %d // %s", constant(e, v), name, v.number, v.name)
		list = append(list, strconv.Itoa(v.number)+" "+v.name)
	}
	out.linef(")\n")
	names, start := table(name, "Values"), prefix(e)
	out.linef("const %s = %q\n", names, strings.Join(list, " "))
	out.linef("// String is the name in the protocol, and the digits of a number without one.")
	out.linef("func (v %s) String() string { return valueName(%s, int32(v)) }\n", name, names)
	also := ""
	if start != "" {
		also = ", with " + start + " before it or not"
	}
	out.comment("Parse" + name + " reads a name" + also + ", or a number. The error is a *ValueError.")
	out.linef("func Parse%s(text string) (%s, error) {", name, name)
	out.linef("value, err := parsed(%q, %s, %q, text)\nreturn %s(value), err\n}\n", name, names, start, name)
	out.linef("// UnmarshalJSON reads a number or a name; JSON is written with the number.")
	out.linef("func (v *%s) UnmarshalJSON(text []byte) error {", name)
	out.linef("value, err := enumJSON(%q, %s, %q, text)\nif err == nil {\n*v = %s(value)\n}\nreturn err\n}\n", name, names, start, name)
}
