package message

import (
	"bytes"
	"encoding/json"
)

// entity.go owns what a user sync tells: entities, in snapshots and in changes.

//go:generate go run ./internal/generate

// Entity is something that the venue keeps for a user: an *Account, an *Order, a *Position
// or another of this package, or *Other.
type Entity interface {
	// EntityType is the venue's word for what it is, such as "orderVersion".
	EntityType() string
	// EntityID is its number, 0 if there is none.
	EntityID() int64
}

// Other is an entity of a type that this package does not know, or one that it could not read.
type Other struct {
	Type string
	ID   int64
	Raw  json.RawMessage
	// Err is why an entity of a known type could not be read.
	Err error
}

// EntityType implements Entity.
func (o *Other) EntityType() string { return o.Type }

// EntityID implements Entity.
func (o *Other) EntityID() int64 { return o.ID }

// Kind is what became of an entity: Created, Updated, Deleted, or the venue's word if it is
// another.
type Kind string

// The kinds of changes.
const (
	Created Kind = "Created"
	Updated Kind = "Updated"
	Deleted Kind = "Deleted"
	// InSnapshot is one that was there when a user sync began. It is not the venue's word.
	InSnapshot Kind = "Snapshot"
)

// Change is an entity, and what became of it.
type Change struct {
	Kind   Kind
	Entity Entity
}

// Changes reads the data of an event about entities: one, or several of a type. What cannot be
// read as what it is comes as *Other, so an error says that the text is not JSON.
func Changes(text []byte) ([]Change, error) {
	var kind, entityType string
	var entities []byte
	s := scanner{text: text}
	err := s.object(func(key []byte) (err error) {
		switch string(key) {
		case "entityType":
			return within("entityType", s.str(&entityType))
		case "eventType":
			return within("eventType", s.str(&kind))
		case "entity":
			entities, err = s.value()
			return err
		}
		_, err = s.value()
		return err
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return changesOf(nil, Kind(kind), entityType, entities), nil
}

// Snapshot reads the state with which a user sync begins, or a part of it: lists of entities.
// A list of no known type, and whatever is no list, is an *Other with the name of the list.
func Snapshot(text []byte) (changes []Change, err error) {
	s := scanner{text: text}
	err = s.object(func(key []byte) error {
		name := string(key)
		value, err := s.value()
		if err != nil {
			return err
		}
		if entityType := typeOfList(name); entityType != "" && len(value) > 0 && value[0] == '[' {
			changes = changesOf(changes, InSnapshot, entityType, value)
		} else {
			changes = append(changes, Change{InSnapshot, &Other{Type: name, Raw: bytes.Clone(value)}})
		}
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// changesOf reads an entity, or a list of them, of text that is JSON.
func changesOf(to []Change, kind Kind, entityType string, text []byte) []Change {
	if len(text) == 0 || text[0] != '[' {
		return append(to, Change{kind, entityOf(entityType, text)})
	}
	s := scanner{text: text}
	_ = s.list(func() error {
		one, err := s.value()
		if err == nil {
			to = append(to, Change{kind, entityOf(entityType, one)})
		}
		return err
	})
	return to
}

// entityOf reads one.
func entityOf(entityType string, text []byte) Entity {
	other := &Other{Type: entityType}
	if known := newEntity(entityType); known != nil {
		if other.Err = decode(text, known); other.Err == nil {
			return known.(Entity) // all that newEntity makes are
		}
	}
	other.Raw = bytes.Clone(text)
	s := scanner{text: text}
	_ = s.object(func(key []byte) error {
		if string(key) == "id" {
			return s.number64(&other.ID)
		}
		_, err := s.value()
		return err
	})
	return other
}
