package storetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// processes.go owns the tests with several processes, as the parent sees them: it starts
// children, releases them together, kills them, and reads what they report. child.go owns
// what a child does.

// Processes describes a driver whose data several processes can share.
type Processes struct {
	// Open opens the data at a place, and creates it if there is none. It must be the
	// function that TestMain passes to Child.
	Open func(ctx context.Context, place string) (venuekey.Store, error)
	// Place returns a new, empty place that lasts as long as the test, such as the path
	// of a file or the address of a database.
	Place func(t *testing.T) string
	// Told is the longest median delay until a watch reports what another process wrote;
	// zero if the driver has no watch.
	Told time.Duration
}

// RunProcesses tests that processes that share data keep the contract among them, even if
// one is killed in the middle of a write. It starts the test program itself several
// times; TestMain must have called Child.
func RunProcesses(t *testing.T, spec Processes) {
	if os.Getenv(jobVariable) != "" {
		t.Fatal("this is a child already: TestMain must call storetest.Child before it runs tests")
	}
	t.Run("processes race for versions and one wins", spec.raceForVersions)
	t.Run("no record is claimed by two processes", spec.raceForClaims)
	t.Run("what was acknowledged survives a kill", spec.kills)
	if spec.Told > 0 {
		t.Run("a watch reports what another process wrote", spec.tells)
	}
}

// patience bounds every wait here; only a store that hangs uses it up.
const patience = 30 * time.Second

const processes = 4

// raceForVersions lets the children create the data, too: they all open an empty place.
func (p Processes) raceForVersions(t *testing.T) {
	const rounds = 60
	place := p.Place(t)
	versions, wins := make([]int64, rounds+1), map[string]int{}
	for _, line := range p.raceAll(t, job{Task: "versions", Place: place, Rounds: rounds}) {
		if versions[line.Generation] != 0 {
			t.Errorf("round %d: two winners, at versions %d and %d", line.Generation, versions[line.Generation], line.Version)
		}
		versions[line.Generation] = line.Version
		wins[line.Name]++
	}
	t.Logf("wins: %v", wins)
	for round := 1; round <= rounds; round++ {
		if versions[round] <= versions[round-1] {
			t.Errorf("round %d: version %d after %d, want a greater one", round, versions[round], versions[round-1])
		}
	}
}

func (p Processes) raceForClaims(t *testing.T) {
	const records = 60
	place := p.Place(t)
	store := p.open(t, place)
	for i := range records {
		if _, err := store.Put(t.Context(), due(fmt.Sprintf("k%02d", i), i)); err != nil {
			t.Fatal(err)
		}
	}
	owners := map[string]string{}
	for _, line := range p.raceAll(t, job{Task: "claims", Place: place}) {
		if other, taken := owners[line.Key]; taken {
			t.Errorf("record %q went to %s and to %s", line.Key, other, line.Name)
		}
		owners[line.Key] = line.Name
	}
	if len(owners) != records {
		t.Errorf("processes got %d records, want %d", len(owners), records)
	}
	for key, owner := range owners {
		if got, err := store.Get(t.Context(), key); err != nil || got.LeaseOwner != owner {
			t.Errorf("record %q is leased to %q, but %s got it (%v)", key, got.LeaseOwner, owner, err)
		}
	}
}

// kills repeatedly kills a child that is writing, and checks what is left. In every other
// round another process has the data open, so that it is not always the next opener that
// cleans up.
func (p Processes) kills(t *testing.T) {
	const rounds = 8
	place := p.Place(t)
	dice := rand.New(rand.NewPCG(1, 2))
	acknowledged := map[string]line{}
	for round := range rounds {
		var witness venuekey.Store
		if round%2 == 1 {
			witness = p.open(t, place)
		}
		c := start(t, job{Task: "writes", Place: place, Name: fmt.Sprint("writer ", round)})
		c.release(t)
		for range 1 + dice.IntN(40) {
			c.next(t, acknowledged)
		}
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for c.next(nil, acknowledged) {
		}
		_ = c.cmd.Wait() // it says that it was killed
		if witness != nil {
			checkAcknowledged(t, witness, acknowledged)
		}
		reopened := p.open(t, place)
		checkAcknowledged(t, reopened, acknowledged)
		if err := reopened.Close(); err != nil {
			t.Errorf("round %d: close: %v", round, err)
		}
	}
}

// tells writes here and watches in two children.
func (p Processes) tells(t *testing.T) {
	const rounds = 12
	place := p.Place(t)
	store := p.open(t, place)
	record := venuekey.Record{Key: "k"}
	var watchers []*child
	for i := range 2 {
		c := start(t, job{Task: "watches", Place: place, Name: fmt.Sprint("watcher ", i)})
		c.release(t)
		if first := c.mustRead(t); first.Key != "" {
			t.Errorf("%s: the first call is for %q, want everything", c.name, first.Key)
		}
		watchers = append(watchers, c)
	}
	var took []time.Duration
	for range rounds {
		begun := time.Now()
		version, err := store.Put(t.Context(), record)
		if err != nil {
			t.Fatal(err)
		}
		record.Version = version
		for _, c := range watchers {
			for c.mustRead(t).Version < version {
			}
			took = append(took, time.Since(begun))
		}
	}
	slices.Sort(took)
	median := took[len(took)/2]
	t.Logf("told after %v in the median, %v at worst", median, took[len(took)-1])
	if median > p.Told {
		t.Errorf("told after %v in the median, want %v", median, p.Told)
	}
	for _, c := range watchers {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait() // it says that it was killed
	}
}

func checkAcknowledged(t *testing.T, store venuekey.Store, acknowledged map[string]line) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for key, ack := range acknowledged {
		got, err := store.Get(ctx, key)
		switch {
		case err != nil:
			t.Errorf("record %q: %v, but generation %d was acknowledged", key, err, ack.Generation)
		case got.Generation < ack.Generation || got.Version < ack.Version:
			t.Errorf("record %q: generation %d version %d, but %d and %d were acknowledged", key, got.Generation, got.Version, ack.Generation, ack.Version)
		case !bytes.Equal(got.Sealed, pattern(got.Generation)):
			t.Errorf("record %q: generation %d holds the bytes of another", key, got.Generation)
		}
		// The store is not only readable: the dead hold nothing.
		if _, err := store.Put(ctx, got); err != nil {
			t.Errorf("put of %q: %v", key, err)
		}
	}
}

func (p Processes) open(t *testing.T, place string) venuekey.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	store, err := p.Open(ctx, place)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// raceAll lets several children begin the same job together and returns what they
// reported.
func (p Processes) raceAll(t *testing.T, j job) (lines []line) {
	t.Helper()
	var children []*child
	for i := range processes {
		j.Name = fmt.Sprint("process ", i)
		children = append(children, start(t, j))
	}
	for _, c := range children {
		c.release(t)
	}
	for _, c := range children {
		for {
			said, err := c.read()
			if err != nil {
				break
			}
			lines = append(lines, said)
		}
		if err := c.cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, c.stderr.String())
		}
	}
	return lines
}

// child is a running copy of this program that does one job.
type child struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *bytes.Buffer
}

// start starts a child and returns when it is ready.
func start(t *testing.T, j job) *child {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	c := &child{name: j.Name, cmd: cmd, stderr: &bytes.Buffer{}}
	cmd.Stderr = c.stderr
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	if _, err := c.read(); err != nil {
		t.Fatalf("%s did not start (does TestMain call storetest.Child?): %v\n%s", c.name, err, c.stderr.String())
	}
	return c
}

// release lets the child begin. Its standard input stays open: the child ends when that
// does.
func (c *child) release(t *testing.T) {
	t.Helper()
	if _, err := c.stdin.Write([]byte("go\n")); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
}

func (c *child) read() (line, error) {
	var said line
	text, err := c.stdout.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	return said, err
}

func (c *child) mustRead(t *testing.T) line {
	t.Helper()
	said, err := c.read()
	if err != nil {
		t.Fatalf("%s ended: %v\n%s", c.name, err, c.stderr.String())
	}
	return said
}

// next reads one acknowledged write. The child may have ended only if t is nil.
func (c *child) next(t *testing.T, acknowledged map[string]line) bool {
	said, err := c.read()
	if err != nil {
		if t != nil {
			t.Fatalf("%s ended: %v\n%s", c.name, err, c.stderr.String())
		}
		return false
	}
	acknowledged[said.Key] = said
	return true
}
