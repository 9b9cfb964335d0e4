package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// encode.go owns encoding messages: as protobuf, as JSON, and as JSON in which everything
// that could be a string is one.

// encode encodes a message in an envelope. A message that cannot be encoded is a bug in this
// package.
func (c *conn) encode(m message.Message, id string) []byte {
	e := message.Envelope{Type: m.PayloadType(), ID: id}
	var err error
	if !c.json {
		if e.Payload, err = m.AppendBinary([]byte{}); err != nil {
			panic(err)
		}
		if len(e.Payload) == 0 && c.s.settings.Current().OmitEmptyPayload {
			e.Payload = nil
		}
		return e.AppendBinary(nil)
	}
	if e.Payload, err = m.MarshalJSON(); err != nil {
		panic(err)
	}
	if c.s.settings.Current().JSONText {
		e.Payload = textual(e.Payload, reflect.TypeOf(m))
	}
	return e.AppendJSON(nil)
}

// textual rewrites the JSON of a message of a type with names for enums and strings for
// 64-bit numbers.
func textual(body []byte, t reflect.Type) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	out, err := json.Marshal(texts(value, t))
	if err != nil {
		panic(err)
	}
	return out
}

func texts(value any, t reflect.Type) any {
	t = bare(t)
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			f, ok := t.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, key) })
			if ok {
				v[key] = texts(inner, f.Type)
			}
		}
	case []any:
		for i := range v {
			v[i] = texts(v[i], t.Elem())
		}
	case json.Number:
		return number(v, t)
	}
	return value
}

func number(v json.Number, t reflect.Type) any {
	switch t.Kind() {
	case reflect.Int64, reflect.Uint64:
		return v.String()
	case reflect.Int32:
		n, err := v.Int64()
		one := reflect.New(t).Elem()
		one.SetInt(n)
		if name, ok := one.Interface().(fmt.Stringer); ok && err == nil {
			return name.String()
		}
	}
	return v
}

// bare returns the type inside a pointer or an Optional.
func bare(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return bare(t.Elem())
	}
	if get, ok := t.MethodByName("Get"); ok && get.Type.NumOut() == 2 {
		return bare(get.Type.Out(0))
	}
	return t
}
