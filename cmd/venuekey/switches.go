package main

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// switches.go owns the switches of the emulated venues as emulate sets and lists them. They
// are found by reflection, so that none can be missing.

// knob is one switch of an emulated venue, before it is started.
type knob struct {
	venue, name string
	value       reflect.Value
}

// knobsOf returns the switches of a venue. Those inside another have its name before them, as
// in Socket.Limit, and those of the Open API have OpenAPI.
func knobsOf(e emulated) []knob {
	all := walkKnobs(e.venue, "", reflect.ValueOf(e.knobs).Elem())
	if e.api != nil {
		all = append(all, walkKnobs(e.venue, "OpenAPI.", reflect.ValueOf(&e.api.Knobs).Elem())...)
	}
	return all
}

func walkKnobs(venue, prefix string, v reflect.Value) (all []knob) {
	for field, value := range v.Fields() {
		switch {
		case !field.IsExported():
		case value.Kind() == reflect.Struct:
			all = append(all, walkKnobs(venue, prefix+field.Name+".", value)...)
		default:
			all = append(all, knob{venue, prefix + field.Name, value})
		}
	}
	return all
}

// takes says what values a switch takes.
func (k knob) takes() string {
	_, named := k.value.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case named:
		return "a name"
	case k.value.Type() == reflect.TypeFor[time.Duration]():
		return "a duration such as 90s"
	case k.value.Kind() == reflect.Bool:
		return "true or false"
	case k.value.CanInt() || k.value.CanUint():
		return "a number"
	}
	return "text"
}

// set sets a switch to what a text says.
func (k knob) set(text string) error {
	var err error
	switch v := k.value; v.Kind() {
	case reflect.Bool:
		var on bool
		on, err = strconv.ParseBool(text)
		v.SetBool(on)
	case reflect.String:
		v.SetString(text)
	default:
		if named, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			return named.UnmarshalText([]byte(text))
		}
		err = k.setNumber(text)
	}
	if err != nil {
		return errors.New("it takes " + k.takes())
	}
	return nil
}

func (k knob) setNumber(text string) error {
	switch v := k.value; {
	case v.Type() == reflect.TypeFor[time.Duration]():
		length, err := time.ParseDuration(text)
		v.SetInt(int64(length))
		return err
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
		return err
	}
	return errors.New("no text says that")
}

// setKnobs sets switches by name, in any case, wherever one of the venues has them.
func setKnobs(venues []emulated, values pairs) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		found := false
		for _, k := range knobsOfAll(venues) {
			if !strings.EqualFold(k.name, name) {
				continue
			}
			found = true
			if err := k.set(values[name]); err != nil {
				return misused("venuekey emulate "+k.venue+" --switches", "emulate: %s cannot be %q: %v", k.name, values[name], err)
			}
		}
		if !found {
			return misused("venuekey emulate --switches", "emulate: none of these venues has a switch %q", name)
		}
	}
	return nil
}

func knobsOfAll(venues []emulated) (all []knob) {
	for _, e := range venues {
		all = append(all, knobsOf(e)...)
	}
	return all
}

type switchJSON struct {
	Venue string `json:"venue"`
	Name  string `json:"name"`
	Takes string `json:"takes"`
	Value string `json:"value,omitempty"`
}

// showSwitches lists the switches, and the values of those that are set.
func (p *program) showSwitches(venues []emulated) error {
	list := []switchJSON{}
	for _, k := range knobsOfAll(venues) {
		one := switchJSON{Venue: k.venue, Name: k.name, Takes: k.takes()}
		if !k.value.IsZero() {
			one.Value = fmt.Sprint(k.value.Interface())
		}
		list = append(list, one)
	}
	if p.json {
		return p.writeJSON(list)
	}
	shown := table{heading: []string{"VENUE", "SWITCH", "TAKES", "SET TO"}}
	for _, one := range list {
		shown.add(text(one.Venue), text(one.Name), text(one.Takes), text(one.Value))
	}
	shown.write(p.stdout, p.style())
	return nil
}

// completeSwitches completes NAME= by the venues that are named, and true and false behind a
// switch that takes them.
func (p *program) completeSwitches(cmd *cobra.Command, names []string, typed string) ([]string, cobra.ShellCompDirective) {
	var all []string
	venues, err := p.chosenVenues(cmd.Context(), names)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, k := range knobsOfAll(venues) {
		words := []string{k.name + "="}
		if name, _, valued := strings.Cut(typed, "="); valued && strings.EqualFold(name, k.name) && k.value.Kind() == reflect.Bool {
			words = []string{name + "=true", name + "=false"}
		}
		for _, word := range words {
			if strings.HasPrefix(strings.ToLower(word), strings.ToLower(typed)) && !slices.Contains(all, word) {
				all = append(all, word)
			}
		}
	}
	if strings.Contains(typed, "=") {
		return all, cobra.ShellCompDirectiveNoFileComp
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
