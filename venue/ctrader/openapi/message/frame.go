package message

import (
	"encoding/binary"
	"fmt"
	"io"
)

// frame.go owns the frames of the TCP transport: a big-endian length of four bytes, and
// an envelope. WebSocket messages are not framed.

const (
	// DefaultMax is the default maximum length of a frame, in bytes. The service's own
	// limit is not published; this is that of its Python client.
	DefaultMax = 15_000_000

	header     = 4
	firstRoom  = 4 << 10
	idleRoom   = 1 << 20
	emptyReads = 100
)

// AppendFrame appends the envelope, in protobuf, as a frame.
func AppendFrame(b []byte, e Envelope) []byte {
	at := len(b)
	b = e.AppendBinary(append(b, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-header))
	return b
}

// FrameTooLongError reports a frame that announces a length above the maximum. The rest
// of the stream can no longer be read; close the connection.
type FrameTooLongError struct {
	Length int64 // as announced, in bytes
	Max    int   // the maximum, in bytes
}

// Error implements error.
func (e *FrameTooLongError) Error() string {
	return fmt.Sprintf("frame of %d bytes is longer than the maximum of %d", e.Length, e.Max)
}

// FrameReader reads frames from a stream. It is not safe for concurrent use.
type FrameReader struct {
	Reader io.Reader
	// Max is the longest frame that is accepted, in bytes, not counting the length
	// prefix. Zero means DefaultMax.
	Max int

	buffer     []byte
	start, end int // the part of buffer that was read and not yet returned
}

// Next returns the contents of the next frame, which are valid until the next call. The
// error is io.EOF if the stream ends between two frames, io.ErrUnexpectedEOF if it ends
// inside one, a *FrameTooLongError, or what Reader returned. After a read that timed out,
// Next can be called again and continues where it was.
func (r *FrameReader) Next() ([]byte, error) {
	if r.start == r.end {
		r.start, r.end = 0, 0
		if cap(r.buffer) > idleRoom {
			r.buffer = nil // do not keep the memory of one huge frame
		}
	}
	if err := r.have(header); err != nil {
		return nil, err
	}
	length := int64(binary.BigEndian.Uint32(r.buffer[r.start:]))
	if most := r.max(); length > int64(most) {
		return nil, &FrameTooLongError{Length: length, Max: most}
	}
	if err := r.have(header + int(length)); err != nil {
		return nil, err
	}
	frame := r.buffer[r.start+header : r.start+header+int(length)]
	r.start += header + int(length)
	return frame[:len(frame):len(frame)], nil
}

// Drained reports whether everything that was read has been returned, and the last read
// did not fill the buffer, so that Reader probably has nothing more at the moment.
func (r *FrameReader) Drained() bool { return r.start == r.end && r.end < len(r.buffer) }

func (r *FrameReader) max() int {
	if r.Max > 0 {
		return r.Max
	}
	return DefaultMax
}

// have reads until the buffer holds n bytes.
func (r *FrameReader) have(n int) error {
	for idle := 0; r.end-r.start < n; {
		r.makeRoom(n)
		got, err := r.Reader.Read(r.buffer[r.end:])
		r.end += got
		switch {
		case r.end-r.start >= n:
			// An error that came with the last bytes will come again.
		case err == io.EOF && r.end > r.start:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case got > 0:
			idle = 0
		default:
			if idle++; idle == emptyReads {
				return io.ErrNoProgress
			}
		}
	}
	return nil
}

// makeRoom makes room for at least one more byte, on the way to n. The buffer doubles when
// it is full, so its size follows what has actually arrived, not what was announced.
func (r *FrameReader) makeRoom(n int) {
	if r.start > 0 && r.start+n > len(r.buffer) {
		copy(r.buffer, r.buffer[r.start:r.end])
		r.start, r.end = 0, r.end-r.start
	}
	if r.end == len(r.buffer) {
		grown := make([]byte, max(firstRoom, min(2*len(r.buffer), r.start+n)))
		copy(grown, r.buffer[:r.end])
		r.buffer = grown
	}
}
