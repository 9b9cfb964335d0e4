package tradovate

import (
	"fmt"
	"net/http"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// accounts.go owns the one endpoint that is not about tokens, where clients can use them.

// AccountList names the list of accounts as the endpoint of faults.
const AccountList emulator.Endpoint = "account-list"

// The events of the list of accounts.
const (
	AccountsListed  emulator.EventKind = "accounts-listed"
	AccountsRefused emulator.EventKind = "accounts-refused"
)

// accounts lists the user's accounts in the host's environment: every token is valid at
// both hosts, and on the wrong one the list is empty (Tradovate facts §0, §8). The fields
// are a minimum.
func (s *Server) accounts(w http.ResponseWriter, r *http.Request, env environment) {
	k := s.Current().filled()
	if s.penalised(w, r, k, AccountList, presented{}, false) {
		return
	}
	token := core.Bearer(r)
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), token)
	e := emulator.Event{Kind: AccountsRefused, User: pair.Grant.User, Client: pair.Grant.Client, Fingerprint: emulator.Fingerprint(token)}
	if err != nil {
		e.Status, e.Detail = s.deadStatus(k, pair, err), err.Error()
		s.core.Record(e)
		k.deny(w, e.Status)
		return
	}
	if k.AccountsDenied {
		e.Status, e.Detail = http.StatusUnauthorized, "no permission"
		s.core.Record(e)
		k.deny(w, e.Status)
		return
	}
	e.Kind, e.Status = AccountsListed, http.StatusOK
	s.core.Record(e)
	u, _ := s.core.Registry.User(pair.Grant.User)
	core.Reply(w, http.StatusOK, accountsOf(u, env))
}

// accountsOf are the user's accounts in an environment.
func accountsOf(u emulator.User, env environment) []map[string]any {
	list := []map[string]any{}
	for _, a := range u.Accounts {
		if environment(a.Live) == env {
			list = append(list, map[string]any{"id": a.ID, "name": accountName(a), "userId": u.ID, "accountType": "Customer", "active": true})
		}
	}
	return list
}

func accountName(a emulator.Account) string {
	if a.Live {
		return fmt.Sprint(a.Login)
	}
	return fmt.Sprintf("DEMO%d", a.Login)
}
