package local

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/own"
)

// environ.go owns the secrets in the environment, and in the files that it names.

// env returns a variable of the place's environment, "" if it is not set.
func (p *Place) env(name string) string { return environ.Get(p.config.Environ, name) }

// Secret returns the secret in a variable, or in the file that the variable with the suffix
// _FILE names; "" if neither is set. The end of the file's last line is not part of it.
func (p *Place) Secret(ctx context.Context, name string) (venuekey.Secret, error) {
	if value := p.env(name); value != "" {
		return venuekey.Secret(value), nil
	}
	path := p.env(name + "_FILE")
	if path == "" {
		return "", nil
	}
	content, info, err := byname.Read(ctx, path)
	if err != nil {
		return "", environ.FileError(name+"_FILE", err)
	}
	p.warnReadable(name+"_FILE", path, info)
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: name + "_FILE: " + path + " is empty"}
	}
	return venuekey.Secret(value), nil
}

// warnReadable warns once about a file with a secret that every user of the machine can
// read. A group that can read it is often the service's, so there is no warning for that.
func (p *Place) warnReadable(name, path string, info os.FileInfo) {
	if p.config.Warn == nil || !own.ReadableByAll(info) {
		return
	}
	if _, warned := p.warned.LoadOrStore(path, true); !warned {
		p.config.Warn(fmt.Sprintf("%s: every user of this machine can read %s (mode %04o)\n  try: chmod 600 %[2]s", name, path, info.Mode().Perm()))
	}
}
