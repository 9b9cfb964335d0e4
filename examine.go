package venuekey

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// examine.go owns looking before renewing: when a program says that the venue refused its
// token, or a renewal is refused, one cheap call tells a dead session, a denied device and
// an overload apart. The answer is a note in the store (note.go): all programs share it, and
// only one of them asks.

// ErrSessionEnded matches, by errors.Is, the error of an Examiner, or of a renewal with the
// access token, whose answer is the one that the venue gives for a session that it has
// ended, but that may have another cause. The Keeper believes it when it has seen it twice.
var ErrSessionEnded = errors.New("the venue answers as it does for a session that was ended")

const (
	// examineDeadline is how long an examination may take, and asking how often programs
	// look whether another one's is over.
	examineDeadline = 20 * time.Second
	asking          = 200 * time.Millisecond
	// verdictLife is how long a verdict counts. A good one counts longer each time, up to
	// longestVerdict: programs that are refused for another cause ask again and again.
	verdictLife    = time.Minute
	longestVerdict = 8 * time.Minute
	// secondLook is when a session that seems to have ended is looked at again, and
	// laterLooks how often once that is believed: it may have been an outage.
	secondLook = 75 * time.Second
	laterLooks = 10 * time.Minute
)

// goodVerdict is the verdict of a note that says nothing against the token, and askingNow
// that of one whose program is asking the venue.
const (
	goodVerdict  = "good"
	askingNow    = "asking"
	laterVerdict = "later"
)

// examined returns what an examination of the access token says, nil if the token is good:
// the shared verdict if it is fresh, otherwise that of a new examination. A caller that has
// just seen something else asks anew: a good verdict is from before that.
func (k *Keeper) examined(ctx context.Context, venue Venue, app App, id ID, token Token, generation int64, anew bool) error {
	key := verdictKey(id)
	for {
		record, err := k.Vault.Store.Get(ctx, key)
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: key, ReadAt: time.Now()}, nil
		}
		if err != nil {
			return storeError(id, "examine", err)
		}
		note := verdictIn(record)
		fresh := note.Generation == generation && record.ReadAt.Before(note.Until)
		switch {
		case fresh && note.Verdict == askingNow:
			if err := pause(ctx, asking); err != nil {
				return &Error{Class: ClassLater, Err: err}
			}
			continue
		case fresh && !(anew && note.isGood()):
			return note.verdict(record.ReadAt)
		}
		claimed := verdictNote{Generation: generation, Verdict: askingNow, Until: record.ReadAt.Add(examineDeadline * 6 / 5),
			Held: note.Held, Wrong: note.provedWrong(generation, record.ReadAt)}
		record = claimed.record(record)
		if record.Version, err = k.Vault.Store.Put(ctx, record); errors.Is(err, ErrConflict) {
			continue
		} else if err != nil {
			return storeError(id, "examine", err)
		}
		return k.examineNow(context.WithoutCancel(ctx), venue, app, id, token, record, claimed)
	}
}

// examineNow asks the venue and leaves the verdict for all programs.
func (k *Keeper) examineNow(ctx context.Context, venue Venue, app App, id ID, token Token, record Record, note verdictNote) error {
	asked, cancel := context.WithTimeout(ctx, examineDeadline)
	token.ended = time.Time{}
	failure := venueError(venue.(Examiner).Examine(asked, app, token), venue, app, token)
	cancel()
	begun := note.Until.Add(-examineDeadline * 6 / 5)
	next := verdictOf(failure, note, begun)
	k.log().Info("the token was examined", "id", id, "verdict", next.Verdict, "reason", next.Reason)
	ctx, cancel = context.WithTimeout(ctx, k.saveBudget())
	defer cancel()
	if _, err := k.Vault.Store.Put(ctx, next.record(record)); err != nil && !errors.Is(err, ErrConflict) {
		k.log().Error("the store does not answer", "id", id, "error", systemError(err))
	}
	return next.verdict(begun)
}

// forgetVerdict drops what was said of an ID's earlier session: that the sign-in has another
// token now does not prove it wrong.
func (k *Keeper) forgetVerdict(ctx context.Context, id ID) {
	record, err := k.Vault.Store.Get(ctx, verdictKey(id))
	if err == nil {
		err = k.Vault.Store.Delete(ctx, record.Key, record.Version)
	}
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrConflict) {
		k.log().Error("the store does not answer", "id", id, "error", systemError(err))
	}
}

// verdictOf returns the note of an examination that began at a time by the store's clock.
func verdictOf(failure error, before verdictNote, begun time.Time) verdictNote {
	note := verdictNote{Generation: before.Generation, Verdict: goodVerdict}
	life := verdictLife
	if failure != nil {
		known := annotate(failure, ID{}, "")
		word, _ := known.Class.MarshalText()
		note.Verdict, note.Reason, note.Remedy = string(word), cut(cmp.Or(known.Reason, known.Class.String())), cut(known.Remedy)
		note.Session = errors.Is(failure, ErrSessionEnded)
		if before.Wrong && (note.Session || note.is(ClassRefused)) {
			note.Verdict, note.Session, note.Wrong, life = laterVerdict, false, true, longestVerdict
		} else if known.Class == ClassLater && !note.Session {
			note.Wrong, life = before.Wrong, max(verdictLife/2, min(known.RetryAfter, mostSilence))
		}
	}
	if note.isGood() {
		life = min(max(2*before.Held, verdictLife), longestVerdict)
		note.Held = life
	}
	note.Until = begun.Add(life)
	return note
}

// cut shortens a text so that a note holds it.
func cut(text string) string {
	const most = 200
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// provedWrong reports whether a verdict has recently spoken against a token that was renewed
// all the same. It is not renewed again for such a verdict: a list of accounts that is
// answered with an overload would cost a renewal each time.
func (n verdictNote) provedWrong(generation int64, now time.Time) bool {
	return now.Sub(n.Until) < mostSilence && (n.Wrong || n.Generation != generation && (n.Session || n.is(ClassRefused)))
}

// isGood reports whether the verdict says that the token is good, whatever is denied to it.
func (n verdictNote) isGood() bool {
	return n.Verdict == goodVerdict || n.is(ClassDeclined) || n.is(ClassMisconfigured)
}

func (n verdictNote) is(class Class) bool {
	word, err := class.MarshalText()
	return err == nil && n.Verdict == string(word)
}

// verdict returns the note as an error, nil if the token is simply good.
func (n verdictNote) verdict(now time.Time) error {
	if n.Verdict == goodVerdict {
		return nil
	}
	failure := &Error{Class: ClassLater, Reason: n.Reason, Remedy: n.Remedy, RetryAfter: max(n.Until.Sub(now), time.Second)}
	_ = failure.Class.UnmarshalText([]byte(n.Verdict)) // a word of another version is ClassLater
	if n.Session {
		failure.Err = ErrSessionEnded
	}
	return failure
}

// verdictKey returns the key of a sign-in's verdict. The ID may name a user, who may have
// signed out since, so it is hashed.
func verdictKey(id ID) string {
	hash := sha256.Sum256([]byte(id.String()))
	return verdictPrefix + id.Venue + "/" + hex.EncodeToString(hash[:12])
}

// elsewhere returns the error for a program whose token was refused although it is good.
func elsewhere(verdict error) *Error {
	failure := &Error{Class: ClassDeclined, Reason: "the venue accepts the token, so it refused the call for another cause",
		Remedy: "approve this device with the venue, or check what the app's permissions and the user's subscriptions allow"}
	var known *Error
	if errors.As(verdict, &known) {
		failure.Class = known.Class
		failure.Reason, failure.Remedy = cmp.Or(known.Reason, failure.Reason), cmp.Or(known.Remedy, failure.Remedy)
	}
	return failure
}
