package otlp

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// settings.go owns what the environment asks for (OpenTelemetry, "General SDK configuration" and
// "OTLP exporter configuration").

// settings are what the variables say.
type settings struct {
	endpoint string
	headers  map[string]string
	resource []attribute
	timeout  time.Duration
	sampler  sampler
}

// read returns nil if nothing is asked for.
func read(env func(string) string, version string) (*settings, error) {
	own, general := env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), env("OTEL_EXPORTER_OTLP_ENDPOINT")
	exporter := env("OTEL_TRACES_EXPORTER")
	switch {
	case strings.EqualFold(env("OTEL_SDK_DISABLED"), "true"), exporter == "none":
		return nil, nil
	case exporter != "" && exporter != "otlp":
		return nil, fmt.Errorf("OTEL_TRACES_EXPORTER is %q, and only otlp and none are known here", exporter)
	case own == "" && general == "" && exporter == "":
		return nil, nil
	}
	if protocol := cmp.Or(env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), env("OTEL_EXPORTER_OTLP_PROTOCOL")); protocol == "grpc" {
		return nil, fmt.Errorf("the protocol of OTLP is grpc, and traces are sent by http/json only: name the collector's address for HTTP, mostly with port 4318")
	}
	s := &settings{endpoint: own, timeout: 10 * time.Second}
	if own == "" {
		s.endpoint = strings.TrimSuffix(cmp.Or(general, "http://localhost:4318"), "/") + "/v1/traces"
	}
	at, err := url.Parse(s.endpoint)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("the address for traces (OTEL_EXPORTER_OTLP_ENDPOINT) is no http address")
	}
	if milliseconds, err := strconv.Atoi(cmp.Or(env("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"), env("OTEL_EXPORTER_OTLP_TIMEOUT"))); err == nil && milliseconds > 0 {
		s.timeout = min(time.Duration(milliseconds)*time.Millisecond, time.Minute)
	}
	if s.headers, err = pairs(cmp.Or(env("OTEL_EXPORTER_OTLP_TRACES_HEADERS"), env("OTEL_EXPORTER_OTLP_HEADERS"))); err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: %w", err)
	}
	more, err := pairs(env("OTEL_RESOURCE_ATTRIBUTES"))
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	name := cmp.Or(env("OTEL_SERVICE_NAME"), more["service.name"], "venuekey")
	s.resource = []attribute{text("service.name", name), text("service.version", version), text("telemetry.sdk.language", "go")}
	for key, value := range more {
		if key != "service.name" {
			s.resource = append(s.resource, text(key, value))
		}
	}
	s.sampler, err = samplerOf(env("OTEL_TRACES_SAMPLER"), env("OTEL_TRACES_SAMPLER_ARG"))
	return s, err
}

// pairs reads "a=b,c=d" with percent encoding (W3C Baggage).
func pairs(list string) (map[string]string, error) {
	all := map[string]string{}
	for one := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(one) == "" {
			continue
		}
		key, value, ok := strings.Cut(one, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || strings.TrimSpace(key) == "" {
			return nil, fmt.Errorf("it is not a list such as key=value,other=value") // which may hold a secret
		}
		all[strings.TrimSpace(key)] = decoded
	}
	return all, nil
}

// sampler decides which traces are sent.
type sampler struct {
	ratio  float64
	parent bool // who calls decides, if they say
}

func samplerOf(name, argument string) (s sampler, err error) {
	s = sampler{ratio: 1}
	bare, based := strings.CutPrefix(cmp.Or(name, "parentbased_always_on"), "parentbased_")
	s.parent = based
	switch bare {
	case "always_on":
	case "always_off":
		s.ratio = 0
	case "traceidratio":
		if argument != "" {
			s.ratio, err = strconv.ParseFloat(argument, 64)
		}
		if err != nil || s.ratio < 0 || s.ratio > 1 || math.IsNaN(s.ratio) {
			return s, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1")
		}
	default:
		return s, fmt.Errorf("OTEL_TRACES_SAMPLER is %q, which is none that is known", name)
	}
	return s, nil
}

// takes decides by the trace's number, so that every program decides alike.
func (s sampler) takes(trace [16]byte, called, sampled bool) bool {
	if called && s.parent {
		return sampled
	}
	return float64(binary.BigEndian.Uint64(trace[8:])>>1) < s.ratio*(1<<63)
}
