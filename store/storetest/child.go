package storetest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/venuekey/venuekey"
)

// child.go owns what a child process of RunProcesses does: one job, reported line by line
// on its standard output. Each line is written after the store acknowledged what it
// reports.

// jobVariable is the environment variable that makes a test program a child.
const jobVariable = "VENUEKEY_STORETEST_JOB"

// job is what a child is to do, as JSON.
type job struct {
	Task   string
	Place  string
	Name   string
	Rounds int64
}

// line is one result that a child reports.
type line struct {
	Name       string
	Key        string
	Generation int64
	Version    int64
}

var tasks = map[string]func(ctx context.Context, store venuekey.Store, j job, say func(line)) error{
	"versions": raceVersions,
	"claims":   claimAll,
	"writes":   writeForEver,
	"watches":  watchForEver,
}

// Child does a child's job and exits, if RunProcesses started this program; otherwise it
// returns at once. Call it first in TestMain.
func Child(open func(ctx context.Context, place string) (venuekey.Store, error)) {
	text := os.Getenv(jobVariable)
	if text == "" {
		return
	}
	if err := work(text, open); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func work(text string, open func(ctx context.Context, place string) (venuekey.Store, error)) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	say := func(l line) {
		l.Name = j.Name
		_ = json.NewEncoder(os.Stdout).Encode(l) // without a reader there is nowhere to report
	}
	say(line{}) // ready
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go func() { // ends with the program
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	store, err := open(ctx, j.Place)
	if err != nil {
		return err
	}
	return errors.Join(tasks[j.Task](ctx, store, j, say), store.Close())
}

// raceVersions competes for writing each generation of one record.
func raceVersions(ctx context.Context, store venuekey.Store, j job, say func(line)) error {
	for {
		record, err := store.Get(ctx, "k")
		if errors.Is(err, venuekey.ErrNotFound) {
			record, err = venuekey.Record{Key: "k"}, nil
		}
		if err != nil || record.Generation == j.Rounds {
			return err
		}
		record.Generation++
		record.Text = j.Name
		version, err := store.Put(ctx, record)
		switch {
		case err == nil:
			say(line{Generation: record.Generation, Version: version})
		case !errors.Is(err, venuekey.ErrConflict):
			return err
		}
	}
}

func claimAll(ctx context.Context, store venuekey.Store, j job, say func(line)) error {
	for {
		claimed, err := store.Claim(ctx, "", j.Name, aLease, 2)
		if err != nil || len(claimed) == 0 {
			return err
		}
		for _, record := range claimed {
			say(line{Key: record.Key, Version: record.Version})
		}
	}
}

// writeForEver writes three records in turn until it is killed.
func writeForEver(ctx context.Context, store venuekey.Store, j job, say func(line)) error {
	for i := 0; ; i++ {
		key := fmt.Sprint("k", i%3)
		record, err := store.Get(ctx, key)
		if errors.Is(err, venuekey.ErrNotFound) {
			record, err = venuekey.Record{Key: key}, nil
		}
		if err != nil {
			return err
		}
		record.Generation++
		record.Text = j.Name
		record.Sealed = pattern(record.Generation)
		version, err := store.Put(ctx, record)
		if err != nil {
			return err
		}
		say(line{Key: key, Generation: record.Generation, Version: version})
	}
}

// watchForEver reports the version of every record that its watch names, until it is
// killed.
func watchForEver(ctx context.Context, store venuekey.Store, _ job, say func(line)) error {
	watcher, ok := store.(venuekey.Watcher)
	if !ok {
		return errors.ErrUnsupported
	}
	return watcher.Watch(ctx, func(key string) {
		record, err := store.Get(ctx, key)
		if key == "" || err != nil {
			// Anything may have changed, and there is one record.
			record, _ = store.Get(ctx, "k")
		}
		say(line{Key: key, Version: record.Version})
	})
}
