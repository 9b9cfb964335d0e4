package agent

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// long.go owns answers that may be long: they are sent as they grow, so that many who ask for one, and
// read it slowly or not at all, cost no memory for all of it.

// mostHeld is how much of a long answer is held before it is sent.
const mostHeld = 64 << 10

// longAnswer is JSON that grows in text.
type longAnswer struct {
	w     http.ResponseWriter
	text  bytes.Buffer
	begun bool
}

// grows sends what is there if it is much. It is false if the client has gone, or reads too slowly.
func (l *longAnswer) grows() bool {
	return l.text.Len() < mostHeld || l.send()
}

func (l *longAnswer) send() bool {
	if !l.begun {
		h := l.w.Header()
		h["Content-Type"], h["Cache-Control"] = jsonType, noStore
		l.begun = true
	}
	_ = http.NewResponseController(l.w).SetWriteDeadline(time.Now().Add(slowest))
	_, err := l.w.Write(l.text.Bytes())
	l.text.Reset()
	return err == nil
}

// end sends the rest.
func (l *longAnswer) end() {
	if !l.begun {
		l.w.Header().Set("Content-Length", strconv.Itoa(l.text.Len()))
	}
	l.send()
}

// fail answers with an error; if a part was sent already, the connection ends in the middle, so that
// nobody takes the part for the whole.
func (l *longAnswer) fail(err error) {
	if l.begun {
		panic(http.ErrAbortHandler)
	}
	fail(l.w, err)
}
