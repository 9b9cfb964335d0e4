package message

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// wire.go owns the wire format of proto2, as far as this protocol uses it. It does not use
// the official library, which does work at program start.

// The wire types: the low three bits of a field's key.
const (
	asVarint  = 0
	asFixed64 = 1
	asPiece   = 2
	asStart   = 3
	asEnd     = 4
	asFixed32 = 5
)

const (
	maxNumber = 1<<29 - 1
	// maxGroups bounds the nesting of groups. The protocol has no groups, so they are only
	// ever skipped.
	maxGroups = 100
)

// fields iterates over the fields of one message. An unknown field, or one of another wire
// type than declared, has a key that matches none of the caller's cases and is skipped, as
// proto2 requires for both.
type fields struct {
	rest  []byte
	key   uint64 // number<<3 | wire type
	value uint64 // of a varint or a fixed-size field
	piece []byte // of a string, bytes, message or packed field
	fault string
}

func (f *fields) next() bool {
	if len(f.rest) == 0 || f.fault != "" || !f.readKey() {
		return false
	}
	if f.key&7 == asStart {
		return f.skipGroup()
	}
	return f.readValue()
}

func (f *fields) readKey() bool {
	f.key = 0 // an error here belongs to no field
	if !f.varint() {
		return false
	}
	f.key = f.value
	if number := f.key >> 3; number == 0 || number > maxNumber {
		f.key = 0
		return f.fail("has an invalid field number")
	}
	return true
}

func (f *fields) readValue() bool {
	switch f.key & 7 {
	case asVarint:
		return f.varint()
	case asFixed64:
		if len(f.rest) < 8 {
			return f.fail("is cut off")
		}
		f.value = binary.LittleEndian.Uint64(f.rest)
		f.rest = f.rest[8:]
	case asFixed32:
		if len(f.rest) < 4 {
			return f.fail("is cut off")
		}
		f.value = uint64(binary.LittleEndian.Uint32(f.rest))
		f.rest = f.rest[4:]
	case asPiece:
		if !f.varint() {
			return false
		}
		if f.value > uint64(len(f.rest)) {
			return f.fail("is cut off")
		}
		f.piece = f.rest[:f.value:f.value]
		f.rest = f.rest[f.value:]
	case asEnd:
		return f.fail("ends a group that did not begin")
	default:
		return f.fail("has an unknown wire type")
	}
	return true
}

// skipGroup skips the contents of a group. An error in there belongs to the group.
func (f *fields) skipGroup() bool {
	start := f.key
	ok := f.group()
	f.key = start
	return ok
}

func (f *fields) group() bool {
	var open [maxGroups]uint64
	open[0] = f.key >> 3
	for depth := 1; depth > 0; {
		if len(f.rest) == 0 {
			return f.fail("is cut off")
		}
		if !f.readKey() {
			return false
		}
		switch f.key & 7 {
		case asStart:
			if depth == maxGroups {
				return f.fail("has groups nested too deep")
			}
			open[depth] = f.key >> 3
			depth++
		case asEnd:
			depth--
			if open[depth] != f.key>>3 {
				return f.fail("ends a group that did not begin")
			}
		default:
			if !f.readValue() {
				return false
			}
		}
	}
	return true
}

func (f *fields) varint() bool {
	if len(f.rest) > 0 && f.rest[0] < 0x80 {
		f.value = uint64(f.rest[0])
		f.rest = f.rest[1:]
		return true
	}
	value, n := binary.Uvarint(f.rest)
	if n <= 0 {
		return f.fail(varintFault(n))
	}
	f.value = value
	f.rest = f.rest[n:]
	return true
}

func varintFault(n int) string {
	if n == 0 {
		return "is cut off"
	}
	return "has a number of more than 64 bits"
}

func (f *fields) fail(reason string) bool {
	f.fault = reason
	return false
}

// done returns nil if the message was well formed and all needed fields were seen. The
// table has the names of the fields.
func (f *fields) done(message, table string, whole []byte, seen, needed uint64) error {
	if f.fault != "" {
		return &DecodeError{message, fieldName(table, f.key>>3), -1, f.fault}
	}
	if missing := needed &^ seen; missing != 0 {
		number := uint64(bits.TrailingZeros64(missing))
		return &DecodeError{message, fieldName(table, number), -1, absence(whole, number)}
	}
	return nil
}

// absence says why a required field was not found: it is missing, or has another wire
// type, in which case proto2 requires that it be skipped.
func absence(whole []byte, number uint64) string {
	for f := (fields{rest: whole}); f.next(); {
		if f.key>>3 == number {
			return "is required and has another wire type"
		}
	}
	return "is required and missing"
}

// joined adds a part of a singular message field. The field may come in several parts,
// which proto2 merges; decoding their concatenation is the same.
func joined(earlier, piece []byte) []byte {
	if earlier == nil {
		return piece
	}
	return append(earlier, piece...) // the first has no spare capacity, so this copies
}

// unpack appends the numbers of a packed field.
func unpack[T int64 | uint64](list []T, piece []byte) ([]T, string) {
	for len(piece) > 0 {
		value, n := binary.Uvarint(piece)
		if n <= 0 {
			return list, varintFault(n)
		}
		list = append(list, T(value))
		piece = piece[n:]
	}
	return list, ""
}

// extended makes a list one element longer and reuses an element in its capacity, if there
// is one; the caller resets it.
func extended[T any](list []T) []T {
	if len(list) < cap(list) {
		return list[:len(list)+1]
	}
	var zero T
	return append(list, zero)
}

func appendNumber(b []byte, key, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, key), value)
}

func appendBool(b []byte, key uint64, value bool) []byte {
	if value {
		return appendNumber(b, key, 1)
	}
	return appendNumber(b, key, 0)
}

func appendDouble(b []byte, key uint64, value float64) []byte {
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(b, key), math.Float64bits(value))
}

func appendText[T ~string | ~[]byte](b []byte, key uint64, value T) []byte {
	return append(appendNumber(b, key, uint64(len(value))), value...)
}

// opened begins a message field and closed ends it. One byte is reserved for the length; a
// message that needs more is moved, which is cheaper than measuring every message first.
func opened(b []byte, key uint64) (_ []byte, at int) {
	b = append(binary.AppendUvarint(b, key), 0)
	return b, len(b)
}

func closed(b []byte, at int) []byte {
	length := uint64(len(b) - at)
	if length < 0x80 {
		b[at-1] = byte(length)
		return b
	}
	var room [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(room[:], length)
	b = append(b, room[1:n]...)
	copy(b[at-1+n:], b[at:])
	copy(b[at-1:], room[:n])
	return b
}
