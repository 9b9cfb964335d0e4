package message

import (
	"iter"
	"strconv"
	"strings"
)

// payloadtype.go owns payload types, their names, and finding one by name.

// PayloadType is the number of a message type, which every envelope carries.
type PayloadType int32

// String returns the name in the published enum, such as PROTO_OA_TRADER_REQ, or the
// digits of a number that has none.
func (t PayloadType) String() string {
	if name := enumName(t); name != "" {
		return name
	}
	return strconv.Itoa(int(t))
}

// Name returns the full name of the message, such as ProtoOATraderReq, or "" for an
// unknown number.
func Name(t PayloadType) string { return messageName(t) }

// All returns every payload type in numerical order, including that of the envelope (5).
func All() []PayloadType {
	list := []PayloadType{TypeMessage, TypeCommonErrorRes, TypeHeartbeatEvent}
	for t := firstType; t <= lastType; t++ {
		list = append(list, t)
	}
	return list
}

// ByName finds a payload type by the full name of its message, by that name without the
// prefix Proto or ProtoOA, by the enum's name with or without PROTO_OA_, or by its number,
// regardless of case. ErrorRes means ProtoOAErrorRes (2142); ERROR_RES and CommonErrorRes
// mean ProtoErrorRes (50).
func ByName(name string) (PayloadType, bool) {
	for _, spelled := range []func(PayloadType) string{
		PayloadType.String, Name, goName, // as they are written
		func(t PayloadType) string { return strings.TrimPrefix(Name(t), "Proto") },
		func(t PayloadType) string { return strings.TrimPrefix(t.String(), "PROTO_OA_") },
		func(t PayloadType) string { return strconv.Itoa(int(t)) },
	} {
		for _, t := range All() {
			if strings.EqualFold(spelled(t), name) {
				return t, true
			}
		}
	}
	return 0, false
}

// Nearest suggests message names, without their prefix, for a name that ByName does not
// find: at most three, the best first.
func Nearest(name string) []string {
	short := name
	for _, prefix := range []string{"PROTO_OA_", "ProtoOA", "Proto"} {
		if len(short) > len(prefix) && strings.EqualFold(short[:len(prefix)], prefix) {
			short = short[len(prefix):]
			break
		}
	}
	return nearest(strings.ReplaceAll(short, "_", ""), goNames())
}

func goNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, t := range All() {
			if !yield(goName(t)) {
				return
			}
		}
	}
}

// goName returns the name without its prefix, which is that of the Go type except for
// case.
func goName(t PayloadType) string {
	switch t {
	case TypeCommonErrorRes:
		return "CommonErrorRes"
	case 0:
		return ""
	}
	name := Name(t)
	if short, ok := strings.CutPrefix(name, "ProtoOA"); ok {
		return short
	}
	return strings.TrimPrefix(name, "Proto")
}
