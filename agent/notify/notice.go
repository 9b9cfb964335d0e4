package notify

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// notice.go owns what a notice says.

// EventTest is the kind of a notice that somebody asked for, to see whether it arrives.
const EventTest venuekey.EventKind = "test"

// stateSignedOut is the state of a sign-in that was forgotten.
const stateSignedOut venuekey.State = "signed out"

// Notice is what a person is told. The package comment describes its JSON.
type Notice struct {
	// Delivery is the same for every attempt to deliver the notice.
	Delivery string             `json:"delivery"`
	Event    venuekey.EventKind `json:"event"`
	// ID is a sign-in, or only a venue if all of its sign-ins are meant; it is "" in a test.
	ID string `json:"id,omitzero"`
	// At is when this is said, and Since when it began.
	At    time.Time `json:"at"`
	Since time.Time `json:"since,omitzero"`
	// Repeat counts how often the same was said before.
	Repeat     int            `json:"repeat,omitzero"`
	State      venuekey.State `json:"state,omitzero"`
	Reason     string         `json:"reason,omitzero"`
	Ending     string         `json:"ending,omitzero"`
	SignInEnds time.Time      `json:"sign_in_ends,omitzero"`
	Left       *int64         `json:"left_seconds,omitempty"`
	Remedy     string         `json:"remedy,omitzero"`
	Help       string         `json:"help,omitzero"`
}

// Of makes a notice of an event. help is the command or the address that mends it.
func Of(event venuekey.Event, help string) Notice {
	s := event.Status
	n := Notice{
		Event: event.Kind, ID: s.ID.String(), At: whole(event.At), Since: whole(event.At), State: s.State, Reason: foreign.Tell[string](event.Reason),
		SignInEnds: whole(s.SignInEnds), Remedy: string(remedyOf(event)), Help: foreign.Fit(help),
	}
	n.Delivery = newDelivery(event.At)
	if event.Kind == venuekey.EventSignedOut {
		n.Event, n.State = venuekey.EventRecovered, stateSignedOut
	}
	if s.ID.Name != "" && n.State != stateSignedOut {
		n.Ending = s.Ending.String()
	}
	if !s.Expires.IsZero() {
		left := int64(s.Expires.Sub(event.At) / time.Second)
		n.Left = &left
	}
	return n
}

// Test is a notice that says it is one of a test.
func Test(now time.Time) Notice {
	return Notice{Delivery: newDelivery(now), Event: EventTest, At: whole(now), Reason: "this is a test; nothing is wrong"}
}

// remedyOf is what mends what an event tells of, in words.
func remedyOf(e venuekey.Event) venuekey.Remedy {
	switch {
	case e.Kind == venuekey.EventWarning && e.Status.ID.Name != "":
		return cmp.Or(e.Status.Remedy(), venuekey.RemedySignIn)
	case e.Kind == venuekey.EventTrouble:
		return e.Status.Remedy()
	}
	return ""
}

// Title is the notice in a few words.
func (n Notice) Title() string {
	switch what := cmp.Or(string(n.State), string(n.Event)); n.Event {
	case EventTest:
		return "venuekey: a test"
	case venuekey.EventWarning:
		return "venuekey: " + n.ID + ": warning"
	case venuekey.EventRecovered:
		return "venuekey: " + n.ID + ": all is well again"
	default:
		return "venuekey: " + n.ID + ": " + what
	}
}

// Text is the rest of it: why, and what helps.
func (n Notice) Text() string {
	parts := []string{n.Reason}
	if n.Repeat > 0 {
		parts = append(parts, "since "+n.Since.Local().Format("2006-01-02 15:04 MST"))
	}
	if n.Help != "" {
		parts = append(parts, "try: "+n.Help)
	}
	return strings.Join(parts, "\n")
}

// whole is a time as it is written and read: in UTC, without parts of a second.
func whole(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

// idOf reads the ID of a sign-in. One that names only a venue stays so.
func idOf(text string) (venuekey.ID, bool) {
	id, err := venuekey.ParseID(text)
	if !strings.Contains(text, "/") {
		id.Name = ""
	}
	return id, err == nil
}

func isID(text string) bool {
	_, ok := idOf(text)
	return ok
}

var isDelivery = regexp.MustCompile(`^[0-9]{8}-[0-9]{9}-[0-9a-f]{16}$`)

// newDelivery makes a name that no other notice has, and that sorts by time.
func newDelivery(now time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // it never fails
	return strings.Replace(now.UTC().Format("20060102-150405.000-"), ".", "", 1) + hex.EncodeToString(random[:])
}

// check says what is wrong with a notice that was read from a file, or "". What is good is
// as clean as one that was just made.
func (n *Notice) check() string {
	kinds := map[venuekey.EventKind]bool{venuekey.EventTrouble: true, venuekey.EventWarning: true, venuekey.EventRecovered: true, EventTest: true}
	switch {
	case !isDelivery.MatchString(n.Delivery):
		return "its delivery is none"
	case !kinds[n.Event]:
		return "its event is none that is known"
	case n.ID != "" && !isID(n.ID) || n.ID == "" && n.Event != EventTest:
		return "its id is none"
	case n.At.IsZero() || n.Repeat < 0:
		return "it does not say when it was made"
	}
	n.State, n.Reason = venuekey.State(foreign.Fit(string(n.State))), foreign.Tell[string](n.Reason)
	n.Ending, n.Remedy, n.Help = foreign.Fit(n.Ending), foreign.Fit(n.Remedy), foreign.Fit(n.Help)
	return ""
}
