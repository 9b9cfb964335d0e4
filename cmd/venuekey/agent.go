package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/local"
)

// agent.go owns the command agent: it keeps every sign-in fresh, and hands tokens to the other
// programs of this user.

func (p *program) agentCmd() *cobra.Command {
	var socket, hook string
	var warn []time.Duration
	cmd := &cobra.Command{
		Use:     "agent",
		GroupID: groupUse,
		Short:   "Keep every sign-in fresh, and hand out tokens on a socket",
		Long: `Keep every sign-in fresh, as "venuekey run" does, and hand out tokens to the
other programs of this user, in any language: HTTP with JSON on a Unix socket.

  curl --unix-socket "$(venuekey agent --where)" \\
    http://agent/v1/token/ctrader/alice

The socket lies in $XDG_RUNTIME_DIR/venuekey, or else in the folder "agent" of
venuekey's own files. Each vault has one of its own. Only this user gets an
answer, whatever the mode of a file says: the kernel says who asks.

"venuekey token", "status", "refresh" and "exec" ask the agent while one runs,
and open the vault themselves if none does. VENUEKEY_AGENT=off never asks it,
VENUEKEY_AGENT=require never does without. VENUEKEY_AGENT_SOCKET names another
socket, such as one that ssh forwards.

  GET  /v1/token/VENUE/NAME             a good token; ?newer_than=3&wait=30s
                                        waits for one that is newer
  POST /v1/token/VENUE/NAME/refused     {"access_token":"…"}: the venue did not
                                        accept it, and the answer has another
  GET  /v1/signins                      the status of all
  GET  /v1/events                       server-sent: what happens to them
  GET  /healthz, /readyz                whether it runs; whether all is well

/v1/openapi.json describes all of it. A refresh token never leaves the vault.

SIGTERM lets renewals finish. After SIGKILL nothing is lost, and the next agent
takes the socket over. Of two agents for one vault on one machine the second
says who has the socket, and ends with 5; on other machines any number may run
on one database. --hook and --warn are those of "venuekey run".`,
		Example: `  venuekey agent
  venuekey agent --hook ./notify.sh
  venuekey agent --where`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, vault, err := p.agentSocket()
			if err != nil {
				return err
			}
			if socket != "" {
				path = socket
			}
			if where, _ := cmd.Flags().GetBool("where"); where {
				return p.say(map[string]string{"socket": path}, "%s", path)
			}
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				if err := p.hasVault(cmd.Context(), v); err != nil {
					return err
				}
				v.Keeper.Warn = warn
				return p.serveAgent(cmd.Context(), v, path, vault, hook)
			})
		},
	}
	cmd.Flags().StringVar(&socket, "socket", "", "the `PATH` of the socket")
	cmd.Flags().Bool("where", false, "only print where the socket is")
	p.watchFlags(cmd, &hook, &warn)
	return cmd
}

// serveAgent serves until the context ends, beside whatever keeps the sign-ins fresh.
func (p *program) serveAgent(ctx context.Context, v *local.Vault, path, vault, hook string) error {
	listener, err := agent.Listen(path)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	server := &agent.Server{Keeper: v.Keeper, Version: version().Version, Vault: vault, Log: p.log()}
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(running, listener)
		stop()
	}()
	p.tell("serving at %s", path)
	err = p.keepFresh(running, v, hook)
	stop()
	if failed := <-served; err == nil && failed != nil {
		err = &venuekey.Error{Op: "agent", Class: venuekey.ClassFailed, Err: failed}
	}
	return err
}
