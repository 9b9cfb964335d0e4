package main

import (
	"strconv"
	"strings"
)

// write_enums.go owns the code for the enums.

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
		text += " On the wire an error code is the name, in a string field."
	}
	out.comment(text + " Decoding keeps numbers that are not listed.")
	out.linef("type %s int32\n", name)
	out.linef("// The values of %s, with their names in the protocol.\nconst (", name)
	var list []string
	for _, v := range e.values {
		out.linef("%s %s = %d // %s", constant(e, v), name, v.number, v.name)
		list = append(list, strconv.Itoa(v.number)+" "+v.name)
	}
	out.linef(")\n")
	names, start := table(name, "Values"), prefix(e)
	out.linef("const %s = %q\n", names, strings.Join(list, " "))
	out.linef("// String returns the name in the protocol, or the digits of a number without one.")
	out.linef("func (v %s) String() string { return valueName(%s, int32(v)) }\n", name, names)
	also := ""
	if start != "" {
		also = ", with or without the prefix " + start
	}
	out.comment("Parse" + name + " parses a name" + also + ", or a number. The error is a *ValueError.")
	out.linef("func Parse%s(text string) (%s, error) {", name, name)
	out.linef("value, err := parsed(%q, %s, %q, text)\nreturn %s(value), err\n}\n", name, names, start, name)
	out.linef("// UnmarshalJSON accepts a number or a name. Marshalling writes the number.")
	out.linef("func (v *%s) UnmarshalJSON(text []byte) error {", name)
	out.linef("value, err := enumJSON(%q, %s, %q, text)\nif err == nil {\n*v = %s(value)\n}\nreturn err\n}\n", name, names, start, name)
}
