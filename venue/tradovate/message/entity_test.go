package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every entity can be read, from null fields too, and written as what it was.
func TestEveryEntity(t *testing.T) {
	for _, list := range []string{"accounts", "accountRiskStatuses", "cashBalances", "fills", "orders", "orderVersions", "positions", "users", "userPlugins"} {
		entity := newEntity(typeOfList(list))
		if entity == nil {
			t.Errorf("there is no entity for %s", list)
			continue
		}
		known := reflect.TypeOf(entity).Elem()
		var nulls, fields []string
		for i := range known.NumField() - 1 {
			name, _, _ := strings.Cut(known.Field(i).Tag.Get("json"), ",")
			nulls = append(nulls, fmt.Sprintf("%q:null", name))
			fields = append(fields, fmt.Sprintf("%q:%s", name, sampleOf(known.Field(i).Type)))
		}
		if err := decode([]byte("{"+strings.Join(nulls, ",")+"}"), entity); err != nil || !reflect.ValueOf(entity).Elem().IsZero() {
			t.Errorf("%s of nulls: %+v %v", list, entity, err)
		}
		text := "{" + strings.Join(fields, ",") + "}"
		if err := decode([]byte(text), entity); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if written, err := json.Marshal(entity); err != nil || string(written) != text {
			t.Errorf("%s was written as %s (%v)", text, written, err)
		}
	}
}

// sampleOf is a value of a field, as the venue writes it.
func sampleOf(t reflect.Type) string {
	switch t.String() {
	case "int64":
		return "42"
	case "bool":
		return "true"
	case "message.Number":
		return "-0.5"
	case "time.Time":
		return `"2026-11-03T15:04:05.678Z"`
	case "message.Date":
		return `{"year":2026,"month":11,"day":3}`
	}
	return `"Buy"`
}

// FuzzEntities lets encoding/json judge what is read as an entity: the same values, and what
// it accepts is accepted.
func FuzzEntities(f *testing.F) {
	for _, text := range []string{
		`{"id":1,"accountId":2,"timestamp":"2026-11-03T15:04:05.678Z","netPos":-1.5e2,"tradeDate":{"year":1,"x":2},"prevPrice":null}`,
		`{"id":"7","ordStatus":"Working","admin":true,"action":"\u0042uy","contractId":9223372036854775807}`,
		`{"id":1,"id":2,"ID":3,"text":5}`, `{"timestamp":"2026-11-03"}`, `{"admin":1}`, `null`, `[]`,
	} {
		f.Add(uint8(0), []byte(text))
		f.Add(uint8(9), []byte(text))
	}
	lists := []string{"orders", "positions", "fills", "accounts", "cashBalances", "orderVersions", "executionReports", "products", "users", "userPlugins", "commands"}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		got := newEntity(typeOfList(lists[int(which)%len(lists)]))
		err := decode(text, got)
		var known *Error
		if errors.As(err, &known) && known.Reason == "it is nested too deep" || !utf8.Valid(text) {
			return
		}
		if err == nil && !json.Valid(text) {
			t.Fatalf("%q was read and is not JSON", text)
		}
		want := reflect.New(reflect.TypeOf(got).Elem())
		if judgeEntity(text, want.Interface()) != nil {
			return // the scanner takes more than that: quoted numbers, days, numbers as texts
		}
		if err != nil {
			t.Fatalf("%q: %v, encoding/json takes it", text, err)
		}
		reflect.ValueOf(got).Elem().FieldByName("Unknown").SetZero()
		if !reflect.DeepEqual(got, want.Interface()) {
			t.Errorf("%q: %+v, encoding/json says %+v", text, got, want)
		}
	})
}

// judgeEntity reads an entity by encoding/json, by exact keys, of which the last counts.
func judgeEntity(text []byte, to any) error {
	if len(text) == 0 || text[0] != '{' {
		return errors.New("it is no object")
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	known := reflect.TypeOf(to).Elem()
	kept := map[string]json.RawMessage{}
	for i := range known.NumField() - 1 {
		name, _, _ := strings.Cut(known.Field(i).Tag.Get("json"), ",")
		if value, ok := all[name]; ok {
			kept[name] = value
		}
	}
	for name, value := range kept {
		var date map[string]json.RawMessage
		if json.Unmarshal(value, &date) == nil && date != nil {
			exact := map[string]json.RawMessage{}
			for _, part := range []string{"year", "month", "day"} {
				if v, ok := date[part]; ok {
					exact[part] = v
				}
			}
			kept[name], _ = json.Marshal(exact)
		}
	}
	again, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return json.Unmarshal(again, to)
}
