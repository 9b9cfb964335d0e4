package openapi

import "github.com/venuekey/venuekey/stream"

// stream.go owns the names under which streams are known here.

// Stream is events in the order in which they came; see package stream.
type Stream[M any] = stream.Stream[M]

// Buffer is the room of a Stream and what happens when it is full. The zero value is
// ready.
type Buffer = stream.Buffer
