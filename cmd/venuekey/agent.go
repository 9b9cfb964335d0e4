package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/internal/systemd"
	"github.com/venuekey/venuekey/local"
)

// agent.go owns the command agent: it keeps every sign-in fresh, and hands tokens to the other
// programs of this user.

func (p *program) agentCmd() *cobra.Command {
	var flags agentFlags
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

"venuekey token", "status", "refresh", "exec", "watch", "credential", "ctrader"
and "tradovate" ask the agent for tokens while one runs, and the vault if none
does. VENUEKEY_AGENT=off never asks it,
VENUEKEY_AGENT=require never does without. VENUEKEY_AGENT_SOCKET names another
socket, such as one that ssh forwards.

  GET  /v1/token/VENUE/NAME             a good token; ?newer_than=3&wait=30s
                                        waits for one that is newer
  POST /v1/token/VENUE/NAME/refused     {"access_token":"…"}: the venue did not
                                        accept it, and the answer has another
  GET  /v1/signins                      the status of all
  GET  /v1/events                       server-sent: what happens to them
  GET  /healthz, /readyz, /metrics      whether it runs; whether all is well

With OTEL_EXPORTER_OTLP_ENDPOINT and the other variables of OpenTelemetry it
sends traces of renewals and calls, as OTLP over HTTP with JSON. No ID of a
sign-in is in metrics or traces, unless --metrics-ids.

/v1/openapi.json describes all of it. A refresh token never leaves the vault.

SIGTERM lets renewals finish. After SIGKILL nothing is lost, and the next agent
takes the socket over. Of two agents for one vault on one machine the second
says who has the socket, and ends with 5; on other machines any number may run
on one database. --hook, --webhook, --desktop, --warn, --repeat, --quiet and
--log are those of "venuekey run".

What is handed out, refused or changed is written down ("venuekey audit"). If
that is not possible, nothing is handed out, unless --audit=best-effort.
Programs that are not simply yours get rights of their own ("venuekey consumer
add"), and those that cannot use the socket an address: --listen wants a
consumer, and --tls-cert and --tls-key unless it is one such as 127.0.0.1:9080.

A program that should see no token calls the venue's API through the agent, at
http://agent/proxy/VENUE/NAME/CALL, such as /proxy/tradovate/bot/order/list.`,
		Example: `  venuekey agent
  venuekey agent --hook ./notify.sh
  venuekey agent --where`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, vault, err := p.agentSocket()
			if err != nil {
				return err
			}
			if flags.socket != "" {
				path = flags.socket
			}
			if err := flags.check(); err != nil {
				return err
			}
			if where, _ := cmd.Flags().GetBool("where"); where {
				return p.say(map[string]string{"socket": path}, "%s", path)
			}
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				if err := p.hasVault(cmd.Context(), v); err != nil {
					return err
				}
				return p.serveAgent(cmd.Context(), v, path, vault, flags)
			})
		},
	}
	cmd.Flags().StringVar(&flags.socket, "socket", "", "the `PATH` of the socket")
	cmd.Flags().StringVar(&flags.audit, "audit", "on", "the audit log: on, best-effort or off")
	cmd.Flags().StringVar(&flags.listen, "listen", "", "for consumers, also listen at this `ADDRESS`")
	cmd.Flags().StringVar(&flags.certificate, "tls-cert", "", "the certificates of --listen, a `FILE` in PEM")
	cmd.Flags().StringVar(&flags.key, "tls-key", "", "the private key of --listen, a `FILE` in PEM")
	cmd.Flags().BoolVar(&flags.metricIDs, "metrics-ids", false, "let metrics and traces have the IDs of sign-ins")
	cmd.Flags().Bool("where", false, "only print where the socket is")
	p.addWarnFlags(cmd, &flags.warnings)
	p.addLogFlag(cmd)
	cmd.AddCommand(p.agentInstallCmd())
	return cmd
}

// storeAnswers reports whether the vault can be read, which is what a watchdog wants to know: an
// agent that hangs on a disk is started anew, and loses nothing.
func storeAnswers(ctx context.Context, v *local.Vault) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, err := range v.Vault.IDs(ctx) {
		return err == nil || errors.Is(err, venuekey.ErrNoSignIn)
	}
	return ctx.Err() == nil
}

// agentFlags are the agent's own.
type agentFlags struct {
	socket, audit, listen, certificate, key string
	metricIDs                               bool
	warnings                                warnFlags
}

// check refuses an address that anybody could use.
func (f agentFlags) check() error {
	switch {
	case f.audit != "on" && f.audit != "best-effort" && f.audit != "off":
		return misused("--audit=best-effort", "agent: --audit is on, best-effort or off")
	case f.listen == "" && f.certificate+f.key != "":
		return misused("--listen 0.0.0.0:9443", "agent: --tls-cert and --tls-key are for --listen")
	case f.listen != "" && (f.certificate == "") != (f.key == ""):
		return misused("--tls-cert cert.pem --tls-key key.pem", "agent: --listen wants a certificate and its key")
	case f.listen != "" && f.certificate == "" && !stays(f.listen):
		return misused("--tls-cert cert.pem --tls-key key.pem", "agent: tokens do not leave this machine without TLS: --listen wants a certificate and its key, or an address such as 127.0.0.1:9080")
	}
	return nil
}

// stays reports whether what is sent to an address stays on this machine.
func stays(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback.Host(host) && host != "localhost" // a name may lead elsewhere
}

// listeners are the socket and, if it is asked for, an address for consumers.
func (f agentFlags) listeners(ctx context.Context, p *program, path string, r *rights) (all []net.Listener, err error) {
	if all, err = systemd.Listeners(p.env); err != nil {
		return nil, &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Err: err}
	}
	for i, listener := range all {
		if network := listener.Addr().Network(); network != "unix" {
			closeAll(all)
			return nil, &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Reason: "the system handed over an address of " + network + ", and tokens are not sent without TLS",
				Remedy: "let the unit listen on a path, and use --listen, --tls-cert and --tls-key for consumers elsewhere"}
		}
		if all[i], err = agent.Handed(listener); err != nil {
			closeAll(all[:i], all[i+1:])
			return nil, err
		}
	}
	if len(all) == 0 { // nobody listened for us already
		socket, err := agent.Listen(path)
		if err != nil {
			return nil, err
		}
		all = append(all, socket)
	}
	if f.listen == "" {
		return all, nil
	}
	remote, err := f.remote(ctx, p, r)
	if err != nil {
		closeAll(all)
		return nil, err
	}
	return append(all, remote), nil
}

// closeAll closes listeners that will serve nobody.
func closeAll(lists ...[]net.Listener) {
	for _, listener := range slices.Concat(lists...) {
		_ = listener.Close()
	}
}

// remote listens for consumers, with TLS unless nobody elsewhere can connect.
func (f agentFlags) remote(ctx context.Context, p *program, r *rights) (net.Listener, error) {
	wrong := func(err error, remedy string) *venuekey.Error {
		return &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Reason: err.Error(), Remedy: remedy}
	}
	some := false
	for _, err := range consumer.All(ctx, r.book.Vault) {
		if some = err == nil; some {
			break
		}
	}
	if !some {
		return nil, wrong(errors.New("there is no consumer who could use "+f.listen), "venuekey consumer add NAME --allow ctrader/alice:token")
	}
	if f.certificate == "" {
		listener, err := net.Listen("tcp", f.listen)
		if err != nil {
			return nil, wrong(err, "name another address")
		}
		return listener, nil
	}
	certificate, err := f.pair(ctx, p)
	if ctx.Err() != nil { // a pipe that nobody wrote
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, wrong(err, "check --tls-cert and --tls-key")
	}
	r.certificate = certificate.Leaf
	listener, err := tls.Listen("tcp", f.listen, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	if err != nil {
		return nil, wrong(err, "name another address")
	}
	return listener, nil
}

// pair reads the certificate and its key, which are refused as any secret is if others may write them.
func (f agentFlags) pair(ctx context.Context, p *program) (tls.Certificate, error) {
	certificate, _, err := byname.Read(ctx, f.certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, info, err := byname.Read(ctx, f.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if own.ReadableByAll(info) {
		p.tell("warning: --tls-key: every user of this machine can read %s (mode %04o)\n  try: chmod 600 %[1]s", f.key, info.Mode().Perm())
	}
	return tls.X509KeyPair(certificate, private)
}

// serveAgent serves until the context ends, beside whatever keeps the sign-ins fresh.
func (p *program) serveAgent(ctx context.Context, v *local.Vault, path, vault string, flags agentFlags) (err error) {
	place, err := p.place()
	if err != nil {
		return err
	}
	r := &rights{book: &consumer.Book{Vault: v.Vault}}
	listeners, err := flags.listeners(ctx, p, path, r)
	if err != nil {
		return err
	}
	if err := r.open(place, flags.audit); err != nil {
		closeAll(listeners)
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	traces, err := p.newTracer(flags.metricIDs)
	if err != nil {
		closeAll(listeners)
		return err
	}
	w, err := p.newWarner(v, flags.warnings)
	if err != nil {
		closeAll(listeners)
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	server := &agent.Server{Keeper: v.Keeper, Version: version().Version, Vault: vault, Log: p.log()}
	server.MetricIDs = flags.metricIDs
	r.serve(server)
	traces.trace(server)
	events := new(untold)
	server.Happened = func(event venuekey.Event) {
		w.hear(event) // of every kind, and without waiting
		events.add(event)
	}
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(running, listeners...)
		stop()
	}()
	for _, listener := range listeners {
		if address := listener.Addr(); address.Network() == "unix" {
			p.tell("serving at %s", address)
		} else {
			p.tell("serving consumers at %s%s", address, map[bool]string{true: ", with TLS"}[flags.certificate != ""])
		}
	}
	var watched sync.WaitGroup
	defer watched.Wait()
	watched.Go(func() { traces.exporter.Run(running) })
	watched.Go(func() { r.book.Watch(running) })
	watched.Go(func() { systemd.Watch(running, p.env, func() bool { return storeAnswers(running, v) }) })
	if err := systemd.Notify(p.env, "READY=1\nSTATUS=serving at "+path); err != nil {
		p.log().Warn("systemd was not told that the agent is ready", "error", err)
	}
	defer func() { _ = systemd.Notify(p.env, "STOPPING=1") }()
	err = p.keepFresh(running, v, w, events.all(running))
	stop()
	if failed := <-served; err == nil && failed != nil {
		err = &venuekey.Error{Op: "agent", Class: venuekey.ClassFailed, Err: failed}
	}
	return err
}
