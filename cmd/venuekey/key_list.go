package main

import (
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// key_list.go owns the list of keys: their IDs, which reveal nothing about them.

// listedKey is a key as a program reads it.
type listedKey struct {
	ID string `json:"id"`
	// State is "seals", "next" for a prepared key, or "old".
	State string `json:"state"`
	// Sealed is how many records and spill files are sealed with it.
	Sealed int `json:"sealed"`
}

func (p *program) keyListCmd() *cobra.Command {
	return &cobra.Command{
		Use:               "list",
		Short:             "List the keys, and how much is sealed with each",
		Long:              "List the keys of this machine, the oldest first, and how much is sealed with\neach. The keys themselves are not shown.",
		Example:           "  venuekey key list",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withKeys(cmd.Context(), func(v *local.Vault) error {
				all, current, err := keyOrder(cmd.Context(), v)
				if err != nil {
					return err
				}
				counts, err := v.Keeper.Census(cmd.Context())
				if err != nil {
					return err
				}
				return p.listKeys(all, current, counts)
			})
		},
	}
}

func (p *program) listKeys(all []string, current string, counts map[string]venuekey.Sealed) error {
	forms := []listedKey{}
	shown := table{heading: []string{"KEY", "STATE", "SEALED WITH IT"}}
	for i, id := range all {
		state := "seals"
		switch at := slices.Index(all, current); {
		case i < at:
			state = "old"
		case i > at:
			state = "next"
		}
		sealed := counts[id].Records + counts[id].Spills
		forms = append(forms, listedKey{id, state, sealed})
		shown.add(text(id), text(state), text(strconv.Itoa(sealed)))
	}
	if p.json {
		return p.writeJSON(forms)
	}
	shown.write(p.stdout, p.style())
	return nil
}
