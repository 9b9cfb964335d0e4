package main

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/agent/audit"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/agent/proxy"
	"github.com/venuekey/venuekey/local"
)

// agent_rights.go owns who may ask the agent for what, and what is written down of it: this user's
// programs may do everything, and a consumer what its rules say.

// rights are those of whoever asks.
type rights struct {
	book *consumer.Book
	log  *audit.Log // nil for none
	// best says that what cannot be written down is done all the same.
	best bool
	// certificate is that of --listen; nil without it.
	certificate *x509.Certificate
}

type consumerKey struct{}

// open opens the audit log, as the flag --audit says.
func (r *rights) open(place *local.Place, how string) (err error) {
	if r.best = how == "best-effort"; how != "off" {
		r.log, err = audit.Open(place.Audit(), audit.Options{})
	}
	return err
}

func (r *rights) close() error {
	if r.log == nil {
		return nil
	}
	return r.log.Close()
}

// changed writes down that a consumer was added or revoked, when this agent notices.
func (r *rights) changed(c consumer.Consumer, added bool) {
	if r.log == nil {
		return
	}
	entry := audit.Entry{Consumer: c.Name, Verb: audit.VerbConsumer, Outcome: audit.OutcomeRevoked, Durable: true}
	if added {
		entry.Outcome = audit.OutcomeAdded
	}
	_ = r.log.Write(entry) // which counts what it cannot write
}

// serve gives a server these rights.
func (r *rights) serve(s *agent.Server) {
	s.Admit, s.Allow, s.Told, s.Certificate = r.admit, r.allow, r.told, r.certificate
	r.book.Changed = r.changed
	s.Who = func(request *http.Request) string {
		known, _ := request.Context().Value(consumerKey{}).(consumer.Consumer)
		return known.Name
	}
	s.Proxy = &proxy.Handler{Keeper: s.Keeper, Allow: r.allowCall, Told: r.toldCall, Took: s.Proxied, Log: s.Log}
}

// admit finds the consumer of a request. One without a token must come through the socket, where
// the kernel has said that it is this user's.
func (r *rights) admit(request *http.Request) (*http.Request, error) {
	given := request.Header.Get("Authorization")
	if given == "" {
		if agent.ThroughSocket(request.Context()) {
			return request, nil
		}
		return nil, errors.New("this address is for consumers, and the request has no token of one")
	}
	scheme, token, _ := strings.Cut(given, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, consumer.ErrUnknown
	}
	found, err := r.book.Find(request.Context(), venuekey.Secret(strings.TrimSpace(token)))
	if err != nil {
		if !errors.Is(err, consumer.ErrUnknown) {
			err = errors.New("it cannot be told whose the token is, because the vault does not answer")
		}
		return nil, err
	}
	return request.WithContext(context.WithValue(request.Context(), consumerKey{}, found)), nil
}

// allow says whether a request may do that with a sign-in, at the moment: a stream may outlive a
// consumer's rights.
func (r *rights) allow(request *http.Request, id venuekey.ID, verb agent.Verb) error {
	known, ok := request.Context().Value(consumerKey{}).(consumer.Consumer)
	if !ok {
		return nil
	}
	now, err := r.book.Still(request.Context(), known)
	if err != nil {
		return err
	}
	may := now.May(id, consumer.Verb(verb))
	if id.Name == "" {
		may = now.MayAll(consumer.Verb(verb))
	}
	if !may {
		return agent.ErrForbidden
	}
	return nil
}

// allowCall says whether a request may make a call of a venue's API.
func (r *rights) allowCall(request *http.Request, id venuekey.ID, asked proxy.Asked) error {
	if err := r.allow(request, id, agent.VerbProxy); err != nil || asked == (proxy.Asked{}) {
		return err
	}
	known, ok := request.Context().Value(consumerKey{}).(consumer.Consumer)
	if !ok {
		return nil
	}
	now, err := r.book.Still(request.Context(), known)
	if err != nil {
		return err
	}
	return now.MayCall(asked.Method, asked.Name, asked.Effect)
}

// toldCall writes down a call.
func (r *rights) toldCall(request *http.Request, id venuekey.ID, asked proxy.Asked, generation int64, outcome error) error {
	return r.write(request, audit.Entry{ID: id, Verb: string(agent.VerbProxy), Call: asked.String(), Outcome: outcomeOf(outcome), Generation: generation})
}

// told writes down what was done for whom.
func (r *rights) told(request *http.Request, id venuekey.ID, verb agent.Verb, generation int64, outcome error) error {
	return r.write(request, audit.Entry{ID: id, Verb: string(verb), Outcome: outcomeOf(outcome), Generation: generation, Durable: verb == agent.VerbAdmin})
}

// write adds who asked, and writes a line of the audit log.
func (r *rights) write(request *http.Request, entry audit.Entry) error {
	if r.log == nil {
		return nil
	}
	if known, ok := request.Context().Value(consumerKey{}).(consumer.Consumer); ok {
		entry.Consumer = known.Name
	} else if peer, ok := agent.PeerOf(request.Context()); ok {
		entry.Peer = &audit.Peer{UID: peer.UID, PID: peer.PID, Exe: exeOf(peer.PID)}
	}
	err := r.log.Write(entry)
	if err == nil || r.best {
		return nil
	}
	return &venuekey.Error{ID: entry.ID, Op: "agent", Class: venuekey.ClassFailed, Reason: "nothing is handed out, because it cannot be written down: " + err.Error(),
		Remedy: "make room on the disk, or run venuekey agent --audit=best-effort"}
}

func outcomeOf(outcome error) string {
	switch {
	case outcome == nil:
		return audit.OutcomeGiven
	case errors.Is(outcome, agent.ErrForbidden):
		return audit.OutcomeForbidden
	}
	word, err := venuekey.ClassOf(outcome).MarshalText()
	if err != nil {
		return "failed"
	}
	return string(word)
}

// exeOf is the program that a process runs, as far as the system says.
func exeOf(pid int) string {
	path, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return ""
	}
	return path
}
