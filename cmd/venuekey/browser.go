package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/venuekey/venuekey/internal/byname"
)

// browser.go owns the browser: whether there is one, and opening it.

// openBrowser opens the system's browser and waits for the program that does so,
// which may be the browser itself. What it writes is not for the person at this
// terminal, and what this program was handed open is not for it.
func openBrowser(address string, environ []string) error {
	name, args, err := browserCommand()
	if err != nil {
		return err
	}
	command := exec.Command(name, append(args, address)...)
	command.Env = environ
	byname.KeepAllFromChildren()
	return command.Run()
}

// browserCommand is what opens an address on this system.
func browserCommand() (name string, args []string, err error) {
	switch runtime.GOOS {
	case "darwin":
		return "open", nil, nil
	case "windows":
		return filepath.Join(os.Getenv("SYSTEMROOT"), "System32", "rundll32.exe"), []string{"url.dll,FileProtocolHandler"}, nil
	}
	name, err = browserProgram()
	return name, nil, err
}

// hasDisplay is whether a browser could show itself here. Without a display
// the usual openers start one in the terminal, which takes it over.
func (h host) hasDisplay() bool {
	switch {
	case h.env("BROWSER") != "":
		return true // somebody saw to it, as editors that work remotely do
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin":
		return !h.remote()
	}
	return h.env("DISPLAY") != "" || h.env("WAYLAND_DISPLAY") != "" || h.env("WSL_DISTRO_NAME") != ""
}

// remote is whether the person sits at another machine.
func (h host) remote() bool { return h.env("SSH_CONNECTION") != "" }

// browserProgram finds what openBrowser would start on this system, "" where
// nothing is needed to know it.
func browserProgram() (string, error) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return "", nil
	}
	var err error
	for _, name := range []string{"xdg-open", "x-www-browser", "www-browser", "wslview"} {
		var path string
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}
