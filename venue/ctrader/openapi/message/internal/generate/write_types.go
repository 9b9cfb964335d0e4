package main

// write_types.go owns the payload types: constants, names, which answers which.

import "slices"

func writeTypes(out *page, p *protocol) {
	out.begin("message", "types_generated.go owns the numbers of the messages and what belongs to whom.")
	list := p.numbered()
	out.linef("// The payload types. The comment is the name in the published enum.\nconst (")
	for _, m := range list {
		out.linef("Type%s PayloadType = %d // %s", goType(m.name), m.id, m.idName)
	}
	out.linef(")\n")
	first := slices.IndexFunc(list, func(m *message) bool { return m.id > 1000 })
	out.linef("// The numbers from the one to the other have no holes.\nconst firstType, lastType PayloadType = %d, %d\n", list[first].id, list[len(list)-1].id)

	names := func(name string, of func(*message) string) {
		out.linef("func %s(t PayloadType) string {\nswitch t {", name)
		for _, m := range list {
			out.linef("case %d: return %q", m.id, of(m))
		}
		out.linef("}\nreturn \"\"\n}\n")
	}
	names("enumName", func(m *message) string { return m.idName })
	names("messageName", func(m *message) string { return m.name })

	out.linef("// New returns an empty message of the type, and nil if it has none: for an\n// unknown number, and for that of the envelope.")
	out.linef("func New(t PayloadType) Message {\nswitch t {")
	for _, m := range list {
		if m.name != envelope {
			out.linef("case Type%s: return new(%s)", goType(m.name), goType(m.name))
		}
	}
	out.linef("}\nreturn nil\n}\n")

	out.comment("Answer is the type that answers a request, and false for what is no request. It is not always the next number. The five order requests are answered by an ExecutionEvent. Any request may be answered by an ErrorRes (2142) or a CommonErrorRes (50), an order request by an OrderErrorEvent (2132) too.")
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
	kind("IsRequest reports whether a client sends it and waits for an answer.", "IsRequest", (*message).isRequest)
	kind("IsEvent reports whether the service may send it by itself. ExecutionEvent and OrderErrorEvent are events and the answers of order requests as well; the heartbeat goes both ways.", "IsEvent", (*message).isEvent)
	kind("IsOrder reports whether it is a request that places, changes or ends an order or a position: one that is not to be sent twice.", "IsOrder", (*message).isOrder)
}
