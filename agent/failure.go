package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/venuekey/venuekey"
)

// failure.go owns errors on the wire: class, reason, remedy and how long to wait survive it.

// failureForm is an error in an answer.
type failureForm struct {
	Error failureBody `json:"error"`
}

type failureBody struct {
	Class      string   `json:"class"`
	ID         string   `json:"id,omitempty"`
	Op         string   `json:"op,omitempty"`
	Code       string   `json:"code,omitempty"`
	Reason     string   `json:"reason"`
	Remedy     string   `json:"remedy,omitempty"`
	RetryAfter float64  `json:"retry_after,omitempty"` // in seconds
	Scopes     []string `json:"scopes,omitempty"`
}

// statusOf is the HTTP status of each class.
func statusOf(class venuekey.Class) int {
	switch class {
	case venuekey.ClassRefused:
		return http.StatusConflict
	case venuekey.ClassMisconfigured, venuekey.ClassDeclined:
		return http.StatusUnprocessableEntity
	case venuekey.ClassLater, venuekey.ClassNotSent:
		return http.StatusServiceUnavailable
	case venuekey.ClassUnknown:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

// Fail answers with an error as the API does, for handlers beside it. A status of 0 is that of
// the error's class.
func Fail(w http.ResponseWriter, status int, err error) {
	known, ok := errors.AsType[*venuekey.Error](err)
	if status == 0 || !ok {
		fail(w, err)
		return
	}
	failWith(w, status, known)
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	status := statusOf(venuekey.ClassOf(err))
	var known *venuekey.Error
	if !errors.As(err, &known) {
		known = &venuekey.Error{Class: venuekey.ClassOf(err), Reason: "the agent failed"}
	}
	if errors.Is(err, venuekey.ErrNotFound) {
		status, known = http.StatusNotFound, unknownID(known.ID)
	}
	failWith(w, status, known)
}

// failWith answers with an error and a status of its own.
func failWith(w http.ResponseWriter, status int, known *venuekey.Error) {
	class, err := known.Class.MarshalText()
	if err != nil {
		class = []byte("failed")
	}
	reason := known.Reason
	if reason == "" {
		reason = (&venuekey.Error{Class: known.Class, Err: known.Err}).Error()
	}
	body := failureBody{Class: string(class), Op: known.Op, Code: known.Code, Reason: reason, Remedy: known.Remedy, RetryAfter: known.RetryAfter.Seconds(), Scopes: known.Scopes}
	if !known.ID.IsZero() {
		body.ID = known.ID.String()
	}
	if known.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(known.RetryAfter.Seconds()))))
	}
	reply(w, status, failureForm{body})
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":{"class":"failed","reason":"the answer cannot be written"}}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// failureOf is the error that an answer holds. A class that this version does not know counts as
// failed; its word stays in the reason.
func failureOf(status int, text []byte) *venuekey.Error {
	var form failureForm
	if json.Unmarshal(text, &form) != nil || form.Error.Class == "" {
		return &venuekey.Error{Class: venuekey.ClassFailed, Reason: fmt.Sprintf("the agent answered with status %d, and not as an agent does", status)}
	}
	b := form.Error
	known := &venuekey.Error{Op: b.Op, Code: b.Code, Reason: b.Reason, Remedy: b.Remedy, Scopes: b.Scopes,
		RetryAfter: time.Duration(min(max(b.RetryAfter, 0), (365*24*time.Hour).Seconds()) * float64(time.Second))}
	known.ID, _ = venuekey.ParseID(b.ID)
	if known.Class.UnmarshalText([]byte(b.Class)) != nil {
		known.Class, known.Reason = venuekey.ClassFailed, fmt.Sprintf("%s (class %q)", b.Reason, b.Class)
	}
	if status == http.StatusNotFound {
		known.Err = venuekey.ErrNotFound
	}
	return known
}
