package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/venuekey/venuekey"
)

// paths.go owns where files lie.

// folders are the two places of this command: the key in one, what it seals in
// the other, so that a copy of one is of no use to who finds it. On some
// systems, and with VENUEKEY_HOME, they are the same.
type folders struct {
	config, data string
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

// spill is where renewed tokens wait, sealed, that the vault file refuses.
func (f folders) spill() string { return filepath.Join(f.data, "spill") }

// folders gives the platform's usual folders, or the one of VENUEKEY_HOME.
func (p *program) folders() (folders, error) {
	store, err := p.storeAddress()
	if err != nil {
		return folders{}, err
	}
	if home := p.env("VENUEKEY_HOME"); home != "" {
		home, err := filepath.Abs(home)
		return folders{home, home, store}, err
	}
	config, data := p.usualFolders()
	if config == "" || data == "" {
		return folders{}, &venuekey.Error{Class: venuekey.Wrong, Reason: "no home folder is known: the environment does not name one",
			Remedy: "set VENUEKEY_HOME to a folder for venuekey's files"}
	}
	return folders{filepath.Join(config, "venuekey"), filepath.Join(data, "venuekey"), store}, nil
}

func (p *program) usualFolders() (config, data string) {
	switch runtime.GOOS {
	case "windows":
		return p.env("APPDATA"), p.env("LOCALAPPDATA")
	case "darwin":
		both := under(p.env("HOME"), "Library", "Application Support")
		return both, both
	default:
		// Relative paths in these two are to be ignored, says the XDG Base
		// Directory Specification.
		config, data = p.env("XDG_CONFIG_HOME"), p.env("XDG_DATA_HOME")
		if !filepath.IsAbs(config) {
			config = under(p.env("HOME"), ".config")
		}
		if !filepath.IsAbs(data) {
			data = under(p.env("HOME"), ".local", "share")
		}
		return config, data
	}
}

func under(home string, parts ...string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, parts...)...)
}

// makeFolder makes a private folder, and those above it that are missing. What
// is flushed inside a folder is lost with it as long as the folder has no
// durable name, so each new one is flushed into its parent.
func makeFolder(path string) error { return makeFolderWith(path, syncFolder) }

func makeFolderWith(path string, flush func(folder string) error) error {
	err := os.Mkdir(path, 0o700)
	parent := filepath.Dir(filepath.Clean(path))
	if errors.Is(err, fs.ErrNotExist) && parent != path {
		if err := makeFolderWith(parent, flush); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	if err == nil {
		return flush(parent)
	}
	// Whoever made it, flushes it.
	if info, unseen := os.Stat(path); unseen == nil && info.IsDir() {
		return nil
	}
	return err
}

// syncFolder makes the entries of a folder durable. Windows has no such call and
// needs none.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
