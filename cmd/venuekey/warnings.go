package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/agent/notify"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/local"
)

// warnings.go owns how the commands that watch over sign-ins warn a person: their flags, and
// the ways that these ask for.

// wayFlags name the ways to a person.
type wayFlags struct {
	hook, webhook, key string
	desktop            bool
}

// warnFlags say how and when to warn.
type warnFlags struct {
	wayFlags
	warn, repeat []time.Duration
	quiet        string
}

func (p *program) addWayFlags(cmd *cobra.Command, asked *wayFlags) {
	cmd.Flags().StringVar(&asked.hook, "hook", "", "run this `PROGRAM` when a sign-in gets into trouble")
	cmd.Flags().StringVar(&asked.webhook, "webhook", "", "post it to this `ADDRESS`; @FILE has it in a file")
	cmd.Flags().StringVar(&asked.key, "webhook-key", "", "the `FILE` with the key that signs it")
	cmd.Flags().BoolVar(&asked.desktop, "desktop", false, "show it on the desktop of this machine")
}

func (p *program) addWarnFlags(cmd *cobra.Command, asked *warnFlags) {
	p.addWayFlags(cmd, &asked.wayFlags)
	cmd.Flags().DurationSliceVar(&asked.warn, "warn", nil, "warn `TIMES` before a sign-in ends")
	cmd.Flags().Lookup("warn").DefValue = "48h,24h,2h" // or what the venue's file says: the Keeper decides
	cmd.Flags().DurationSliceVar(&asked.repeat, "repeat", notify.UsualRepeat, "say it again after `TIMES`")
	cmd.Flags().Lookup("repeat").DefValue = "1h,4h,24h"
	cmd.Flags().StringVar(&asked.quiet, "quiet", "", "only urgent words in `HOURS`, as 22:00-07:00")
	_ = cmd.RegisterFlagCompletionFunc("quiet", cobra.FixedCompletions([]string{"22:00-07:00", "22:00-07:00@Europe/Berlin"}, cobra.ShellCompDirectiveNoFileComp))
}

// repeats are the times of --repeat; none is never.
func (f warnFlags) repeats() ([]time.Duration, error) {
	all := []time.Duration{}
	for _, pause := range f.repeat {
		switch {
		case pause == 0 && len(f.repeat) == 1:
		case pause < time.Minute:
			return nil, misused("--repeat 1h,4h,24h", "--repeat has a time of less than a minute; 0 alone is never")
		default:
			all = append(all, pause)
		}
	}
	return all, nil
}

// ways are what carries notices to a person; each may be missing.
type ways struct {
	hooks   *hooks
	webhook *notify.Webhook
	desktop *notify.Desktop
}

// any reports whether there is a way.
func (w ways) any() bool { return w.hooks != nil || w.webhook != nil || w.desktop != nil }

// ways finds what the flags ask for.
func (p *program) ways(asked wayFlags) (w ways, err error) {
	if asked.hook != "" {
		path, err := exec.LookPath(asked.hook)
		if err != nil {
			return w, notRunnable{name: asked.hook, code: exitNotFound, err: err}
		}
		w.hooks = p.newHooks(path)
	}
	if w.webhook, err = p.webhook(asked); err != nil {
		return w, err
	}
	if asked.desktop {
		w.desktop, err = notify.FindDesktop()
		if errors.Is(err, notify.ErrNoDesktop) {
			p.tell("warning: --desktop does nothing here: %v", err)
			err = nil
		}
	}
	if w.desktop != nil {
		w.desktop.Environ, w.desktop.Log = p.programEnviron(nil), p.log()
	}
	return w, err
}

// webhook is the endpoint that the flags name, nil if they name none.
func (p *program) webhook(asked wayFlags) (*notify.Webhook, error) {
	switch {
	case asked.webhook == "" && asked.key == "":
		return nil, nil
	case asked.webhook == "":
		return nil, misused("--webhook https://hooks.example.com/venuekey", "--webhook-key is for --webhook")
	case asked.key == "":
		return nil, misused("(umask 077; openssl rand -hex 32 >webhook.key), and --webhook-key webhook.key", "--webhook wants a key, which signs what is sent: --webhook-key FILE")
	}
	text := asked.webhook
	path, inFile := strings.CutPrefix(text, "@")
	if inFile {
		content, _, err := byname.Read(context.Background(), path)
		if err != nil {
			return nil, &venuekey.Error{Op: "webhook", Class: venuekey.ClassMisconfigured, Err: err, Remedy: "a file that only you can write, with the address in it"}
		}
		text = string(content)
	}
	address, err := notify.ParseAddress(text)
	if err != nil {
		return nil, err
	}
	if address.HasPassword() && !inFile {
		return nil, misused("put the address into a file that only you can read: --webhook @FILE",
			"a password among the arguments can be read by every user of this machine")
	}
	key, err := notify.ReadKey(asked.key)
	if err != nil {
		return nil, err
	}
	return &notify.Webhook{Address: address, Key: key}, nil
}

// warner tells a person what happens.
type warner struct {
	ways
	outbox  *notify.Outbox // nil if another program has it
	teller  *notify.Teller
	courier *notify.Courier
	running sync.WaitGroup
	// stopTelling and stopCarrying end what begin has begun.
	stopTelling, stopCarrying func()
	told                      chan struct{}
}

// newWarner gets everything ready that can fail.
func (p *program) newWarner(v *local.Vault, asked warnFlags) (*warner, error) {
	v.Keeper.Warn = asked.warn
	repeat, err := asked.repeats()
	if err != nil {
		return nil, err
	}
	var quiet notify.Quiet
	if asked.quiet != "" {
		if quiet, err = notify.ParseQuiet(asked.quiet); err != nil {
			return nil, misused("--quiet 22:00-07:00, or --quiet 22:00-07:00@Europe/Berlin", "%v", err)
		}
	}
	w := &warner{}
	if w.ways, err = p.ways(asked.wayFlags); err != nil {
		return nil, err
	}
	if !w.any() {
		if asked.quiet != "" && asked.wayFlags == (wayFlags{}) {
			return nil, misused("--hook PROGRAM, --webhook ADDRESS or --desktop", "--quiet is for ways to tell a person, and none is named")
		}
		return w, nil
	}
	if err := p.openOutbox(w); err != nil {
		return nil, err
	}
	w.teller = &notify.Teller{
		Repeat: repeat, Quiet: quiet, Help: p.remedyOf, Ended: p.endedEarly, Outbox: w.outbox, Log: p.log(),
		Gone: func(ctx context.Context, id venuekey.ID) bool {
			_, err := v.Keeper.Status(ctx, id)
			return errors.Is(err, venuekey.ErrNotFound)
		},
		Ways: []notify.Way{w.carry},
	}
	if w.webhook != nil {
		w.courier = &notify.Courier{Webhook: *w.webhook, Outbox: w.outbox, Log: p.log()}
	}
	return w, nil
}

// openOutbox opens the outbox. Only a webhook cannot do without.
func (p *program) openOutbox(w *warner) error {
	folder, err := p.outboxFolder()
	if err == nil {
		w.outbox, err = notify.Open(folder)
	}
	if err != nil && w.webhook == nil {
		if !errors.Is(err, notify.ErrTaken) {
			p.log().Warn("what was said is forgotten when this program ends", "error", err)
		}
		return nil
	}
	return err
}

// outboxFolder is the folder of the notices about this vault.
func (p *program) outboxFolder() (string, error) {
	place, err := p.place()
	if err != nil {
		return "", err
	}
	return filepath.Join(place.Notices(), agent.VaultName(place.Address().String())), nil
}

// endedEarly reports whether the venue ended an access token with its sign-in.
func (p *program) endedEarly(s venuekey.Status) bool {
	venue, known := p.venueOf(s.ID.Venue)
	return known && s.AccessEnded(venue.Policy())
}

// carry sends a notice on every way.
func (w *warner) carry(n notify.Notice, event venuekey.Event) {
	if w.hooks != nil {
		w.hooks.tellAgain(event, n.Repeat)
	}
	if w.courier != nil {
		w.courier.Tell(n)
	}
	if w.desktop != nil {
		w.desktop.Tell(n)
	}
}

// begin tells what is heard from now on, until close: also what is heard at the very end.
func (w *warner) begin(ctx context.Context) {
	if w.teller == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	telling, stopTelling := context.WithCancel(ctx)
	carrying, stopCarrying := context.WithCancel(ctx)
	w.stopTelling, w.stopCarrying, w.told = stopTelling, stopCarrying, make(chan struct{})
	go func() {
		defer close(w.told)
		w.teller.Run(telling)
	}()
	if w.courier != nil {
		w.running.Go(func() { w.courier.Run(carrying) })
	}
}

func (w *warner) hear(event venuekey.Event) {
	if w.teller != nil {
		w.teller.Hear(event)
	}
}

// close says what was heard, and waits a while for what is on its way.
func (w *warner) close() {
	if w.stopTelling != nil {
		w.stopTelling()
		<-w.told
		w.stopCarrying()
		w.running.Wait()
	}
	if w.hooks != nil {
		w.hooks.close()
	}
	if w.desktop != nil {
		w.desktop.Close()
	}
	if w.outbox != nil {
		_ = w.outbox.Close() // everything is on the disk
	}
}
