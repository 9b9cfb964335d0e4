package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/venuekey/venuekey"
)

// tokens.go owns the calls that hand out tokens.

// mostWait is how long a long poll waits at most.
const mostWait = time.Minute

// written is a token as it is answered, so that it is written once and not for each request.
type written struct {
	token  *venuekey.Token
	state  venuekey.State
	answer []byte
	length string
}

// token hands out a good token, or waits for one that is newer than the client's.
func (s *Server) token(w http.ResponseWriter, r *http.Request, id venuekey.ID) {
	var newerThan int64
	var wait time.Duration
	if r.URL.RawQuery != "" {
		query, ok := queryOf(w, r)
		if !ok {
			return
		}
		var wrong *venuekey.Error
		if newerThan, wait, wrong = waitOf(query.Get("newer_than"), query.Get("wait")); wrong != nil {
			failWith(w, http.StatusBadRequest, wrong)
			return
		}
	}
	source := s.Keeper.Source(id)
	token, failure := source.Token(r.Context())
	if failure == nil && wait > 0 && token.Generation <= newerThan {
		token, failure = s.newer(r.Context(), source, newerThan, wait)
		if failure == nil && token == nil {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	s.hand(w, r, id, VerbToken, token, failure)
}

// waitOf reads the parameters of a long poll.
func waitOf(newerThan, wait string) (generation int64, patience time.Duration, wrong *venuekey.Error) {
	wrong = &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "newer_than is a generation and wait a time of up to 60s, as in newer_than=3&wait=30s"}
	var err error
	if newerThan != "" {
		if generation, err = strconv.ParseInt(newerThan, 10, 64); err != nil {
			return 0, 0, wrong
		}
	}
	if wait != "" {
		if patience, err = time.ParseDuration(wait); err != nil || patience < 0 || patience > mostWait || newerThan == "" {
			return 0, 0, wrong
		}
	}
	return generation, patience, nil
}

// newer waits until there is a newer token; nil if the wait ends before.
func (s *Server) newer(ctx context.Context, source *venuekey.Source, than int64, wait time.Duration) (*venuekey.Token, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	again := time.NewTicker(time.Second) // a store may report what others do within seconds only
	defer again.Stop()
	for {
		changed := s.ring.changed(source.ID()) // before the look, so that none falls between the two
		token, err := source.Token(ctx)
		if err != nil || token.Generation > than {
			return token, err
		}
		select {
		case <-changed:
		case <-again.C:
		case <-timer.C:
			return nil, nil
		case <-s.ending:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// refused takes back a token that the venue did not accept, and hands out another.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, id venuekey.ID) {
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if !read(w, r, &body) {
		return
	}
	if body.AccessToken == "" {
		failWith(w, http.StatusBadRequest, &venuekey.Error{ID: id, Class: venuekey.ClassDeclined, Reason: "access_token is empty: it is the token that the venue refused"})
		return
	}
	unhurried(w)
	token, err := s.Keeper.Reject(r.Context(), id, venuekey.Secret(body.AccessToken))
	s.hand(w, r, id, VerbRefused, token, err)
}

// refresh renews now.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request, id venuekey.ID) {
	var body struct {
		Again bool `json:"again"`
	}
	if !read(w, r, &body) {
		return
	}
	renew := s.Keeper.Refresh
	if body.Again {
		renew = s.Keeper.RefreshAgain
	}
	unhurried(w)
	token, err := renew(r.Context(), id)
	s.hand(w, r, id, VerbRefresh, token, err)
}

// hand answers with a token, or with why there is none. A token whose sign-in ended with it is
// not handed out, however long it would have been good.
func (s *Server) hand(w http.ResponseWriter, r *http.Request, id venuekey.ID, verb Verb, token *venuekey.Token, err error) {
	state := s.ring.stateOf(id)
	if state == "" && err == nil { // nothing is known yet, a moment after the start
		state, _ = s.Keeper.State(r.Context(), id)
	}
	if err == nil && state == venuekey.StateNeedsSignIn {
		token, state, err = s.unlessDead(r.Context(), id, token)
	}
	generation := int64(0)
	if err == nil {
		if s.allowed(r, id, verb) != nil { // any more: it may have waited for a minute
			_ = s.told(r, id, verb, 0, ErrForbidden)
			failWith(w, http.StatusNotFound, unknownID(id))
			return
		}
		generation = token.Generation
	}
	if told := s.told(r, id, verb, generation, err); told != nil {
		fail(w, told)
		return
	}
	if err != nil {
		fail(w, err)
		return
	}
	form := s.writtenFor(id, token, state)
	h := w.Header()
	h["Content-Type"], h["Cache-Control"], h["Content-Length"] = jsonType, noStore, []string{form.length}
	_, _ = w.Write(form.answer)
}

var jsonType, noStore = []string{"application/json"}, []string{"no-store"}

// writtenFor returns the answer with a token, written once for each.
func (s *Server) writtenFor(id venuekey.ID, token *venuekey.Token, state venuekey.State) *written {
	if last, ok := s.written.Load(id); ok {
		if form := last.(*written); form.token == token && form.state == state {
			return form
		}
	}
	form := tokenFormOf(id, token, s.headersOf(id, token))
	form.State = string(state)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(form) // strings, times and checked JSON
	w := &written{token, state, text.Bytes(), strconv.Itoa(text.Len())}
	s.written.Store(id, w)
	return w
}

// headersOf returns the header fields that the venue requires on its calls.
func (s *Server) headersOf(id venuekey.ID, token *venuekey.Token) map[string]string {
	request := &http.Request{Header: http.Header{}}
	s.Keeper.Source(id).Sign(token, request)
	headers := map[string]string{}
	for name := range request.Header {
		headers[name] = request.Header.Get(name)
	}
	return headers
}

// unlessDead returns a token that is about to be handed out, unless the venue ended it with its
// sign-in: that is an error. If the user has signed in again since, it is the newer one. With it
// comes the state of the moment.
func (s *Server) unlessDead(ctx context.Context, id venuekey.ID, token *venuekey.Token) (*venuekey.Token, venuekey.State, error) {
	status, err := s.Keeper.Status(ctx, id)
	switch {
	case err != nil:
		return token, "", nil
	case status.Generation > token.Generation:
		token, err = s.Keeper.Reject(ctx, id, token.Access) // which reads the store
		return token, status.State, err
	case status.State != venuekey.StateNeedsSignIn:
		return token, status.State, nil
	}
	venue, err := s.Keeper.Venue(id.Venue)
	if err != nil || !status.AccessEnded(venue.Policy()) {
		return token, status.State, nil
	}
	return nil, status.State, &venuekey.Error{ID: id, Op: "token", Class: venuekey.ClassRefused, Remedy: "venuekey login " + id.String(),
		Reason: "the venue ended the access token before it expired: " + status.Reason}
}
