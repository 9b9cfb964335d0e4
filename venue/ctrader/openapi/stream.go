package openapi

import "github.com/venuekey/venuekey/stream"

// stream.go owns this package's aliases for package stream.

// Stream is a bounded queue of events in the order of arrival; see package stream.
type Stream[M any] = stream.Stream[M]

// Buffer sets the capacity of a Stream, and what happens when it is full. The zero value
// is ready to use.
type Buffer = stream.Buffer
