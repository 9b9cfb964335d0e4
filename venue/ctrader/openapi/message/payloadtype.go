package message

// payloadtype.go owns finding a payload type by what people call it.

import (
	"iter"
	"strconv"
	"strings"
)

// PayloadType is the number of a message, which every envelope carries.
type PayloadType int32

// String is the name that the published enum has for the number, such as
// PROTO_OA_TRADER_REQ, and the digits of a number that it does not have.
func (t PayloadType) String() string {
	if name := enumName(t); name != "" {
		return name
	}
	return strconv.Itoa(int(t))
}

// Name is the full name of the message, such as ProtoOATraderReq, and empty for
// an unknown number.
func Name(t PayloadType) string { return messageName(t) }

// All lists every payload type in the order of the numbers, that of the
// envelope (5) included.
func All() []PayloadType {
	list := []PayloadType{TypeMessage, TypeCommonErrorRes, TypeHeartbeatEvent}
	for t := firstType; t <= lastType; t++ {
		list = append(list, t)
	}
	return list
}

// ByName finds a payload type by its message's full name, by that name without
// Proto or ProtoOA, by the enum's name, whole or without PROTO_OA_, or by its
// number. The case of letters does not matter. ErrorRes is the one of
// ProtoOAErrorRes (2142), ERROR_RES and CommonErrorRes the one of
// ProtoErrorRes (50).
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

// Nearest lists the short message names that look most like a name that ByName
// does not find, the best first, three at most.
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

// goName is the name without its prefix, and so that of the Go type but for the
// case of letters.
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
