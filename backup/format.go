package backup

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/venuekey/venuekey"
)

// format.go owns the content of a backup, inside the age file: lines of JSON. The first is
// the head, then comes a line for each app and each sign-in, and the last counts them, so
// that a truncated backup is noticed. Later programs may add fields in version 1; a change
// that must not be overlooked is a new version.

const (
	backupVersion = 1
	// longestRecord is many times what a venue's answer may be.
	longestRecord = 4 << 20
	// mostGenerations and mostAttempts are more than any sign-in reaches. A backup with
	// more is forged: counting on from there could overflow.
	mostGenerations = 1 << 48
	mostAttempts    = 1 << 30
)

// mostOfBackup is the maximum weight of a backup, which is read as a whole: tens of
// thousands of sign-ins.
const mostOfBackup = 256 << 20

// A comma and the end of a line count more than their byte, because each is one more entry
// in memory: otherwise three bytes could cost a hundred.
const (
	weightOfComma = 64
	weightOfLine  = 512
)

// weight returns the weight of a piece of a backup.
func weight(p []byte) int64 {
	return int64(len(p) + weightOfComma*bytes.Count(p, []byte(",")) + weightOfLine*bytes.Count(p, []byte("\n")))
}

// backupHead is the first line.
type backupHead struct {
	Venuekey string    `json:"venuekey"`
	Version  int       `json:"version"`
	Made     time.Time `json:"made"`
}

// backupLine is every other line. Exactly one field is set.
type backupLine struct {
	App   *appLine   `json:"app,omitempty"`
	Token *tokenLine `json:"token,omitempty"`
	End   *endLine   `json:"end,omitempty"`
}

type endLine struct {
	Apps   int `json:"apps"`
	Tokens int `json:"tokens"`
}

// appLine is a venuekey.App with its secrets in plain text.
type appLine struct {
	Venue        string            `json:"venue"`
	ClientID     string            `json:"client_id,omitempty"`
	ClientSecret string            `json:"client_secret,omitempty"`
	RedirectURI  string            `json:"redirect_uri,omitempty"`
	Scopes       []string          `json:"scopes,omitempty"`
	Environment  string            `json:"environment,omitempty"`
	URLs         map[string]string `json:"urls,omitempty"`
	Pace         time.Duration     `json:"pace,omitempty"`
	Burst        int               `json:"burst,omitempty"`
	Params       map[string]string `json:"params,omitempty"`
}

// tokenLine is a venuekey.Token with its secrets in plain text, and the doubts about it in
// its record: a refresh token that may be used up must not look unused on the next machine.
type tokenLine struct {
	ID             venuekey.ID        `json:"id"`
	Generation     int64              `json:"generation"`
	Access         string             `json:"access,omitempty"`
	Refresh        string             `json:"refresh,omitempty"`
	Type           string             `json:"type,omitempty"`
	Issued         time.Time          `json:"issued,omitzero"`
	Expires        time.Time          `json:"expires,omitzero"`
	RefreshExpires time.Time          `json:"refresh_expires,omitzero"`
	RefreshIssued  time.Time          `json:"refresh_issued,omitzero"`
	SignedIn       time.Time          `json:"signed_in,omitzero"`
	Scopes         []string           `json:"scopes,omitempty"`
	Asked          []string           `json:"asked,omitempty"`
	User           string             `json:"user,omitempty"`
	Extras         map[string]string  `json:"extras,omitempty"`
	Attempt        int                `json:"attempt,omitempty"`
	IntentAt       time.Time          `json:"intent_at,omitzero"`
	Condition      venuekey.Condition `json:"condition,omitempty"`
	Reason         string             `json:"reason,omitempty"`
}

// writer writes a backup line by line.
type writer struct {
	lines *json.Encoder
	wrote endLine
}

// bounded reads or writes up to a limit of weight.
type bounded struct {
	io.Reader
	io.Writer
	most, left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= weight(p[:n]); b.left < 0 {
		return 0, tooLarge(b.most)
	}
	return n, err
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= weight(p); b.left < 0 {
		return 0, tooLarge(b.most)
	}
	return b.Writer.Write(p)
}

var errTooLarge = errors.New("too large")

func tooLarge(most int64) error {
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: fmt.Sprintf("the backup is larger than %d MiB, or has too many entries", most>>20), Err: errTooLarge,
		Remedy: "copy the vault as a whole: venuekey store copy"}
}

func newWriter(to io.Writer, made time.Time, most int64) (*writer, error) {
	w := &writer{lines: json.NewEncoder(&bounded{Writer: to, most: most, left: most})}
	w.lines.SetEscapeHTML(false)
	return w, w.lines.Encode(backupHead{Venuekey: "backup", Version: backupVersion, Made: made})
}

func (w *writer) app(a venuekey.App) error {
	w.wrote.Apps++
	return w.lines.Encode(backupLine{App: &appLine{
		Venue: a.Venue, ClientID: a.ClientID, ClientSecret: string(a.ClientSecret), RedirectURI: a.RedirectURI,
		Scopes: a.Scopes, Environment: a.Environment, URLs: a.URLs, Pace: a.Pace, Burst: a.Burst, Params: converted[string](a.Params),
	}})
}

func (w *writer) signIn(s venuekey.Snapshot) error {
	w.wrote.Tokens++
	t := s.Token
	return w.lines.Encode(backupLine{Token: &tokenLine{
		ID: s.ID, Generation: min(s.Generation, mostGenerations), // an import continues from its own count
		Access: string(t.Access), Refresh: string(t.Refresh), Type: t.Type,
		Issued: t.Issued, Expires: t.Expires, RefreshExpires: t.RefreshExpires,
		RefreshIssued: t.RefreshIssued, SignedIn: t.SignedIn, Scopes: t.Scopes, Asked: t.Asked, User: t.User, Extras: converted[string](t.Extras),
		Attempt: min(s.Attempt, mostAttempts), IntentAt: s.IntentAt, Condition: s.Condition, Reason: s.Reason,
	}})
}

// end writes the last line.
func (w *writer) end() error { return w.lines.Encode(backupLine{End: &w.wrote}) }

// Read reads a whole backup from what an Opener opened. If it is damaged, the error is a
// [venuekey.Error] of ClassDamaged, which never shows the content; if a newer venuekey wrote
// it, of ClassFailed; if it is too large, of ClassMisconfigured.
func Read(from io.Reader) (Backup, error) { return read(from, mostOfBackup) }

func read(from io.Reader, most int64) (Backup, error) {
	lines := bufio.NewScanner(&bounded{Reader: from, most: most, left: most})
	lines.Buffer(make([]byte, 0, 64<<10), longestRecord)
	if !lines.Scan() {
		return Backup{}, brokenOff(lines.Err(), 1)
	}
	made, err := readHead(lines.Bytes())
	if err != nil {
		return Backup{}, err
	}
	read, seen := Backup{Made: made}, map[string]bool{}
	for number := 2; lines.Scan(); number++ {
		var line backupLine
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			if err := lines.Err(); err != nil { // the line is what was left before the error
				return Backup{}, brokenOff(err, number)
			}
			return Backup{}, damagedLine(number, "is not a line of a backup")
		}
		if line.End != nil {
			return read, read.checkEnd(*line.End, lines)
		}
		if problem := read.take(line, seen); problem != "" {
			return Backup{}, damagedLine(number, problem)
		}
	}
	return Backup{}, brokenOff(lines.Err(), 2+len(read.Apps)+len(read.SignIns))
}

func readHead(line []byte) (made time.Time, err error) {
	var head backupHead
	if json.Unmarshal(line, &head) != nil || head.Venuekey != "backup" || head.Version < 1 {
		return made, &venuekey.Error{Op: "backup", Class: venuekey.ClassDamaged, Reason: "the file is an age file, but not a venuekey backup",
			Remedy: "give the file that \"venuekey backup export\" wrote"}
	}
	if head.Version > backupVersion {
		return made, &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed,
			Reason: fmt.Sprintf("the backup has version %d, and this venuekey reads version %d", head.Version, backupVersion),
			Remedy: "install a newer venuekey"}
	}
	return head.Made, nil
}

// take adds a line to the backup, or says what is wrong with it.
func (b *Backup) take(line backupLine, seen map[string]bool) (problem string) {
	key := ""
	switch {
	case line.App != nil && line.Token == nil:
		key = line.App.Venue
		id, err := venuekey.ParseID(key)
		if err != nil || id.Venue != key {
			return "names no venue"
		}
		b.Apps = append(b.Apps, line.App.app())
	case line.Token != nil && line.App == nil:
		key = line.Token.ID.String()
		if problem := line.Token.problem(); problem != "" {
			return problem
		}
		b.SignIns = append(b.SignIns, line.Token.signIn())
	default:
		return "is neither an app nor a sign-in"
	}
	if seen[key] {
		return "repeats " + key
	}
	seen[key] = true
	return ""
}

// checkEnd checks that nothing is missing before the last line, and that nothing follows it.
func (b *Backup) checkEnd(end endLine, lines *bufio.Scanner) error {
	if end.Apps != len(b.Apps) || end.Tokens != len(b.SignIns) {
		return unreadable(fmt.Sprintf("the backup should have %s and %s, and has %d and %d", several(end.Apps, "app"), several(end.Tokens, "sign-in"), len(b.Apps), len(b.SignIns)), nil)
	}
	number := 3 + end.Apps + end.Tokens
	if lines.Scan() {
		return damagedLine(number, "comes after the end")
	}
	// The file may be truncated after the last line.
	if err := lines.Err(); err != nil {
		return brokenOff(err, number)
	}
	return nil
}

// problem says why a line is not a valid sign-in.
func (l tokenLine) problem() string {
	switch {
	case l.ID.IsZero():
		return "names no sign-in"
	case l.Access == "" || l.Expires.IsZero():
		return "has no access token with an expiry"
	case l.Generation < 0 || l.Generation > mostGenerations || l.Attempt < 0 || l.Attempt > mostAttempts:
		return "has an invalid count"
	case time.Until(l.IntentAt) > 24*time.Hour: // clocks may differ, but not by more
		return "has a renewal in the future"
	}
	switch l.Condition {
	case venuekey.ConditionGood, venuekey.ConditionUncertain, venuekey.ConditionDead:
		return ""
	}
	return "has an unknown condition"
}

func (l tokenLine) signIn() venuekey.Snapshot {
	return venuekey.Snapshot{
		ID: l.ID,
		Token: venuekey.Token{
			Access: venuekey.Secret(l.Access), Refresh: venuekey.Secret(l.Refresh), Type: l.Type,
			Issued: l.Issued, Expires: l.Expires, RefreshExpires: l.RefreshExpires,
			RefreshIssued: l.RefreshIssued, SignedIn: l.SignedIn, Scopes: l.Scopes, Asked: l.Asked, User: l.User, Extras: converted[venuekey.Secret](l.Extras),
		},
		Generation: l.Generation, Attempt: l.Attempt, IntentAt: l.IntentAt, Condition: l.Condition, Reason: l.Reason,
	}
}

func (l appLine) app() venuekey.App {
	return venuekey.App{
		Venue: l.Venue, ClientID: l.ClientID, ClientSecret: venuekey.Secret(l.ClientSecret), RedirectURI: l.RedirectURI,
		Scopes: l.Scopes, Environment: l.Environment, URLs: l.URLs, Pace: l.Pace, Burst: l.Burst, Params: converted[venuekey.Secret](l.Params),
	}
}

// converted returns a map with its values converted to another string type.
func converted[To, From ~string](values map[string]From) map[string]To {
	if len(values) == 0 {
		return nil
	}
	other := make(map[string]To, len(values))
	for name, value := range values {
		other[name] = To(value)
	}
	return other
}

// several is a number with its noun, in the plural if needed.
func several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// brokenOff is the error for a backup that ends, or cannot be read, before its last line. age
// can tell a truncated file from a changed one in some places only.
func brokenOff(err error, number int) error {
	switch {
	case errors.Is(err, errTooLarge):
		return err
	case errors.Is(err, bufio.ErrTooLong):
		return damagedLine(number, "is too long for a record")
	case err == nil || errors.Is(err, io.ErrUnexpectedEOF):
		return unreadable("the backup is truncated: its end is missing", err)
	}
	return unreadable("the backup is truncated, or it was changed", err)
}

func damagedLine(number int, problem string) error {
	return unreadable(fmt.Sprintf("line %d of the backup %s", number, problem), nil)
}

func unreadable(reason string, err error) error {
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassDamaged, Reason: reason + "; nothing was imported", Err: err,
		Remedy: "copy the file again from where it was written, or export again there"}
}
