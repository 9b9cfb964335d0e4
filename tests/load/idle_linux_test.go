package load_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/local"
)

// idle_linux_test.go owns the benchmark of an agent that has much to look after and nothing to do.

// BenchmarkIdleAgent starts the command's agent over a vault in SQLite with VENUEKEY_TEST_RECORDS sign-ins,
// 100,000 if nothing else is said, of which none is due. It reports how soon the first token is there, how
// long the agent then reads its vault, and what it takes of a core and of memory when that is over.
func BenchmarkIdleAgent(b *testing.B) {
	records := 100_000
	if n, err := strconv.Atoi(os.Getenv("VENUEKEY_TEST_RECORDS")); err == nil {
		records = n
	}
	program := filepath.Join(b.TempDir(), "venuekey")
	build := exec.Command("go", "build", "-o", program, "github.com/venuekey/venuekey/cmd/venuekey")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v %s", err, said)
	}
	home := filepath.Join(b.TempDir(), "home")
	environ := []string{"VENUEKEY_HOME=" + home, "VENUEKEY_KEY=file", "VENUEKEY_CTRADER_CLIENT_ID=x", "VENUEKEY_CTRADER_CLIENT_SECRET=x", "VENUEKEY_CTRADER_BASE_URL=http://127.0.0.1:9"}
	populate(b, environ, records)
	for range b.N {
		idle(b, program, home, environ)
	}
}

// populate makes a vault with sign-ins that are fresh for weeks.
func populate(b *testing.B, environ []string, records int) {
	b.Helper()
	place, err := local.Config{Environ: environ, Log: slog.New(slog.DiscardHandler)}.Place()
	if err != nil {
		b.Fatal(err)
	}
	vault, err := place.Create(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer vault.Close()
	// Without marks and spills, each of which would be flushed as well.
	keeper := &venuekey.Keeper{Vault: vault.Vault, Venues: vault.Keeper.Venues, Log: slog.New(slog.DiscardHandler)}
	now := time.Now()
	for i := range records {
		id := venuekey.ID{Venue: "ctrader", Name: fmt.Sprintf("user-%06d", i)}
		token := venuekey.Token{Access: venuekey.Secret(fmt.Sprintf("access-%032d", i)), Refresh: venuekey.Secret(fmt.Sprintf("refresh-%032d", i)), Issued: now, Expires: now.Add(30 * 24 * time.Hour)}
		if _, err := keeper.Adopt(b.Context(), id, token); err != nil {
			b.Fatal(err)
		}
	}
}

// idle runs one agent, and reports what it took.
func idle(b *testing.B, program, home string, environ []string) {
	b.Helper()
	socket := filepath.Join(home, "a.sock")
	command := exec.Command(program, "agent", "--socket", socket)
	command.Env = environ
	output, err := command.StderrPipe()
	began := time.Now()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	lines := bufio.NewScanner(output)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "serving at") {
	}
	client := &agent.Client{Socket: socket, Short: true}
	if _, err := client.Token(b.Context(), venuekey.ID{Venue: "ctrader", Name: "user-000042"}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms-to-token")
	pid := command.Process.Pid
	for at := cpuOf(b, pid); ; {
		pause(b.Context(), time.Second)
		now := cpuOf(b, pid)
		if now-at < 20*time.Millisecond || time.Since(began) > time.Minute {
			break
		}
		at = now
	}
	b.ReportMetric(time.Since(began).Seconds()-1, "s-to-idle")
	const watched = 10 * time.Second
	at := cpuOf(b, pid)
	pause(b.Context(), watched)
	b.ReportMetric(100*float64(cpuOf(b, pid)-at)/float64(watched), "%-of-a-core")
	for field, unit := range map[string]string{"VmRSS:": "MB", "VmHWM:": "MB-at-the-most"} {
		b.ReportMetric(memoryOf(b, pid, field)/(1<<10), unit)
	}
}

// pause lets an agent be.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// cpuOf is the processor time that a process has taken (proc(5): user and system, in hundredths).
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memoryOf is a figure of /proc/PID/status, in KB.
func memoryOf(b *testing.B, pid int, field string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n"+field)
	figure, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return figure
}
