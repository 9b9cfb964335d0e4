package main

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path/filepath"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/local"
)

// agency.go owns where a command gets its sign-ins: from the agent that runs for this vault, or
// from the vault itself.

// signIns is what commands ask about sign-ins.
type signIns interface {
	// Token returns a good token and the state of its sign-in. It is an error if the venue
	// ended the token with its sign-in.
	Token(ctx context.Context, id venuekey.ID) (*venuekey.Token, venuekey.State, error)
	// Reject is Token for a program whose token was refused.
	Reject(ctx context.Context, id venuekey.ID, access venuekey.Secret) (*venuekey.Token, venuekey.State, error)
	// Renew renews now; again insists.
	Renew(ctx context.Context, id venuekey.ID, again bool) (*venuekey.Token, error)
	// Sign sets the header fields of a call of the venue's API.
	Sign(id venuekey.ID, token *venuekey.Token, call *http.Request)
	Status(ctx context.Context, id venuekey.ID) (venuekey.Status, error)
	Statuses(ctx context.Context) iter.Seq2[venuekey.Status, error]
	IDs(ctx context.Context) iter.Seq2[venuekey.ID, error]
}

// withSignIns calls work with the agent's sign-ins if an agent runs for this vault, and else
// with the vault's. VENUEKEY_AGENT may say otherwise.
func (p *program) withSignIns(ctx context.Context, work func(signIns) error) error {
	client, required, err := p.agentClient()
	if err != nil {
		return err
	}
	if client != nil {
		defer client.CloseIdleConnections()
		err := work(agentSignIns{client})
		if !errors.Is(err, agent.ErrNoAgent) || required {
			return err
		}
	}
	return p.withVault(ctx, func(v *local.Vault) error { return work(vaultSignIns{p, v}) })
}

// withSource calls work with the agent's tokens of a sign-in if an agent runs for this vault, and
// else with the vault's own.
func (p *program) withSource(ctx context.Context, own local.Source, work func(local.Source) error) error {
	client, required, err := p.agentClient()
	if err != nil {
		return err
	}
	if client == nil {
		return work(own)
	}
	defer client.CloseIdleConnections()
	if err := client.Running(ctx); errors.Is(err, agent.ErrNoAgent) && !required {
		return work(own)
	}
	return work(client.Source(own.ID()))
}

// agentClient returns a client of the agent for this vault, nil if there is no socket of one, and
// whether VENUEKEY_AGENT requires one.
func (p *program) agentClient() (client *agent.Client, required bool, err error) {
	switch p.env("VENUEKEY_AGENT") {
	case "off":
		return nil, false, nil
	case "require":
		required = true
	case "":
	default:
		return nil, false, misused("VENUEKEY_AGENT=off, VENUEKEY_AGENT=require, or unset it", "VENUEKEY_AGENT says neither off nor require")
	}
	path, vault, err := p.agentSocket()
	if err != nil {
		return nil, false, err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && !required {
		return nil, false, nil
	}
	return &agent.Client{Socket: path, Vault: vault, Short: true}, required, nil
}

// agentSocket returns the path of the agent's socket for this vault, and the vault's name.
func (p *program) agentSocket() (path, vault string, err error) {
	place, err := p.place()
	if err != nil {
		return "", "", err
	}
	vault = agent.VaultName(place.Address().String())
	if path = p.env("VENUEKEY_AGENT_SOCKET"); path != "" {
		return path, vault, nil
	}
	lasting := agent.SocketPath(filepath.Join(place.Data, "agent"), vault)
	if place.Runtime == "" {
		return lasting, vault, nil
	}
	// Units of the machine listen there: the runtime folder is only there while the user is.
	path = agent.SocketPath(place.Runtime, vault)
	if _, err := os.Lstat(path); err != nil && isSocket(lasting) {
		path = lasting
	}
	return path, vault, nil
}

func isSocket(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSocket != 0
}

// agentSignIns are those of an agent.
type agentSignIns struct{ *agent.Client }

func (a agentSignIns) Token(ctx context.Context, id venuekey.ID) (*venuekey.Token, venuekey.State, error) {
	return a.TokenAndState(ctx, id)
}

func (a agentSignIns) Reject(ctx context.Context, id venuekey.ID, access venuekey.Secret) (*venuekey.Token, venuekey.State, error) {
	token, err := a.Client.Reject(ctx, id, access)
	return token, "", err
}

func (a agentSignIns) Sign(id venuekey.ID, token *venuekey.Token, call *http.Request) {
	a.Source(id).Sign(token, call)
}

func (a agentSignIns) Renew(ctx context.Context, id venuekey.ID, again bool) (*venuekey.Token, error) {
	if again {
		return a.RefreshAgain(ctx, id)
	}
	return a.Refresh(ctx, id)
}

func (a agentSignIns) IDs(ctx context.Context) iter.Seq2[venuekey.ID, error] {
	return func(yield func(venuekey.ID, error) bool) {
		for status, err := range a.Statuses(ctx) {
			if !yield(status.ID, err) {
				return
			}
		}
	}
}

// vaultSignIns are those of a vault that this command opened.
type vaultSignIns struct {
	p *program
	v *local.Vault
}

func (s vaultSignIns) Sign(id venuekey.ID, token *venuekey.Token, call *http.Request) {
	s.v.Keeper.Source(id).Sign(token, call)
}

func (s vaultSignIns) Token(ctx context.Context, id venuekey.ID) (*venuekey.Token, venuekey.State, error) {
	token, err := s.v.Keeper.Token(ctx, id)
	return s.settled(ctx, id, token, err)
}

func (s vaultSignIns) Reject(ctx context.Context, id venuekey.ID, access venuekey.Secret) (*venuekey.Token, venuekey.State, error) {
	token, err := s.v.Keeper.Reject(ctx, id, access)
	return s.settled(ctx, id, token, err)
}

// settled waits for what could not be saved yet, and refuses the token of a dead sign-in.
func (s vaultSignIns) settled(ctx context.Context, id venuekey.ID, token *venuekey.Token, err error) (*venuekey.Token, venuekey.State, error) {
	if token, err = s.p.settled(ctx, s.v, id, token, err); err != nil {
		return nil, "", err
	}
	state, err := s.v.Keeper.State(ctx, id)
	if err != nil || state != venuekey.StateNeedsSignIn {
		return token, state, nil
	}
	return token, state, s.unlessDead(ctx, id)
}

// unlessDead checks a token that has not expired. If a renewal ends the old access token,
// whatever ended the refresh token ended the access token too: the user signed in again or
// revoked access, or another program renewed.
func (s vaultSignIns) unlessDead(ctx context.Context, id venuekey.ID) error {
	status, err := s.v.Keeper.Status(ctx, id)
	if err != nil {
		return nil
	}
	if venue, known := s.p.venueOf(id.Venue); known && status.AccessEnded(venue.Policy()) {
		return &venuekey.Error{ID: id, Op: "token", Class: venuekey.ClassRefused,
			Reason: "the venue ended the access token before it expired: " + status.Reason}
	}
	return nil
}

func (s vaultSignIns) Renew(ctx context.Context, id venuekey.ID, again bool) (*venuekey.Token, error) {
	renew := s.v.Keeper.Refresh
	if again {
		renew = s.v.Keeper.RefreshAgain
	}
	token, err := renew(ctx, id)
	return s.p.settled(ctx, s.v, id, token, err)
}

func (s vaultSignIns) Status(ctx context.Context, id venuekey.ID) (venuekey.Status, error) {
	return s.v.Keeper.Status(ctx, id)
}

func (s vaultSignIns) Statuses(ctx context.Context) iter.Seq2[venuekey.Status, error] {
	return s.v.Keeper.Statuses(ctx)
}

func (s vaultSignIns) IDs(ctx context.Context) iter.Seq2[venuekey.ID, error] {
	return s.v.Vault.IDs(ctx)
}
