package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
)

// place.go owns where files lie, and that they are this user's.

// Place is where the vault of a Config and its files are. Config.Place finds it and
// reads nothing; a program that opens the vault more than once, or asks about its key,
// keeps one: it remembers the passphrase.
type Place struct {
	// Config is the folder of the key, and Data that of what it seals, so that a copy
	// of one is of no use to whoever finds it. On some systems, and with VENUEKEY_HOME,
	// they are the same.
	Config, Data string
	// State is for what belongs to this machine and is of no use in a backup.
	State string
	// Runtime is emptied when the machine restarts; "" if the system has none.
	Runtime string
	// Store is where the vault is, if not in its usual file.
	Store Address

	config Config
	warned sync.Map
	known  func() venuekey.Secret // the passphrase once it was given; every key is under the same
}

// Address is where the vault is: a file, unless it is a database.
func (p *Place) Address() Address {
	if !p.Store.IsZero() {
		return p.Store
	}
	return AddressOf(filepath.Join(p.Data, "vault.db"))
}

// Spills are where renewed tokens wait, sealed, that the vault refuses. The disk
// that is full or can only be read is most often the vault's own, so the key's
// folder is the next, and last comes one in memory that outlives this program.
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

// Marks is where this machine remembers what it has seen of the vault, so that an
// older copy of the vault which is put back is noticed. Where the system has a
// place for that, it lies apart from the vault.
func (p *Place) Marks() string { return filepath.Join(p.State, "marks") }

// Place finds where the vault is: in the folder of VENUEKEY_HOME, else in the
// platform's usual ones. Nothing is read or made.
func (c Config) Place() (*Place, error) {
	if c.Environ == nil {
		c.Environ = os.Environ()
	}
	if c.Venues == nil {
		c.Venues = Venues()
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

// runtimeFolder is what the system gives a user for files that a restart may take
// away; "" where it gives none.
func (p *Place) runtimeFolder() string {
	path, err := p.runtime()
	if err != nil {
		return ""
	}
	return path
}

// runtime is also an error where the folder is not this user's, as the XDG Base
// Directory Specification wants it: su and sudo may leave the variable as it was.
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

// xdg is a folder that a variable names, or the usual one. Relative paths are to
// be ignored, says the XDG Base Directory Specification.
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

// CheckRuntime reports why the system's folder for such files is not used, if it is
// not this user's.
func (p *Place) CheckRuntime() error {
	_, err := p.runtime()
	return err
}

// Check refuses folders of other users, and those that others may write to, before
// anything in them is read or made: under sudo the variables may name another user's.
// Open and Create do so themselves.
func (p *Place) Check() error {
	for _, folder := range []string{p.Config, p.Data, p.State} {
		if err := p.CheckFolder(folder); err != nil && venuekey.ClassOf(err) == venuekey.ClassMisconfigured {
			return err
		}
	}
	return nil
}

// CheckFolder is Check for one folder: an *venuekey.Error that says which variable
// leads there, or fs.ErrNotExist if there is none.
func (p *Place) CheckFolder(path string) error { return NotOurs(own.Folder(path), p.namedBy()) }

// namedBy says which variable leads to the folders.
func (p *Place) namedBy() string {
	for _, name := range []string{"VENUEKEY_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "HOME"} {
		if value := p.env(name); value != "" {
			return fmt.Sprintf(" (%s=%s leads there)", name, value)
		}
	}
	return ""
}

// NotOurs says of an error of package own what is wrong, with a hint, and what helps.
// Every other error is returned as it is.
func NotOurs(err error, hint string) error {
	exposed, ok := errors.AsType[*own.Exposed](err)
	if !ok {
		return err
	}
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Err: err, Reason: exposed.Path + " " + exposed.Reason + hint, Remedy: exposed.Remedy}
}
