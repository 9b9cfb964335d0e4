package message_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// filler sets the fields of a message: all of them, or each optional one by the
// toss of a coin.
type filler struct {
	random *rand.Rand
	all    bool
}

// filled returns a message of the type with something in its fields.
func filled(t message.PayloadType, seed uint64) message.Message {
	m := message.New(t)
	f := filler{rand.New(rand.NewPCG(seed, uint64(t))), seed == 0}
	f.fill(reflect.ValueOf(m).Elem())
	return m
}

func (f filler) fill(v reflect.Value) {
	if optional, ok := v.Addr().Interface().(interface{ IsZero() bool }); ok {
		f.fillOptional(v, optional)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		if f.present() {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case reflect.Slice:
		if n := f.random.IntN(4); n > 0 || f.all {
			v.Set(reflect.MakeSlice(v.Type(), max(n, 1), 5))
			for i := range v.Len() {
				f.fill(v.Index(i))
			}
		}
	default:
		if err := json.Unmarshal([]byte(f.scalar(v.Kind())), v.Addr().Interface()); err != nil {
			panic(err)
		}
	}
}

func (f filler) fillOptional(v reflect.Value, optional any) {
	if !f.present() {
		return
	}
	text := f.scalar(v.Type().Field(0).Type.Kind())
	if err := optional.(json.Unmarshaler).UnmarshalJSON([]byte(text)); err != nil {
		panic(err)
	}
}

func (f filler) present() bool { return f.all || f.random.IntN(2) == 0 }

// scalar is a value in JSON. Every kind of whole number gets its extremes.
func (f filler) scalar(kind reflect.Kind) string {
	pick := func(texts ...string) string { return texts[f.random.IntN(len(texts))] }
	switch kind {
	case reflect.Int32:
		return pick("1", "2", "-1", "2147483647", "-2147483648") // an enum has no 0 here
	case reflect.Int64:
		return pick("0", "1", "300", "-7", "9223372036854775807", "-9223372036854775808")
	case reflect.Uint32:
		return pick("0", "1", "128", "4294967295")
	case reflect.Uint64:
		return pick("0", "1", "16384", "18446744073709551615")
	case reflect.Float64:
		return pick("0", "1.25", "-1e300", "5e-324", "123456.789", "1e21")
	case reflect.Bool:
		return pick("true", "false")
	case reflect.String:
		return pick(`""`, `"EURUSD"`, `"ü\n\"<€>𝄞\u0001\\"`, fmt.Sprintf("%q", make([]byte, 0)))
	}
	panic(kind)
}
