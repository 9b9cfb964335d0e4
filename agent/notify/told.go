package notify

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
)

// told.go owns the file that remembers what somebody was told and that is not over, so that
// a new process neither says it at once again nor forgets to say that it is mended.

const (
	longestTold = 4 << 20
	mostTold    = 10_000
)

// told is what was said about a sign-in.
type told struct {
	ID    string             `json:"id"`
	Event venuekey.EventKind `json:"event"`
	State venuekey.State     `json:"state,omitzero"`
	// Ends is the end of the sign-in that was spoken of; zero for none.
	Ends time.Time `json:"ends,omitzero"`
	// Since is when it began, Said when it was said last, and Next when it is said again.
	Since time.Time `json:"since"`
	Said  time.Time `json:"said"`
	Next  time.Time `json:"next,omitzero"`
	// Count counts how often it was said.
	Count int `json:"count"`
}

type toldFile struct {
	Told []told `json:"told"`
}

// readTold reads the text of the file.
func readTold(text []byte) (map[venuekey.ID]told, error) {
	var form toldFile
	if err := json.Unmarshal(text, &form); err != nil || len(form.Told) > mostTold {
		return nil, errors.New("it does not say what was told")
	}
	all := map[venuekey.ID]told{}
	for _, t := range form.Told {
		id, ok := idOf(t.ID)
		if !ok || t.Event != venuekey.EventTrouble && t.Event != venuekey.EventWarning || t.Said.IsZero() || t.Since.IsZero() || t.Count < 1 {
			return nil, errors.New("it does not say what was told")
		}
		all[id] = t
	}
	return all, nil
}

// told reads what earlier processes said. A missing file is an empty one.
func (o *Outbox) told() (map[venuekey.ID]told, error) {
	text, err := own.Read(filepath.Join(o.folder, toldName), longestTold, 0o077)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return readTold(text)
}

// remember writes what was said and is not over.
func (o *Outbox) remember(all map[venuekey.ID]told) error {
	form := toldFile{Told: []told{}}
	for _, id := range slices.SortedFunc(maps.Keys(all), func(a, b venuekey.ID) int { return all[a].Since.Compare(all[b].Since) }) {
		if len(form.Told) < mostTold {
			form.Told = append(form.Told, all[id])
		}
	}
	text, err := json.Marshal(form)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(o.folder, toldName), append(text, '\n'))
}
