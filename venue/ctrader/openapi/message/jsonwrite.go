package message

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// jsonwrite.go owns encoding JSON: the protocol's field names, integers and enums as
// numbers, absent fields omitted.

// appendKey writes the key of the next field of an object.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, key...)
	return append(b, '"', ':')
}

// appendComma separates the elements of a list.
func appendComma(b []byte) []byte {
	if b[len(b)-1] != '[' {
		b = append(b, ',')
	}
	return b
}

func appendJSONText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			encoded, _ := json.Marshal(text) // cannot fail for a string
			return append(b, encoded...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

func appendJSONDouble(b []byte, value float64, message, field string) ([]byte, error) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return b, &EncodeError{message, field, "is a number that JSON does not have"}
	}
	format := byte('f')
	if size := math.Abs(value); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, value, format, -1, 64), nil
}
