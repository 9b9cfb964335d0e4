package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
)

// paths.go owns where files lie.

// folders are the two places of this command: the key in one, what it seals in
// the other, so that a copy of one is of no use to who finds it. On some
// systems, and with VENUEKEY_HOME, they are the same.
type folders struct {
	config, data string
	// state is what belongs to this machine and is of no use in a backup.
	state string
	// runtime is emptied when the machine restarts; "" where the system has none.
	runtime string
	// store is where the vault is, if not in its usual file.
	store string
}

// vault is the address of the vault: a path, unless it is a database.
func (f folders) vault() string {
	if f.store != "" {
		return f.store
	}
	return filepath.Join(f.data, "vault.db")
}

// spills are where renewed tokens wait, sealed, that the vault refuses. The disk
// that is full or can only be read is most often the vault's own, so the key's
// folder is the next, and last comes one in memory that outlives this program.
func (f folders) spills() []string {
	all := []string{filepath.Join(f.data, "spill")}
	if f.config != f.data {
		all = append(all, filepath.Join(f.config, "spill"))
	}
	if f.runtime != "" {
		all = append(all, filepath.Join(f.runtime, "spill"))
	}
	return all
}

// marks is where this machine remembers what it has seen of the vault, so that an
// older copy of the vault which is put back is noticed. Where the system has a
// place for that, it lies apart from the vault.
func (f folders) marks() string { return filepath.Join(f.state, "marks") }

// folders gives the platform's usual folders, or the one of VENUEKEY_HOME.
func (p *program) folders() (folders, error) {
	store, err := p.storeAddress()
	if err != nil {
		return folders{}, err
	}
	if home := p.env("VENUEKEY_HOME"); home != "" {
		home, err := filepath.Abs(home)
		return folders{config: home, data: home, state: home, runtime: p.runtimeFolder(), store: store}, err
	}
	config, data, state := p.usualFolders()
	if config == "" || data == "" {
		return folders{}, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "no home folder is known: the environment does not name one",
			Remedy: "set VENUEKEY_HOME to a folder for venuekey's files"}
	}
	return folders{config: filepath.Join(config, "venuekey"), data: filepath.Join(data, "venuekey"), state: filepath.Join(state, "venuekey"),
		runtime: p.runtimeFolder(), store: store}, nil
}

func (p *program) usualFolders() (config, data, state string) {
	switch runtime.GOOS {
	case "windows":
		return p.env("APPDATA"), p.env("LOCALAPPDATA"), p.env("LOCALAPPDATA")
	case "darwin":
		all := under(p.env("HOME"), "Library", "Application Support")
		return all, all, all
	default:
		return p.xdg("XDG_CONFIG_HOME", ".config"), p.xdg("XDG_DATA_HOME", ".local", "share"), p.xdg("XDG_STATE_HOME", ".local", "state")
	}
}

// runtimeFolder is what the system gives a user for files that a restart may take
// away; "" where it gives none.
func (p *program) runtimeFolder() string {
	path, err := p.runtimeGiven()
	if err != nil {
		return ""
	}
	return path
}

// runtimeGiven is also an error where the folder is not this user's, as the XDG Base
// Directory Specification wants it: su and sudo may leave the variable as it was.
func (p *program) runtimeGiven() (string, error) {
	path := p.env("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(path) {
		return "", nil
	}
	path = filepath.Join(path, "venuekey")
	if err := own.Folder(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return path, nil
}

// xdg is a folder that a variable names, or the usual one. Relative paths are to
// be ignored, says the XDG Base Directory Specification.
func (p *program) xdg(variable string, usual ...string) string {
	if path := p.env(variable); filepath.IsAbs(path) {
		return path
	}
	return under(p.env("HOME"), usual...)
}

func under(home string, parts ...string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, parts...)...)
}
