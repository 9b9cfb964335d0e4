package message

import (
	"iter"
	"strconv"
	"strings"
)

// text.go owns reading the tables in the generated code. Each is one constant, "number
// name number name ...", because a constant costs nothing at program start and a map
// does.

func entries(table string) iter.Seq2[string, string] {
	return func(yield func(number, name string) bool) {
		for table != "" {
			var number, name string
			number, table, _ = strings.Cut(table, " ")
			name, table, _ = strings.Cut(table, " ")
			if !yield(number, name) {
				return
			}
		}
	}
}

// fieldName returns the name of a field, "number 7" for an unknown field, and "" for 0,
// which no field has.
func fieldName(table string, number uint64) string {
	if number == 0 {
		return ""
	}
	digits := strconv.FormatUint(number, 10)
	for entry, name := range entries(table) {
		if entry == digits {
			return name
		}
	}
	return "number " + digits
}

// valueName returns the name of an enum value, or its digits if it has none.
func valueName(table string, value int32) string {
	digits := strconv.Itoa(int(value))
	for entry, name := range entries(table) {
		if entry == digits {
			return name
		}
	}
	return digits
}

// valueOf returns the value with a name, with or without the prefix that the names of the
// enum share, regardless of case.
func valueOf(table, prefix, text string) (int32, bool) {
	for number, name := range entries(table) {
		if strings.EqualFold(name, text) || prefix != "" && strings.EqualFold(name[len(prefix):], text) {
			value, _ := strconv.ParseInt(number, 10, 32)
			return int32(value), true
		}
	}
	return 0, false
}

// parsed reads a value as a number or a name.
func parsed(enum, table, prefix, text string) (int32, error) {
	if value, ok := valueOf(table, prefix, text); ok {
		return value, nil
	}
	if value, err := strconv.ParseInt(text, 10, 32); err == nil {
		return int32(value), nil
	}
	return 0, &ValueError{Enum: enum, Text: text, Nearest: nearest(text, names(table))}
}

func names(table string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range entries(table) {
			if !yield(name) {
				return
			}
		}
	}
}

// ValueError reports a text that is not a value of an enum.
type ValueError struct {
	// Enum is the Go name of the enum, Text what was to be read.
	Enum, Text string
	// Nearest are the names that are most similar to Text, the best first.
	Nearest []string
}

// Error implements error.
func (e *ValueError) Error() string {
	return "enum " + e.Enum + " has no value " + strconv.Quote(shortened(e.Text)) + suggestion(e.Nearest)
}

func suggestion(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}

// shortened truncates long input for an error message.
func shortened(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
