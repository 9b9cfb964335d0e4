package main

import "slices"

// write_types.go owns the code for the payload types: constants, names, and which answers
// which.

func writeTypes(out *page, p *protocol) {
	out.begin("message", "types_generated.go owns the payload types and what kind of message each is.")
	list := p.numbered()
	out.linef("// The payload types, with their names in the published enum.\nconst (")
	for _, m := range list {
		out.linef("Type%s PayloadType = %d // %s", goType(m.name), m.id, m.idName)
	}
	out.linef(")\n")
	first := slices.IndexFunc(list, func(m *message) bool { return m.id > 1000 })
	out.linef("// The range from firstType to lastType has no gaps.\nconst firstType, lastType PayloadType = %d, %d\n", list[first].id, list[len(list)-1].id)

	names := func(name string, of func(*message) string) {
		out.linef("func %s(t PayloadType) string {\nswitch t {", name)
		for _, m := range list {
			out.linef("case %d: return %q", m.id, of(m))
		}
		out.linef("}\nreturn \"\"\n}\n")
	}
	names("enumName", func(m *message) string { return m.idName })
	names("messageName", func(m *message) string { return m.name })

	out.linef("// New returns an empty message of a type. It returns nil for an unknown type, and for\n// that of the envelope.")
	out.linef("func New(t PayloadType) Message {\nswitch t {")
	for _, m := range list {
		if m.name != envelope {
			out.linef("case Type%s: return new(%s)", goType(m.name), goType(m.name))
		}
	}
	out.linef("}\nreturn nil\n}\n")

	out.comment("Answer returns the type of the answer to a request, or false if req is not a request. The answer does not always have the next number. The five order requests are answered by an ExecutionEvent. Instead, any request may be answered by an ErrorRes (2142) or a CommonErrorRes (50), and an order request by an OrderErrorEvent (2132).")
	out.linef("func Answer(req PayloadType) (PayloadType, bool) {\nswitch req {")
	for _, m := range list {
		if m.isRequest() {
			out.linef("case Type%s: return Type%s, true", goType(m.name), goType(p.answer(m).name))
		}
	}
	out.linef("}\nreturn 0, false\n}\n")

	kind := func(comment, name string, is func(*message) bool) {
		out.comment(comment)
		out.linef("func %s(t PayloadType) bool {\nswitch t {\ncase ", name)
		comma := ""
		for _, m := range list {
			if is(m) {
				out.WriteString(comma + "Type" + goType(m.name))
				comma = ",\n"
			}
		}
		out.linef(":\nreturn true\n}\nreturn false\n}\n")
	}
	kind("IsRequest reports whether it is a request: a client sends it and waits for an answer.", "IsRequest", (*message).isRequest)
	kind("IsEvent reports whether it is an event: the service may send it unsolicited. ExecutionEvent and OrderErrorEvent also answer order requests; HeartbeatEvent goes both ways.", "IsEvent", (*message).isEvent)
	kind("IsOrder reports whether it is a request that places, changes or ends an order or a position, and so must not be sent twice.", "IsOrder", (*message).isOrder)
}
