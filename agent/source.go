package agent

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// source.go owns the token of one sign-in, as a program gets it from an agent.

// recheck is how long a token is returned without asking the agent.
const recheck = time.Second

// Source hands out the token of one ID, as a venuekey.Source does: it is a venuekey.Tokens. Get
// one from Client.Source. It is safe for concurrent use.
type Source struct {
	client *Client
	id     venuekey.ID
	last   atomic.Pointer[held]
}

// held is a token as it came.
type held struct {
	token   *venuekey.Token
	headers map[string]string
	until   time.Time // it is returned without asking until then
}

var _ venuekey.Tokens = (*Source)(nil)

// Source returns the Source of an ID; all callers of a Client share one. It asks nothing.
func (c *Client) Source(id venuekey.ID) *Source {
	c.init()
	c.mu.Lock()
	defer c.mu.Unlock()
	source := c.sources[id]
	if source == nil {
		source = &Source{client: c, id: id}
		c.sources[id] = source
	}
	return source
}

// ID returns the ID whose token the Source hands out.
func (s *Source) ID() venuekey.ID { return s.id }

// Token returns a good token. It asks the agent once a second at most. While the agent is away
// the last token is returned until it expires.
func (s *Source) Token(ctx context.Context) (*venuekey.Token, error) {
	now := time.Now()
	last := s.last.Load()
	if last != nil && now.Before(last.until) {
		return last.token, nil
	}
	token, err := s.keep(s.client.token(ctx, http.MethodGet, pathOf("token", s.id), nil))
	if err != nil && last != nil && last.token.Valid(now) && isAway(err) {
		return last.token, nil
	}
	return token, err
}

// isAway reports whether an error says that the agent did not answer, and nothing of the sign-in.
func isAway(err error) bool {
	known, ok := err.(*venuekey.Error)
	return ok && known.Op == "agent" && (known.Class == venuekey.ClassLater || known.Class == venuekey.ClassNotSent)
}

// Reject reports an access token that the venue did not accept, and returns another; see
// venuekey.Keeper.
func (s *Source) Reject(ctx context.Context, access venuekey.Secret) (*venuekey.Token, error) {
	s.last.Store(nil)
	return s.keep(s.client.token(ctx, http.MethodPost, pathOf("token", s.id)+"/refused", map[string]string{"access_token": string(access)}))
}

// keep remembers a token for a moment.
func (s *Source) keep(token *venuekey.Token, form tokenForm, status int, err error) (*venuekey.Token, error) {
	if err != nil {
		return nil, err
	}
	if token == nil {
		return nil, &venuekey.Error{ID: s.id, Op: "agent", Class: venuekey.ClassFailed, Reason: fmt.Sprintf("the agent answered with status %d", status)}
	}
	until := time.Now().Add(recheck)
	if token.Expires.Before(until) {
		until = token.Expires
	}
	s.last.Store(&held{token, form.Headers, until})
	return token, nil
}

// Access is Token for clients that take a function which returns an access token, such as
// openapi.Client.
func (s *Source) Access(ctx context.Context) (venuekey.Secret, error) {
	return accessOf(s.Token(ctx))
}

// Newer is Reject for clients that take a function which returns an access token.
func (s *Source) Newer(ctx context.Context, refused venuekey.Secret) (venuekey.Secret, error) {
	return accessOf(s.Reject(ctx, refused))
}

func accessOf(token *venuekey.Token, err error) (venuekey.Secret, error) {
	if err != nil {
		return "", err
	}
	return token.Access, nil
}

// Format implements fmt.Formatter: a Source prints as its ID alone.
func (s *Source) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.id) }

// Sign signs a request with a token: with the header fields that the agent says the venue
// requires.
func (s *Source) Sign(token *venuekey.Token, request *http.Request) {
	token.SetAuthHeader(request)
	last := s.last.Load()
	if last == nil {
		return
	}
	for name, value := range last.headers {
		if name != "Authorization" || last.token == token {
			request.Header.Set(name, value)
		}
	}
}
