package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/venue/defined"
)

// venue_new.go owns the first file about a venue, made of a person's answers.

func (p *program) venueNewCmd() *cobra.Command {
	file := ""
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Ask about a venue, and write a first file that describes it",
		Long: `Ask about a venue, and write a first file that describes it: NAME.json in the
current folder, or where --file says. A file that is there is not replaced. The
answers come from the terminal, or one line each from standard input; an empty
one takes the default.

What is not asked for is taken in the most careful way: a refresh token works
once and is never presented twice. doc/definitions.md has all fields.`,
		Example: `  venuekey venue new acme
  venuekey venue new acme --file venues/acme.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(usageOf(cmd), "%s takes the name of the new venue", cmd.CommandPath())
			}
			if _, err := venuekey.ParseID(args[0] + "/x"); err != nil {
				return misused("a name such as acme", "venue new: a name is lower-case letters, digits and dashes")
			}
			if _, known := p.venueOf(args[0]); known {
				return misused("venuekey venue show "+args[0], "venue new: there is a venue %s already", args[0])
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" {
				file = args[0] + ".json"
			}
			return p.venueNew(cmd.Context(), args[0], file)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the `PATH` of the file")
	return cmd
}

// question is what a person is asked about a venue.
type question struct {
	name, help, usual string
	// only is the way to sign in that it is about; "" is all.
	only string
}

var questions = []question{
	{"about", "what the venue is, in a line", "", ""},
	{"login", "how a user signs in: code (a page in the browser), key or password", "code", ""},
	{"authorize", "the address of the page, from the venue's documentation", "", "code"},
	{"pkce", "whether the page knows PKCE: S256 or off", "S256", "code"},
	{"token", "the address that hands out tokens", "", ""},
	{"encoding", "how it wants parameters: form or json", "form", ""},
	{"life", "how long an access token lives, as in 30m or 24h", "1h", ""},
	{"renew", "what renews it: refresh (a refresh token), app (the key again) or none", "", ""},
	{"source", "where you have this from: a page or a library", "", ""},
}

func (p *program) venueNew(ctx context.Context, name, file string) error {
	if _, err := os.Lstat(file); err == nil {
		return misused("another --file", "venue new: %s is there already", file)
	}
	answers := map[string]string{"name": name}
	for _, q := range questions {
		if q.only != "" && q.only != answers["login"] {
			continue
		}
		usual := q.usual
		if q.name == "renew" {
			usual = map[string]string{"code": "refresh", "key": "app"}[answers["login"]]
			if usual == "" {
				usual = "none"
			}
		}
		given, err := p.ask(ctx, venuekey.Field{Name: q.name, Help: q.help, Default: usual, Optional: usual != "" || q.name == "about" || q.name == "source"})
		if err != nil {
			return err
		}
		answers[q.name] = strings.TrimSpace(string(given))
		if answers[q.name] == "" {
			answers[q.name] = usual
		}
	}
	text, err := firstFile(answers)
	if err != nil {
		return err
	}
	if _, err := defined.Parse(file, text); err != nil {
		return &venuekey.Error{Op: "venue new", Class: venuekey.ClassMisconfigured, Reason: oneLine(err.Error()), Remedy: "answer again: venuekey venue new " + name}
	}
	err = draft.Write(file, "venuekey-venue", os.Link, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return misused("another --file", "venue new: %s is there already", file)
	}
	if err != nil {
		return &venuekey.Error{Op: "venue new", Class: venuekey.ClassFailed, Err: err}
	}
	p.tell("  try: venuekey venue show %[1]s, and venuekey venue test %[1]s", file)
	return p.say(map[string]string{"file": file}, "%s describes %s", file, name)
}

// firstFile writes the answers as a definition.
func firstFile(a map[string]string) ([]byte, error) {
	type object = map[string]any
	exchange := object{"url": a["token"], "encoding": a["encoding"]}
	d := object{"name": a["name"], "about": a["about"], "login": a["login"], "exchange": exchange,
		"life": object{"access": a["life"]}, "renew": object{"with": a["renew"]},
		"sources": []object{{"fact": "all of it", "where": cmp.Or(a["source"], "not said"), "sure": false}}}
	keep := map[string]string{"key": "app", "password": "never"}[a["login"]]
	switch a["login"] {
	case "code":
		d["authorize"] = object{"url": a["authorize"], "pkce": a["pkce"]}
	case "key", "password":
		d["client"], exchange["auth"] = "none", "none"
		exchange["params"] = object{"user": "{ask.user}", a["login"]: "{ask." + a["login"] + "}"}
		d["ask"] = []object{{"name": "user", "help": "the user's name at the venue", "user": true, "keep": keep},
			{"name": a["login"], "help": "the " + a["login"] + " at the venue", "secret": true, "keep": keep}}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return text.Bytes(), err
}
