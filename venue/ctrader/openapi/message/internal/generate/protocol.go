package main

import (
	"fmt"
	"strconv"
	"strings"
)

// protocol.go owns reading the tables, and what follows from them.

type protocol struct {
	messages []*message
	byName   map[string]*message
	enums    []*enum
	enumOf   map[string]*enum
}

type message struct {
	name   string // ProtoOATraderReq
	id     int    // payload type, 0 if the message has none
	idName string // PROTO_OA_TRADER_REQ
	fields []field
}

type field struct {
	name, label, kind, standard, unit string
	number                            int
}

type enum struct {
	name   string
	values []value
}

type value struct {
	number int
	name   string
}

// The envelope is written by hand, and so is the type PayloadType.
const envelope = "ProtoMessage"

func isPayloadTypes(enum string) bool {
	return enum == "ProtoPayloadType" || enum == "ProtoOAPayloadType"
}

func readProtocol(messages, enums string) (*protocol, error) {
	p := &protocol{byName: map[string]*message{}, enumOf: map[string]*enum{}}
	ids := map[string]int{}
	for i, row := range rows(enums) {
		if len(row) != 3 {
			return nil, fmt.Errorf("enums.tsv: line %d has %d columns instead of 3", i+2, len(row))
		}
		number, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, fmt.Errorf("enums.tsv: line %d: %w", i+2, err)
		}
		if isPayloadTypes(row[0]) {
			ids[row[2]] = number
		}
		p.addValue(row[0], value{number, row[2]})
	}
	for i, row := range rows(messages) {
		if len(row) != 7 {
			return nil, fmt.Errorf("messages.tsv: line %d has %d columns instead of 7", i+2, len(row))
		}
		number, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, fmt.Errorf("messages.tsv: line %d: %w", i+2, err)
		}
		p.addField(row[0], field{number: number, label: row[2], kind: row[3], name: row[4], standard: row[5], unit: row[6]}, ids)
	}
	return p, p.check()
}

func rows(table string) [][]string {
	var list [][]string
	for _, line := range strings.Split(strings.TrimRight(table, "\n"), "\n")[1:] {
		list = append(list, strings.Split(line, "\t"))
	}
	return list
}

func (p *protocol) addValue(name string, v value) {
	e := p.enumOf[name]
	if e == nil {
		e = &enum{name: name}
		p.enumOf[name] = e
		p.enums = append(p.enums, e)
	}
	e.values = append(e.values, v)
}

// addField skips payloadType, whose default gives the message its number.
func (p *protocol) addField(name string, f field, ids map[string]int) {
	m := p.byName[name]
	if m == nil {
		m = &message{name: name}
		p.byName[name] = m
		p.messages = append(p.messages, m)
	}
	if isPayloadTypes(f.kind) {
		m.id, m.idName = ids[f.standard], f.standard
		return
	}
	if name == envelope {
		m.id, m.idName = ids["PROTO_MESSAGE"], "PROTO_MESSAGE"
	}
	m.fields = append(m.fields, f)
}

// check rejects what the generated code could not express.
func (p *protocol) check() error {
	if len(p.messages) == 0 || p.messages[0].name != envelope {
		return fmt.Errorf("messages.tsv: %s is not the first message", envelope)
	}
	seen := map[int]string{}
	for _, m := range p.messages {
		if m.id == 0 && m.idName != "" {
			return fmt.Errorf("%s: unknown payload type %s", m.name, m.idName)
		}
		if m.id != 0 && seen[m.id] != "" {
			return fmt.Errorf("%s and %s have the payload type %d", seen[m.id], m.name, m.id)
		}
		if m.isRequest() && p.answer(m) == nil {
			return fmt.Errorf("%s has no answer", m.name)
		}
		seen[m.id] = m.name
		if m.name == envelope {
			continue
		}
		if err := p.checkFields(m); err != nil {
			return err
		}
	}
	for _, m := range p.messages {
		if p.depth(m, 0) > 10 {
			return fmt.Errorf("%s contains itself", m.name)
		}
	}
	return nil
}

func (p *protocol) checkFields(m *message) error {
	for _, f := range m.fields {
		if f.number < 1 || f.number > 63 {
			return fmt.Errorf("%s.%s: number %d is not within 1 to 63, the bits of a set of fields", m.name, f.name, f.number)
		}
		if _, scalar := scalars[f.kind]; !scalar && p.byName[f.kind] == nil && p.enumOf[f.kind] == nil {
			return fmt.Errorf("%s.%s: unknown type %s", m.name, f.name, f.kind)
		}
		if f.repeated() && f.kind != "int64" && f.kind != "uint64" && p.byName[f.kind] == nil {
			return fmt.Errorf("%s.%s: a list of %s is new", m.name, f.name, f.kind)
		}
	}
	return nil
}

// depth returns how deep messages nest below m, up to ten levels.
func (p *protocol) depth(m *message, above int) int {
	deepest := above
	for _, f := range m.fields {
		if inner := p.byName[f.kind]; inner != nil && above <= 10 {
			deepest = max(deepest, p.depth(inner, above+1))
		}
	}
	return deepest
}

// own returns the messages to generate code for: all but the envelope.
func (p *protocol) own() []*message { return p.messages[1:] }

// numbered returns the messages with a payload type, sorted by it.
func (p *protocol) numbered() []*message {
	var list []*message
	for id := range 1 << 16 {
		for _, m := range p.messages {
			if id > 0 && m.id == id {
				list = append(list, m)
			}
		}
	}
	return list
}

func (m *message) isRequest() bool { return m.id != 0 && strings.HasSuffix(m.name, "Req") }
func (m *message) isEvent() bool   { return m.id != 0 && strings.HasSuffix(m.name, "Event") }

// isOrder reports whether a request has no answer of its own name, but an ExecutionEvent.
func (m *message) isOrder() bool {
	switch m.id {
	case 2106, 2108, 2109, 2110, 2111:
		return true
	}
	return false
}

// answer returns the message that answers a request.
func (p *protocol) answer(m *message) *message {
	if m.isOrder() {
		return p.byName["ProtoOAExecutionEvent"]
	}
	return p.byName[strings.TrimSuffix(m.name, "Req")+"Res"]
}

func (f field) repeated() bool { return f.label == "repeated" }
func (f field) required() bool { return f.label == "required" }
func (f field) optional() bool { return f.label == "optional" }

// secret reports whether a field holds a secret: whoever has its value can act for the
// user or the application.
func (f field) secret() bool {
	return f.name == "clientSecret" || f.name == "accessToken" || f.name == "refreshToken"
}

// needed returns the set of the required fields, one bit per field number.
func (m *message) needed() uint64 {
	var set uint64
	for _, f := range m.fields {
		if f.required() {
			set |= 1 << f.number
		}
	}
	return set
}
