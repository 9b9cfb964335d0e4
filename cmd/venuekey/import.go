package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/local"
)

// import.go owns the command import, for a token from another tool.

func (p *program) importCmd() *cobra.Command {
	var replace bool
	cmd := &cobra.Command{
		Use:     "import ID [FILE]",
		GroupID: groupSignIns,
		Short:   "Import a token from another tool",
		Long: `Import a token that another tool got, so that no one has to sign in again. It
comes from a file or from standard input, never from an argument, which other
users of the machine could see. No venue is contacted; the token is renewed when
it is due.

The file is the venue's own answer, or what most tools save of it: JSON with
access_token, refresh_token and expires_in, expires_at or expiry, or accessToken
and so on. A single line is the refresh token; if the venue renews with the
access token, it is that. expires_in counts from issued_at if there is one, or
else from the time the file was written. A sign-in without an access token is
renewed when a program first asks for it.

A refresh token works once: stop the other tool, or remove its file, before
either of the two renews. The token is renewed with the app that it was issued
to.

A sign-in that exists and still works is kept, unless you give --replace.`,
		Example: `  venuekey import ttp/carol tokens.json
  pass show ctrader/refresh-token | venuekey import ctrader/dave
  venuekey import ttp/alice <answer.json --replace`,
		Args:              p.idAndFile,
		ValidArgsFunction: p.completeImport,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := mustID(args)
			text, written, err := p.readForeign(cmd.Context(), args[1:])
			if err != nil {
				return err
			}
			token, err := foreignToken(text, written, p.renewsWith(id))
			if err != nil {
				return venuekey.About(id, "import", err)
			}
			return p.withNewVault(cmd.Context(), func(v *local.Vault) error { return p.importToken(cmd.Context(), v, id, token, replace) })
		},
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "replace a sign-in that still works")
	return cmd
}

// idAndFile accepts an ID, and perhaps a path.
func (p *program) idAndFile(cmd *cobra.Command, args []string) error {
	if len(args) == 2 && args[1] != "" {
		args = args[:1]
	}
	return p.oneID(cmd, args)
}

func (p *program) completeImport(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return p.completeNewIDs(cmd, args, typed)
}

func (p *program) renewsWith(id venuekey.ID) venuekey.Renewal {
	venue, _ := p.venueOf(id.Venue)
	return venue.Policy().RenewsWith
}

// longestForeign is more than any tool saves of one sign-in.
const longestForeign = 1 << 20

// readForeign reads another tool's token, and returns when it was written: for a stream,
// now.
func (p *program) readForeign(ctx context.Context, args []string) (venuekey.Secret, time.Time, error) {
	if len(args) == 0 || args[0] == "-" {
		if p.interactive() {
			text, err := p.ask(ctx, venuekey.Field{Name: "token", Help: "refresh token", Secret: true})
			return text, time.Now(), err
		}
		return readAllOf(p.stdin, "standard input")
	}
	file, closed, err := byname.Open(ctx, args[0])
	if err != nil {
		return "", time.Time{}, &venuekey.Error{Op: "import", Class: venuekey.ClassFailed, Reason: err.Error(), Err: err, Remedy: "name the file that has the other tool's token"}
	}
	defer closed()
	return readAllOf(file, args[0])
}

func readAllOf(from io.Reader, name string) (venuekey.Secret, time.Time, error) {
	written := time.Now()
	if file, ok := from.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			written = info.ModTime()
		}
	}
	text, err := io.ReadAll(io.LimitReader(from, longestForeign+1))
	if err == nil && len(text) > longestForeign {
		err = fmt.Errorf("%s is too long for a token", name)
	}
	if err != nil {
		return "", written, &venuekey.Error{Op: "import", Class: venuekey.ClassFailed, Reason: err.Error(), Err: err}
	}
	return venuekey.Secret(text), written, nil
}

func (p *program) importToken(ctx context.Context, v *local.Vault, id venuekey.ID, token venuekey.Token, replace bool) error {
	status, err := v.Keeper.Status(ctx, id)
	switch {
	case replace, venuekey.NeedsSignIn(err): // there is nothing to keep
	case err != nil:
		return venuekey.About(id, "import", err)
	case status.State != venuekey.StateNeedsSignIn:
		return &venuekey.Error{ID: id, Op: "import", Class: venuekey.ClassFailed, Reason: fmt.Sprintf("the sign-in exists already (%s)", status.State),
			Remedy: "use another name, or --replace"}
	}
	kept, err := v.Keeper.Adopt(ctx, id, token)
	kept, err = p.settled(ctx, v, id, kept, err)
	if err != nil {
		return venuekey.About(id, "import", err)
	}
	venue, _ := p.venueOf(id.Venue)
	if _, _, err := v.App(ctx, venue.Name()); local.NotRegistered(err) {
		p.tell("note: no app is registered for %s; to renew the token, add the app that it was issued to\n  try: venuekey app add %s", id.Venue, id.Venue)
	}
	p.tell("warning: a refresh token works once: stop the other tool before it renews")
	return p.importedToken(id, kept)
}

func (p *program) importedToken(id venuekey.ID, token *venuekey.Token) error {
	if left := time.Until(token.Expires); left > 0 {
		return p.say(kept(id, token), "%s is imported; the token is valid for %s", id, span(left))
	}
	return p.say(kept(id, token), "%s is imported; it will be renewed when a program first asks for it", id)
}
