package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// venue.go owns the commands about venues: which there are, and whether a file describes one.

func (p *program) venueCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "venue",
		GroupID: groupSetup,
		Short:   "List venues, and check the files that describe them",
		Long: `A venue is written in Go, or described by a file. Some files come with venuekey,
and yours lie in the folder "venues" beside the key ("venuekey help files"), or
where VENUEKEY_VENUES says: NAME.json describes the venue NAME. Such a file is
data: it runs nothing, and names every host that gets a secret.

doc/definitions.md says how to write one.`,
		Example: `  venuekey venue list
  venuekey venue show schwab
  venuekey venue check my-broker.json
  venuekey emulate my-broker.json`,
		Args: p.unknownCommand,
		RunE: p.helpOrVersion,
	}
	cmd.PersistentFlags().StringVar(&p.venuesIn, "venues", "", "the `FOLDER` of your files, in place of the usual one")
	cmd.AddCommand(p.venueListCmd(), p.venueShowCmd(), p.venueCheckCmd(), p.venueTestCmd(), p.venueNewCmd())
	return cmd
}

// Where a venue comes from.
const (
	fromGo       = "go"
	fromEmbedded = "comes with venuekey"
)

type venueJSON struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"`
	Login string `json:"login,omitempty"`
	From  string `json:"from"`
	Error string `json:"error,omitempty"`
}

func (p *program) venueListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all venues",
		Long: `List all venues that sign-ins can be at, and where each comes from. A file with
mistakes is listed too: "venuekey venue check NAME" says what they are.`,
		Example:           "  venuekey venue list\n  venuekey venue list --json",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, err := p.definitions()
			if err != nil {
				return err
			}
			forms := []venueJSON{}
			shown := table{heading: []string{"NAME", "SIGN-IN BY", "FROM", "WHAT IT IS"}}
			for _, name := range place.VenueNames() {
				form := p.venueForm(place, name)
				forms = append(forms, form)
				about := text(form.About)
				if form.Error != "" {
					about = cell{"it has mistakes: venuekey venue check " + name, red}
				}
				shown.add(text(name), text(orDash(form.Login)), text(form.From), about)
			}
			if p.json {
				return p.writeJSON(forms)
			}
			shown.write(p.stdout, p.style())
			return nil
		},
	}
}

// abouts say what the venues that are written in Go are.
var abouts = map[string]string{"ctrader": "cTrader's Open API", "tradovate": "Tradovate, with its OAuth and API keys", "ttp": "TheTradingParrot"}

func (p *program) venueForm(place *local.Place, name string) venueJSON {
	if about, compiled := abouts[name]; compiled {
		return venueJSON{Name: name, About: about, From: fromGo}
	}
	form := venueJSON{Name: name, From: fromEmbedded}
	if !slices.Contains(defined.Names(), name) {
		form.From = filepath.Join(place.Definitions(), name+".json")
	}
	d, _, err := p.definition(name)
	if err != nil {
		form.Error = oneLine(err.Error())
		return form
	}
	form.About, form.Login = d.About, string(d.Login)
	return form
}

// definition reads a definition by the name of its venue, or by the path of its file.
func (p *program) definition(argument string) (d *definition.Definition, from string, err error) {
	if slices.Contains(defined.Names(), argument) {
		file, text, err := defined.Text(argument)
		if err == nil {
			d, err = defined.Parse(file, text)
		}
		return d, fromEmbedded, err
	}
	path := argument
	if !isPath(argument) {
		place, err := p.definitions()
		if err != nil {
			return nil, "", err
		}
		path = filepath.Join(place.Definitions(), argument+".json")
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, path, fmt.Errorf("%s cannot be read: %w", path, plainPath(err))
	case info.Size() > definition.MostBytes || !info.Mode().IsRegular():
		return nil, path, errors.New("it is no definition: one is a file of 256 KiB at most")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, path, err
	}
	d, err = defined.Parse(filepath.Base(path), text)
	return d, path, err
}

// plainPath is an error about a file without its path.
func plainPath(err error) error {
	if known, ok := errors.AsType[*os.PathError](err); ok {
		return known.Err
	}
	return err
}

// isPath reports whether an argument is that of a file, and not the name of a venue.
func isPath(argument string) bool {
	return strings.ContainsAny(argument, `/\`) || strings.HasSuffix(argument, ".json")
}

// oneDefinition accepts the name of a venue or the path of a file.
func (p *program) oneDefinition(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) != 1:
		return misused(usageOf(cmd), "%s takes the name of a venue, or a file", cmd.CommandPath())
	case abouts[args[0]] != "" && !slices.Contains(defined.Names(), args[0]):
		return misused("venuekey venue list", "%s is written in Go, and no file describes it", args[0])
	case isPath(args[0]):
		return nil
	}
	return p.knownVenue(cmd, args[0])
}

func (p *program) completeDefinitions(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, name := range p.venueNames() {
		if (abouts[name] == "" || slices.Contains(defined.Names(), name)) && strings.HasPrefix(name, typed) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveDefault // files too
}

// mistakeJSON is a mistake as a program reads it.
type mistakeJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Field  string `json:"field,omitempty"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

func (p *program) venueCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "check NAME|FILE",
		Short: "Check a file that describes a venue",
		Long: `Check a file that describes a venue: each mistake with its line, its field, what
it contradicts and what to do. All of them are reported at once; the exit code
is 5 if there is one. Nothing is sent anywhere.`,
		Example:           "  venuekey venue check my-broker.json\n  venuekey venue check schwab",
		Args:              p.oneDefinition,
		ValidArgsFunction: p.completeDefinitions,
		RunE: func(_ *cobra.Command, args []string) error {
			d, from, err := p.definition(args[0])
			mistakes, ok := errors.AsType[definition.Mistakes](err)
			switch {
			case !ok && err != nil:
				return &venuekey.Error{Op: "venue check", Class: venuekey.ClassMisconfigured, Err: err, Remedy: "name a venue of venuekey venue list, or a file"}
			case p.json:
				forms := []mistakeJSON{}
				for _, m := range mistakes {
					forms = append(forms, mistakeJSON{m.File, m.Line, m.Field, m.What, m.Remedy})
				}
				if err := p.writeJSON(forms); err != nil || len(mistakes) == 0 {
					return err
				}
				return codeOnly(exitMisconfigured)
			case len(mistakes) > 0:
				for _, m := range mistakes {
					p.tell("%s", oneLine(m.Error()))
				}
				return codeOnly(exitMisconfigured)
			}
			return p.say(nil, "%s: it describes %s, and has no mistakes", from, d.Name)
		},
	}
}

// definitionOf is definition for commands that need one without mistakes.
func (p *program) definitionOf(argument string) (*definition.Definition, error) {
	d, _, err := p.definition(argument)
	if err != nil {
		return nil, &venuekey.Error{Op: "venue", Class: venuekey.ClassMisconfigured, Reason: oneLine(err.Error()), Remedy: "venuekey venue check " + argument, Err: err}
	}
	return d, nil
}
