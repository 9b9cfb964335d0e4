package main

import (
	"fmt"
	"slices"
	"strings"
)

// tables.go owns what the tables say.

// entity is one kind of thing that the venue keeps for a user.
type entity struct {
	Name, List string // as the venue writes them
	Fields     []field
}

// field is one of an entity. Enum is "" unless its type is one.
type field struct{ Name, Type, Enum string }

// enum is a type with a set of values.
type enum struct {
	Name   string
	Values []string
}

type tables struct {
	Entities []entity
	Enums    []enum
}

// types are those of fields, and how each is in Go and read.
var types = map[string]struct{ goType, read string }{
	"id":     {"int64", "number64"},
	"int":    {"int64", "number64"},
	"number": {"Number", "float"},
	"bool":   {"bool", "truth"},
	"string": {"string", "str"},
	"time":   {"time.Time", "time"},
	"date":   {"Date", "date"},
}

// readTables reads all three, and refuses what cannot be.
func readTables(entities, enums, lists string) (tables, error) {
	var t tables
	err := rows(enums, 2, func(row []string) error {
		t.Enums = grown(t.Enums, func(e enum) bool { return e.Name == row[0] }, enum{Name: row[0]})
		last := &t.Enums[len(t.Enums)-1]
		if last.Name != row[0] || slices.Contains(last.Values, row[1]) {
			return fmt.Errorf("enum %s is in two places, or has %s twice", row[0], row[1])
		}
		last.Values = append(last.Values, row[1])
		return nil
	})
	if err == nil {
		err = rows(entities, 3, t.addField)
	}
	if err == nil {
		err = rows(lists, 2, func(row []string) error {
			at := slices.IndexFunc(t.Entities, func(e entity) bool { return e.Name == row[0] })
			if at < 0 {
				return fmt.Errorf("there is no entity %s", row[0])
			}
			t.Entities[at].List = row[1]
			return nil
		})
	}
	for _, e := range t.Entities {
		if err == nil && e.List == "" {
			err = fmt.Errorf("entity %s has no list", e.Name)
		}
	}
	return t, err
}

// addField adds a row of entities.tsv.
func (t *tables) addField(row []string) error {
	t.Entities = grown(t.Entities, func(e entity) bool { return e.Name == row[0] }, entity{Name: row[0]})
	last := &t.Entities[len(t.Entities)-1]
	if last.Name != row[0] || slices.ContainsFunc(last.Fields, func(f field) bool { return f.Name == row[1] }) {
		return fmt.Errorf("entity %s is in two places, or has %s twice", row[0], row[1])
	}
	f := field{Name: row[1], Type: row[2]}
	if name, isEnum := strings.CutPrefix(f.Type, "enum:"); isEnum {
		if !slices.ContainsFunc(t.Enums, func(e enum) bool { return e.Name == name }) {
			return fmt.Errorf("there is no enum %s", name)
		}
		f.Type, f.Enum = "enum", name
	} else if _, known := types[f.Type]; !known {
		return fmt.Errorf("unknown type %s", f.Type)
	}
	last.Fields = append(last.Fields, f)
	return nil
}

// grown appends an item unless one of the list is it.
func grown[T any](list []T, is func(T) bool, item T) []T {
	if slices.ContainsFunc(list, is) {
		return list
	}
	return append(list, item)
}

// rows hands out those of a table behind its head.
func rows(table string, columns int, each func(row []string) error) error {
	for i, line := range strings.Split(strings.TrimSuffix(table, "\n"), "\n") {
		row := strings.Split(line, "\t")
		if len(row) != columns {
			return fmt.Errorf("line %d has %d columns, not %d: %q", i+1, len(row), columns, line)
		}
		if i == 0 {
			continue
		}
		if err := each(row); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return nil
}
