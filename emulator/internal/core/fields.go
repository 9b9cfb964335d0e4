package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// fields.go owns how structs of public fields (knobs, faults, users, apps) are written and
// read as JSON: by their field names in any case, with durations as strings.

// showFields returns a struct as it is encoded in JSON.
func showFields(v reflect.Value) map[string]any {
	out := make(map[string]any, v.NumField())
	for f, value := range v.Fields() {
		switch {
		case !f.IsExported():
		case f.Type == reflect.TypeFor[time.Duration]():
			out[f.Name] = value.Interface().(time.Duration).String()
		case f.Type.Kind() == reflect.Struct:
			out[f.Name] = showFields(value)
		default:
			out[f.Name] = value.Interface()
		}
	}
	return out
}

// mergeFields sets the fields that the JSON object contains.
func mergeFields(v reflect.Value, object []byte, path string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return fmt.Errorf("emulator: want a JSON object%s", inside(path))
	}
	for name, raw := range fields {
		f, ok := v.Type().FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) })
		if !ok || !f.IsExported() {
			return fmt.Errorf("emulator: there is no field %q", path+name)
		}
		if err := mergeField(v.FieldByIndex(f.Index), raw, path+f.Name); err != nil {
			return err
		}
	}
	return nil
}

func mergeField(v reflect.Value, raw []byte, path string) error {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("emulator: field %s: want a duration such as \"90s\"", path)
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("emulator: field %s: want a duration such as \"90s\"", path)
		}
		v.SetInt(int64(d))
		return nil
	case v.Kind() == reflect.Struct:
		return mergeFields(v, raw, path+".")
	}
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
			// The error's text may contain the value, which may be a password.
			return fmt.Errorf("emulator: field %s: want a %s", path, v.Type())
		}
		return fmt.Errorf("emulator: field %s: %w", path, err)
	}
	return nil
}

func inside(path string) string {
	if path == "" {
		return ""
	}
	return " in " + strings.TrimSuffix(path, ".")
}
