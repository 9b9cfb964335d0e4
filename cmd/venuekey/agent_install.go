package main

import (
	"cmp"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/own"
)

// agent_install.go owns how the system starts the agent: units of systemd, and a job of launchd.

// unit is a file that tells the system about the agent.
type unit struct{ name, text string }

func (p *program) agentInstallCmd() *cobra.Command {
	var print, system bool
	cmd := &cobra.Command{
		Use:   "install [-- FLAG...]",
		Short: "Have the system start the agent",
		Long: `Have the system start the agent when you log in, and again if it fails: units
of systemd for this user on Linux, with a socket on which systemd listens before
the agent runs, so that no program comes too early; a job of launchd on macOS.
What to do next is printed. The environment of this command that says where the
vault is goes into them, and no secret. Flags behind -- are those with which the
agent is started.

With --system they are units of the machine that run as you, and need no login.
Writing them needs root: sudo --preserve-env=HOME venuekey agent install
--system. On Windows, let the Task Scheduler start the agent at logon:
schtasks /create /tn venuekey /sc onlogon /tr "venuekey agent".`,
		Example: `  venuekey agent install --print
  venuekey agent install
  venuekey agent install -- --desktop --quiet 22:00-07:00`,
		Args:              p.agentFlagsOnly,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			folder, units, next, err := p.units(runtime.GOOS, system, args)
			if err != nil {
				return err
			}
			if print {
				return p.printUnits(folder, units)
			}
			for _, u := range units {
				if err := writeUnit(filepath.Join(folder, u.name), u.text); err != nil {
					return err
				}
				p.tell("written: %s", filepath.Join(folder, u.name))
			}
			p.tell("  try: %s", next)
			return nil
		},
	}
	cmd.Flags().BoolVar(&print, "print", false, "print the files, and write none")
	cmd.Flags().BoolVar(&system, "system", false, "units of the machine, not of this user (Linux)")
	return cmd
}

// agentFlagsOnly accepts flags of the agent behind --, with paths that mean the same wherever it is
// started.
func (p *program) agentFlagsOnly(cmd *cobra.Command, args []string) error {
	if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
		return misused("venuekey agent install -- --desktop", "agent install takes no argument; flags of the agent come behind --")
	}
	parsed := p.agentCmd()
	if err := parsed.ParseFlags(args); err != nil || parsed.Flags().NArg() > 0 {
		return misused("venuekey agent --help", "agent install: %s is no flag of the agent", strings.Join(args, " "))
	}
	for _, name := range []string{"socket", "where"} {
		if parsed.Flags().Changed(name) {
			return misused("set VENUEKEY_AGENT_SOCKET", "agent install: --%s is not for an agent that the system starts", name)
		}
	}
	for _, name := range []string{"hook", "webhook-key", "tls-cert", "tls-key"} {
		if flag := parsed.Flags().Lookup(name); flag.Changed && !filepath.IsAbs(flag.Value.String()) {
			return misused("the whole path", "agent install: --%s %s means another file where the system starts the agent", name, flag.Value)
		}
	}
	return nil
}

func (p *program) printUnits(folder string, units []unit) error {
	forms := map[string]string{}
	for _, u := range units {
		forms[filepath.Join(folder, u.name)] = u.text
	}
	if p.json {
		return p.writeJSON(forms)
	}
	for _, u := range units {
		fmt.Fprintf(p.stdout, "# %s\n%s\n", filepath.Join(folder, u.name), u.text)
	}
	return nil
}

// writeUnit writes a file that the system reads, in a folder that may have to be made.
func writeUnit(path, text string) error {
	if err := own.MakeFolder(filepath.Dir(path)); err != nil {
		return &venuekey.Error{Op: "agent install", Class: venuekey.ClassMisconfigured, Err: err}
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { // others may read it: it has no secret
		return &venuekey.Error{Op: "agent install", Class: venuekey.ClassMisconfigured, Err: err, Remedy: "venuekey agent install --print"}
	}
	return nil
}

// units are the files of a system, the folder where it looks for them, and what to run then.
func (p *program) units(goos string, system bool, flags []string) (folder string, units []unit, next string, err error) {
	program, err := os.Executable()
	if err != nil {
		return "", nil, "", &venuekey.Error{Op: "agent install", Class: venuekey.ClassFailed, Err: err}
	}
	socket, vault, err := p.agentSocket()
	if err != nil {
		return "", nil, "", err
	}
	if place, _ := p.place(); system && p.env("VENUEKEY_AGENT_SOCKET") == "" {
		socket = agent.SocketPath(filepath.Join(place.Data, "agent"), vault)
	}
	home, words := p.env("HOME"), append([]string{program, "agent"}, flags...)
	switch {
	case goos == "darwin" && !system:
		return filepath.Join(home, "Library", "LaunchAgents"), []unit{{"com.venuekey.agent.plist", p.launchd(words)}},
			"launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/com.venuekey.agent.plist", nil
	case goos == "linux" && system:
		return "/etc/systemd/system", p.systemd(words, socket, true),
			"systemctl daemon-reload && systemctl enable --now venuekey-agent.socket venuekey-agent.service", nil
	case goos == "linux":
		return filepath.Join(cmp.Or(p.env("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "systemd", "user"), p.systemd(words, socket, false),
			"systemctl --user daemon-reload && systemctl --user enable --now venuekey-agent.socket venuekey-agent.service; loginctl enable-linger keeps it without a login", nil
	}
	return "", nil, "", &venuekey.Error{Op: "agent install", Class: venuekey.ClassMisconfigured, Reason: "this system has no units that venuekey knows",
		Remedy: "see venuekey agent install --help"}
}

// handed are the variables that say where the vault is. None of them holds a secret.
func (p *program) handed() (lines []string) {
	for _, name := range []string{"VENUEKEY_HOME", "VENUEKEY_MACHINE", "VENUEKEY_PASSPHRASE_FILE", "VENUEKEY_VENUES"} {
		if value := p.env(name); value != "" {
			lines = append(lines, name+"="+value)
		}
	}
	return lines
}

// systemd are the units of systemd (systemd.service(5), systemd.socket(5)).
func (p *program) systemd(words []string, socket string, system bool) []unit {
	var service strings.Builder
	start := quotedUnit(words[0])
	for _, word := range words[1:] {
		if word != "agent" {
			word = quotedUnit(word)
		}
		start += " " + word
	}
	fmt.Fprintf(&service, "[Unit]\nDescription=venuekey agent: keeps sign-ins fresh and hands out tokens\nAfter=network.target\n\n"+
		"[Service]\nType=notify\nExecStart=%s\nRestart=on-failure\nRestartSec=2\nWatchdogSec=60\nTimeoutStopSec=60\n",
		strings.ReplaceAll(start, "$", "$$")) // which is replaced in commands only
	for _, variable := range p.handed() {
		fmt.Fprintf(&service, "Environment=%s\n", quotedUnit(variable))
	}
	if system {
		fmt.Fprintf(&service, "User=%s\nProtectSystem=full\nPrivateTmp=yes\n", p.person())
	}
	service.WriteString("NoNewPrivileges=yes\nLockPersonality=yes\nRestrictSUIDSGID=yes\nUMask=0077\nLimitCORE=0\n\n[Install]\nWantedBy=")
	service.WriteString(map[bool]string{true: "multi-user.target\n", false: "default.target\n"}[system])
	owner := ""
	if system {
		owner = "SocketUser=" + p.person() + "\n"
	}
	listens := fmt.Sprintf("[Unit]\nDescription=venuekey agent's socket\n\n[Socket]\nListenStream=%s\nSocketMode=0600\nDirectoryMode=0700\n%s\n[Install]\nWantedBy=sockets.target\n", escapedUnit(socket), owner)
	return []unit{{"venuekey-agent.service", service.String()}, {"venuekey-agent.socket", listens}}
}

// person is whose sign-ins the agent is to keep: with sudo, who called it.
func (p *program) person() string {
	if name := p.env("SUDO_USER"); name != "" && os.Geteuid() == 0 {
		return name
	}
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return "nobody"
}

// escapedUnit is a text without what systemd would replace in it.
func escapedUnit(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// quotedUnit is a word of a unit (systemd.syntax(7)).
func quotedUnit(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(word) + `"`
}

// launchd is the job of launchd (launchd.plist(5)).
func (p *program) launchd(words []string) string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	var variables, arguments strings.Builder
	for _, word := range words {
		fmt.Fprintf(&arguments, "\t\t<string>%s</string>\n", escape.Replace(word))
	}
	for _, variable := range slices.Sorted(slices.Values(p.handed())) {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&variables, "\t\t<key>%s</key>\n\t\t<string>%s</string>\n", name, escape.Replace(value))
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>com.venuekey.agent</string>
	<key>ProgramArguments</key>
	<array>
` + arguments.String() + `	</array>
	<key>EnvironmentVariables</key>
	<dict>
` + variables.String() + `	</dict>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ExitTimeOut</key>
	<integer>60</integer>
</dict>
</plist>
`
}
