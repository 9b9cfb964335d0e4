package local

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/own"
)

// place.go owns where the files are, and that they are this user's.

// Place is the location of a vault: its folders, its address and its key. Config.Place
// finds it without reading anything. Most programs do not need one. Keep one to open the
// vault more than once, or to manage its keys: it remembers the passphrase.
type Place struct {
	// Config is the folder of the key, and Data the folder of what it seals, so that a
	// copy of either alone is of no use to a thief. On some systems, and with
	// VENUEKEY_HOME, they are the same folder.
	Config, Data string
	// State is the folder for what belongs to this machine and not in a backup.
	State string
	// Runtime is a folder that a restart of the machine empties; "" if there is none.
	Runtime string
	// Store is the address of the vault; zero means the usual file in Data.
	Store Address

	config Config
	warned sync.Map
	known  func() venuekey.Secret // the passphrase once it is known; it is the same for every key
}

// Address returns the address of the vault: Store, or the usual file in Data.
func (p *Place) Address() Address {
	if !p.Store.IsZero() {
		return p.Store
	}
	return addressOf(filepath.Join(p.Data, "vault.db"))
}

// Spills returns the folders for renewed tokens, sealed, that could not be saved to the
// vault; see [venuekey.Keeper]. If a disk is full or read-only, it is usually the vault's,
// so the key's folder comes next, and last the Runtime folder, which is in memory but
// outlives this program.
func (p *Place) Spills() []string {
	all := []string{filepath.Join(p.Data, "spill")}
	if p.Config != p.Data {
		all = append(all, filepath.Join(p.Config, "spill"))
	}
	if p.Runtime != "" {
		all = append(all, filepath.Join(p.Runtime, "spill"))
	}
	return all
}

// Marks returns the folder in which this machine remembers what it has seen of the vault,
// so that it notices a restored older copy; see [venuekey.Keeper]. It is apart from the
// vault if the system has a place for that.
func (p *Place) Marks() string { return filepath.Join(p.State, "marks") }

// Audit returns the file in which this machine's agent notes what it handed out, and to
// whom; see package agent/audit. It has a folder of its own, and belongs to no backup.
func (p *Place) Audit() string { return filepath.Join(p.State, "audit", "audit.log") }

// Notices returns the folder in which this machine keeps warnings that have not arrived; see
// package agent/notify. Each vault has a folder of its own in it, and none belongs to a backup.
func (p *Place) Notices() string { return filepath.Join(p.State, "notify") }

// Place returns the location of the vault: Home or VENUEKEY_HOME, or else the usual folders
// of the system. It reads and creates nothing. It is a [venuekey.Error] of
// ClassMisconfigured if the address is wrong or no home folder is known.
func (c Config) Place() (*Place, error) {
	if c.Environ == nil {
		c.Environ = os.Environ()
	}
	c.only = c.Venues != nil
	if c.Venues == nil {
		c.Venues = Venues()
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	p := &Place{config: c}
	var err error
	if p.Store, err = c.address(); err != nil {
		return nil, err
	}
	p.Runtime = p.runtimeFolder()
	home := c.Home
	if home == "" {
		home = p.env("VENUEKEY_HOME")
	}
	if home != "" {
		home, err := filepath.Abs(home)
		p.Config, p.Data, p.State = home, home, home
		return p, err
	}
	config, data, state := p.usualFolders()
	if config == "" || data == "" {
		return nil, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "no home folder is known: the environment does not name one",
			Remedy: "set VENUEKEY_HOME to a folder for venuekey's files"}
	}
	p.Config, p.Data, p.State = filepath.Join(config, "venuekey"), filepath.Join(data, "venuekey"), filepath.Join(state, "venuekey")
	return p, nil
}

func (p *Place) usualFolders() (config, data, state string) {
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

// runtimeFolder returns the user's folder for files that need not survive a restart; "" if
// the system has none.
func (p *Place) runtimeFolder() string {
	path, err := p.runtime()
	if err != nil {
		return ""
	}
	return path
}

// runtime returns an error if the folder is not this user's, as the XDG Base Directory
// Specification requires: su and sudo may leave the variable unchanged.
func (p *Place) runtime() (string, error) {
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

// xdg returns the folder that a variable names, or the usual one. The XDG Base Directory
// Specification says to ignore relative paths.
func (p *Place) xdg(variable string, usual ...string) string {
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

// CheckRuntime returns an error that says why the system's runtime folder is not used: it
// is not this user's.
func (p *Place) CheckRuntime() error {
	_, err := p.runtime()
	return err
}

// Check refuses folders that belong to another user or that others may write to, before
// anything in them is read or created: under sudo the variables may name another user's.
// Open and Create call it. The error is a [venuekey.Error] of ClassMisconfigured.
func (p *Place) Check() error {
	for _, folder := range []string{p.Config, p.Data, p.State} {
		if err := p.CheckFolder(folder); err != nil && venuekey.ClassOf(err) == venuekey.ClassMisconfigured {
			return err
		}
	}
	return nil
}

// CheckFolder is Check for one folder. The error says which variable leads there; it is
// fs.ErrNotExist if there is no such folder.
func (p *Place) CheckFolder(path string) error {
	return environ.FolderError(own.Folder(path), p.namedBy())
}

// namedBy says in parentheses which variable leads to the folders.
func (p *Place) namedBy() string {
	for _, name := range []string{"VENUEKEY_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "HOME"} {
		if value := p.env(name); value != "" {
			return fmt.Sprintf(" (%s=%s leads there)", name, value)
		}
	}
	return ""
}
