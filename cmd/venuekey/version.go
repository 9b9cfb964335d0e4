package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version.go owns the version of this program, which comes from the build.

type versionJSON struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (p *program) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Show the version of this program",
		Long:              "Show the version of this program, the revision that it was built from, and the\nGo version that built it.",
		Example:           "  venuekey version --json",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return p.tellVersion() },
	}
}

func (p *program) tellVersion() error {
	v := version()
	revision := ""
	if v.Revision != "" {
		revision = " (" + v.Revision + ")"
	}
	return p.say(v, "venuekey %s%s, %s, %s", v.Version, revision, v.Go, v.Platform)
}

func version() versionJSON {
	v := versionJSON{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = built.Main.Version
	for _, setting := range built.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			if setting.Value == "true" {
				v.Revision += ", modified"
			}
		}
	}
	return v
}
