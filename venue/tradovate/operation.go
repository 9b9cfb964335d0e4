package tradovate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// operation.go owns a call of any operation of the REST API with a user's token: it is sent
// once, and repeated only where nothing can be done twice.

// Operation is one operation of Tradovate's REST API.
type Operation struct {
	// Path is its path below /v1 with its query, such as order/list or
	// contract/find?name=ESZ6. Case does not matter to Tradovate.
	Path string
	// Body is JSON; nil sends none.
	Body []byte
	// Method is empty for GET, or POST if there is a body. Tradovate does not enforce
	// it (Tradovate facts §0).
	Method string
}

// Reads reports whether the operation only reads, so that it may be repeated: auth/me, and
// what ends in list, item, items, find, deps, ldeps, suggest or a word with "get". Nothing
// else is known to be harmless, whatever its method.
func (o Operation) Reads() bool {
	path := o.name()
	if path == "auth/me" {
		return true
	}
	last := path[strings.LastIndexByte(path, '/')+1:]
	switch last {
	case "find", "list", "item", "items", "deps", "ldeps", "suggest":
		return true
	}
	return strings.HasPrefix(last, "get")
}

// givesTokens reports whether the operation hands out tokens: only a sign-in and the Keeper's
// renewals may call it.
func (o Operation) givesTokens() bool {
	name := o.name()
	return (name == "auth" || strings.HasPrefix(name, "auth/")) && name != "auth/me"
}

// name is the path in lower case, without query, slashes around it and /v1.
func (o Operation) name() string {
	path, _, _ := strings.Cut(strings.ToLower(o.Path), "?")
	return strings.Trim(strings.TrimPrefix(strings.Trim(path, "/"), "v1/"), "/")
}

func (o Operation) method() string {
	switch {
	case o.Method != "":
		return o.Method
	case o.Body != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// check refuses what must not be sent: an operation that is not one, and those that give
// out tokens, which only a sign-in and the Keeper's renewals may use.
func (o Operation) check() error {
	at, err := url.Parse(o.Path)
	name := o.name()
	switch {
	case err != nil || at.Host != "" || at.Scheme != "" || at.Fragment != "" || name == "" || strings.Contains(name, ".."):
		return wrong("the operation is not a path such as order/list", "")
	case o.givesTokens():
		return wrong(name+" gives out tokens: only a sign-in and venuekey's own renewals may call it", "venuekey refresh, or venuekey login")
	case o.Body != nil && !json.Valid(o.Body):
		return wrong("the body is not JSON", "")
	}
	return nil
}

// mostHops is how many redirects a read follows.
const mostHops = 3

// Do calls an operation with an access token and returns the JSON of the answer. A read
// follows redirects (307) to hosts of Tradovate's; anything else is sent once and follows
// none. The token goes to no other host.
//
// Every failure is a *venuekey.Error, also those inside a 200. ClassUnknown means that the
// operation was sent and may have been carried out; a read is never of that class.
// ClassRefused means that Tradovate does not accept the token, ClassDeclined that it
// declines this operation. A Penalty is in the error's chain.
func (a API) Do(ctx context.Context, access venuekey.Secret, o Operation) (json.RawMessage, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	path, query, _ := strings.Cut(o.Path, "?")
	path = "/" + strings.Trim(strings.TrimPrefix(strings.Trim(path, "/"), "v1/"), "/")
	request, err := a.request(ctx, o.method(), a.Base, path, contentOf(o.Body), o.Body)
	if err != nil {
		return nil, err
	}
	request.URL.RawQuery = query
	for hop := 0; ; hop++ {
		request.Header.Set("Authorization", "Bearer "+string(access))
		answer, err := oauth.Send(a.Transport, request)
		if err != nil {
			return nil, o.lost(err, answer)
		}
		to := redirected(answer, request.URL)
		if to == nil || hop == mostHops || !o.Reads() || !a.mayFollow(to) {
			return a.judge(o, answer, request.URL, to)
		}
		if request, err = http.NewRequestWithContext(ctx, request.Method, to.String(), bytes.NewReader(o.Body)); err != nil {
			return nil, wrong("Tradovate redirects to an address that is not one", "")
		}
		request.Header.Set("Content-Type", contentOf(o.Body))
	}
}

func contentOf(body []byte) string {
	if body == nil {
		return ""
	}
	return "application/json"
}

// redirected returns where an answer leads: Tradovate answers 307 on the wrong
// infrastructure (Tradovate facts §0).
func redirected(answer oauth.Answer, from *url.URL) *url.URL {
	if answer.Status != http.StatusTemporaryRedirect && answer.Status != http.StatusPermanentRedirect {
		return nil
	}
	to, err := from.Parse(answer.Header.Get("Location"))
	if err != nil || answer.Header.Get("Location") == "" {
		return nil
	}
	return to
}

// mayFollow reports whether the token may go to an address.
func (a API) mayFollow(to *url.URL) bool { return oauth.Within(a.domains(), to) }

// lost gives an error of sending its class: a read may be repeated.
func (o Operation) lost(err error, answer oauth.Answer) error {
	var known *venuekey.Error
	if !o.Reads() || !errors.As(err, &known) || known.Class != venuekey.ClassUnknown {
		return err
	}
	again := *known
	again.Class = venuekey.ClassLater
	if len(answer.Body) > 1<<20 { // oauth.Send reads no more, and waiting does not make it smaller
		again.Class, again.Remedy = venuekey.ClassFailed, "ask for less: deps of an account, items, or one item"
	}
	return &again
}

// WithTicket returns the operation as it is repeated after a Penalty's wait: with the ticket
// in its body. For a GET there is no documented way to pass one, so it is repeated as it is
// (Tradovate facts §1.4).
func (o Operation) WithTicket(ticket venuekey.Secret) Operation {
	var fields map[string]json.RawMessage
	if json.Unmarshal(o.Body, &fields) != nil || fields == nil {
		return o
	}
	text, err := json.Marshal(string(ticket))
	if err != nil {
		return o
	}
	fields["p-ticket"] = text
	if body, err := json.Marshal(fields); err == nil {
		o.Body = body
	}
	return o
}
