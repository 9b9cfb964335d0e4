package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/audit"
)

// audit_verify.go owns the command that proves that the audit log is whole.

func (p *program) auditVerifyCmd() *cobra.Command {
	expect := ""
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that no line of the audit log was changed, removed or moved",
		Long: `Check the audit log: each line has a number and the SHA-256 of the line before,
across files. A line that was changed, removed, moved, put in or cut off is
named, and the exit code is 1. It also is 1 if there is no log.

Whoever can write to the log's folder can write a whole new log. Keep the last
line's number and hash, which this command prints, elsewhere, and give them to
--expect the next time: every line up to there is then proved by them.`,
		Example: `  venuekey audit verify
  venuekey audit verify --json | jq .last`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var anchors []audit.Anchor
			if expect != "" {
				anchor, err := parseAnchor(expect)
				if err != nil {
					return err
				}
				anchors = append(anchors, anchor)
			}
			return p.auditVerify(anchors)
		},
	}
	cmd.Flags().StringVar(&expect, "expect", "", "the `LINE:HASH` that an earlier check printed")
	_ = cmd.RegisterFlagCompletionFunc("expect", cobra.NoFileCompletions)
	return cmd
}

var isHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func parseAnchor(text string) (audit.Anchor, error) {
	number, hash, _ := strings.Cut(text, ":")
	line, err := strconv.ParseInt(number, 10, 64)
	if err != nil || line < 1 || !isHash.MatchString(hash) {
		return audit.Anchor{}, misused("give what an earlier check printed, as in 640:9f86d081…",
			"audit verify: --expect is a line's number and its hash")
	}
	return audit.Anchor{Line: line, Hash: hash}, nil
}

// verifyJSON is the result of a check as a program reads it.
type verifyJSON struct {
	Whole bool `json:"whole"`
	audit.Report
	// Said has the findings in words.
	Said []string `json:"said"`
}

func (p *program) auditVerify(anchors []audit.Anchor) error {
	place, err := p.place()
	if err != nil {
		return err
	}
	report, err := audit.VerifyWith(place.Audit(), anchors...)
	if errors.Is(err, fs.ErrNotExist) {
		return &venuekey.Error{Class: venuekey.ClassFailed, Reason: "there is no audit log at " + place.Audit(),
			Remedy: "if an agent has run on this machine, somebody has removed it; VENUEKEY_HOME may also name another folder", Err: err}
	}
	if err != nil {
		return err
	}
	said := []string{}
	for _, finding := range report.Findings {
		said = append(said, finding.String())
	}
	switch {
	case p.json:
		err = p.writeJSON(verifyJSON{report.Whole(), report, said})
	case report.Whole() && report.Lines > 0:
		lines, files := several(int(report.Lines), "line"), several(report.Files, "file")
		_, err = fmt.Fprintf(p.stdout, "%s in %s: %d to %d, whole\n", lines, files, report.First, report.Last)
		p.tell("keep this elsewhere for --expect: %d:%s", report.Last, report.Hash)
	case report.Whole():
		_, err = fmt.Fprintln(p.stdout, "the log is empty")
	default:
		for _, finding := range said {
			fmt.Fprintln(p.stdout, oneLine(finding))
		}
	}
	if err == nil && !report.Whole() {
		return codeOnly(exitFailed)
	}
	return err
}
