package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/terminal"
)

// table.go owns how results look: aligned and coloured for a person, plain for a program.

// table is rows of cells below a heading.
type table struct {
	heading []string
	rows    [][]cell
	// drop are the columns to drop on a narrow terminal, in that order. If below is set,
	// the last column first moves under its row, with below before it.
	drop  []int
	below string
}

// cell is text and the colour that a terminal shows it in.
type cell struct{ text, colour string }

// The colours, as what comes between ESC [ and m (ECMA-48 §8.3.117).
const (
	plain  = ""
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// add adds a row. A cell never holds a tab, a line break or a control character, whatever a
// venue called its account: those would make extra columns and rows.
func (t *table) add(cells ...cell) {
	for i := range cells {
		cells[i].text = oneLine(cells[i].text)
	}
	t.rows = append(t.rows, cells)
}

func text(s string) cell { return cell{text: s} }

// write prints the table: aligned and with its heading for a person; otherwise one line per
// row with tabs between the cells, for cut and awk.
func (t *table) write(w io.Writer, s style) {
	if !s.aligned {
		for _, row := range t.rows {
			cells := make([]string, len(row))
			for i, c := range row {
				cells[i] = c.text
			}
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
		return
	}
	heading := make([]cell, len(t.heading))
	for i, title := range t.heading {
		heading[i] = cell{title, faint}
	}
	rows := append([][]cell{heading}, t.rows...)
	widths := make([]int, len(heading))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	below := t.fit(widths, s.width)
	for n, row := range rows {
		var line strings.Builder
		for i, c := range row {
			if widths[i] == 0 {
				continue
			}
			c.text = shortened(c.text, widths[i])
			line.WriteString(s.paint(c))
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)+2))
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
		if last := row[len(row)-1]; below && n > 0 && last.text != "" {
			fmt.Fprintln(w, "  "+t.below+s.paint(last))
		}
	}
}

// fit makes columns narrower until they fit the terminal; the width of a dropped one is 0.
// It reports whether the last one goes below its row. A line that the terminal breaks in the
// middle of a word is harder to read than one that says less.
func (t *table) fit(widths []int, most int) (below bool) {
	wide := func() int {
		sum := -2
		for _, width := range widths {
			if width > 0 {
				sum += width + 2
			}
		}
		return sum
	}
	if most == 0 || wide() <= most || t.below == "" {
		return false
	}
	widths[len(widths)-1] = 0
	for _, column := range t.drop {
		if wide() > most {
			widths[column] = 0
		}
	}
	if over := wide() - most; over > 0 {
		widths[0] = max(widths[0]-over, 8)
	}
	return true
}

// shortened cuts a text that is too wide for its column, and ends it with ….
func shortened(text string, width int) string {
	letters := []rune(text)
	if len(letters) <= width {
		return text
	}
	return string(letters[:width-1]) + "…"
}

// wrapped breaks a text between words, if the width is known.
func wrapped(text string, width int) []string {
	if text != "" && (width < 20 || utf8.RuneCountInString(text) <= width) {
		return []string{text}
	}
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// style is what the other end of a stream can show. width is in columns, 0 if unknown.
type style struct {
	aligned, coloured bool
	width             int
}

// style returns the style for standard output. It obeys NO_COLOR (https://no-color.org).
func (p *program) style() style {
	_, person := terminal.Of(p.stdout)
	return style{width: terminal.Width(p.stdout), aligned: person, coloured: person && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb"}
}

func (s style) paint(c cell) string {
	if !s.coloured || c.colour == plain || c.text == "" {
		return c.text
	}
	return "\x1b[" + c.colour + "m" + c.text + "\x1b[0m"
}

// say prints a result for a person or, with --json, the value for a program.
func (p *program) say(value any, format string, args ...any) error {
	if p.json {
		return p.writeJSON(value)
	}
	_, err := fmt.Fprintf(p.stdout, format+"\n", fitting(args)...)
	return err
}

func (p *program) writeJSON(value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := p.stdout.Write(visible(text.Bytes()))
	return err
}

// span is a duration for a person, in one unit.
func span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()+0.5))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()+0.5))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24+0.5))
	}
}

// in is a time relative to now.
func in(d time.Duration) string {
	if d < 0 {
		return span(-d) + " ago"
	}
	return "in " + span(d)
}

// when is in for a time; "never" for the zero time.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return in(time.Until(t))
}

// exactly is a time for a program: RFC 3339 in UTC, "" for the zero time.
func exactly(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// stateColour is the colour of a state.
func stateColour(state venuekey.State) string {
	switch state {
	case venuekey.StateFresh:
		return green
	case venuekey.StateNeedsSignIn, venuekey.StateExpired:
		return red
	case venuekey.StateUncertain, venuekey.StateDegraded:
		return yellow
	}
	return plain
}
