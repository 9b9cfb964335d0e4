package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/venuekey/venuekey/internal/byname"
)

// browser.go owns finding and opening the browser.

// openBrowser opens the system's browser and waits for the program that does so, which may
// be the browser itself. Its output is not shown at this terminal, and it inherits none of
// our open files.
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

// browserCommand is the command that opens an address on this system.
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

// hasDisplay reports whether a browser could open a window. Without a display the usual
// openers start one in the terminal, which takes the terminal over.
func (h host) hasDisplay() bool {
	switch {
	case h.env("BROWSER") != "":
		return true // set on purpose, as editors for remote work do
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin":
		return !h.remote()
	}
	return h.env("DISPLAY") != "" || h.env("WAYLAND_DISPLAY") != "" || h.env("WSL_DISTRO_NAME") != ""
}

// remote reports whether the person is at another machine.
func (h host) remote() bool { return h.env("SSH_CONNECTION") != "" }

// browserProgram returns the program that openBrowser would start; "" on systems that always
// have one.
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
