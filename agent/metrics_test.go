package agent_test

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
)

// metrics_test.go owns the form of the metrics, and that the dashboard and the alerts of doc/ know
// them.

var (
	sampleLine = regexp.MustCompile(`^([a-z_]+)(\{(?:[a-z_]+="[^"\\]*",?)*\})? (-?[0-9.e+-]+)$`)
	metricName = regexp.MustCompile(`venuekey_[a-z_]+`)
)

// everything is what an agent says to which everything has happened.
func everything(t *testing.T) string {
	t.Helper()
	s := play(t, func(server *agent.Server) {
		server.MetricIDs = true
		server.Who = func(*http.Request) string { return "grafana" }
		server.Keeper.Presented = server.Presented
	})
	s.venue.Terms = venuekey.Policy{RenewalEnds: venuekey.EndAfterLogin, RenewalLife: 30 * 24 * time.Hour}
	s.signIn()
	if _, err := s.client.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	s.server.Proxied(alice, 204, time.Second)
	s.server.Proxied(alice, 0, time.Second)
	s.server.Presented(venuekey.Presentation{ID: alice, Took: time.Second, Err: &venuekey.Error{Class: venuekey.ClassUnknown}})
	return s.get("/metrics")
}

// A page of metrics is what Prometheus reads: a help and a type before each family, every sample
// once, counters that end in total.
func TestMetricsAreWellFormed(t *testing.T) {
	page := everything(t)
	_, page, _ = strings.Cut(page, "\r\n\r\n")
	page = page[strings.Index(page, "# HELP"):]
	seen, kind, family := map[string]bool{}, "", ""
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(rest, " ")
			kind = ""
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "+family+" "); ok {
			kind = rest
			if counts := strings.HasSuffix(family, "_total"); counts != (kind == "counter") {
				t.Errorf("%s is a %s", family, kind)
			}
			continue
		}
		parts := sampleLine.FindStringSubmatch(line)
		if parts == nil || parts[1] != family || kind == "" {
			t.Errorf("%q is no sample of %s", line, family)
			continue
		}
		if _, err := strconv.ParseFloat(parts[3], 64); err != nil || seen[parts[1]+parts[2]] {
			t.Errorf("%q: %v, seen before: %v", line, err, seen[parts[1]+parts[2]])
		}
		seen[parts[1]+parts[2]] = true
	}
	for _, want := range []string{
		`venuekey_renewals_total{venue="stage",outcome="granted"}`, `venuekey_renewals_total{venue="stage",outcome="unknown"}`,
		`venuekey_proxied_total{venue="stage",status="2xx"}`, `venuekey_proxied_total{venue="stage",status="none"}`,
		`venuekey_asked_total{venue="stage",verb="refresh",outcome="given",consumer="grafana"}`,
		`venuekey_signin_state{id="stage/alice",state="fresh"}`, `venuekey_first_end_seconds{venue="stage"}`,
	} {
		if !seen[want] {
			t.Errorf("there is no %s in\n%s", want, page)
		}
	}
}

// The dashboard and the alerts ask for what is there, and the dashboard for all of it.
func TestTheDashboardKnowsTheMetrics(t *testing.T) {
	page := everything(t)
	served := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(page, -1) {
		served[line[1]] = true
	}
	for _, path := range []string{"../doc/grafana.json", "../doc/alerts.yml"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		asked := map[string]bool{}
		for _, name := range metricName.FindAllString(string(text), -1) {
			if asked[name] = true; !served[name] {
				t.Errorf("%s asks for %s, which is not served", path, name)
			}
		}
		for name := range served {
			if strings.HasSuffix(path, "json") && !asked[name] && !strings.HasPrefix(name, "venuekey_signin_") {
				t.Errorf("%s does not show %s", path, name)
			}
		}
	}
}
