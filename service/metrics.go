package service

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// metrics are counted for Prometheus.
type metrics struct {
	mu       sync.Mutex
	requests map[outcome]int64
	running  int64
	buckets  [len(bounds) + 1]int64 // of searches; the last is without bound
	seconds  float64
}

// outcome is one line of the request counter. Paths are those of the description, so
// that no client can make lines.
type outcome struct {
	path   string
	status int
}

// bounds of the buckets, in seconds.
var bounds = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

func (m *metrics) count(path string, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests == nil {
		m.requests = map[outcome]int64{}
	}
	m.requests[outcome{path, status}]++
}

// began notes the beginning of searches that are done together, and what it returns
// their end; each took as long as all.
func (m *metrics) began(searches int) (ended func()) {
	begun := time.Now()
	m.mu.Lock()
	m.running += int64(searches)
	m.mu.Unlock()
	return func() {
		took := time.Since(begun).Seconds()
		i, _ := slices.BinarySearch(bounds[:], took)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.running -= int64(searches)
		m.buckets[i] += int64(searches)
		m.seconds += took * float64(searches)
	}
}

// exposeMetrics writes Prometheus' text form, version 0.0.4.
func (x *Service) exposeMetrics(w http.ResponseWriter, _ *http.Request) error {
	var b bytes.Buffer
	x.metrics.write(&b)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, err := w.Write(b.Bytes())
	return err
}

func (m *metrics) write(b *bytes.Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	head := func(name, kind, help string) { fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	head("weightprint_requests_total", "counter", "Requests answered, by page and status.")
	for _, o := range slices.SortedFunc(maps.Keys(m.requests), func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.status, b.status))
	}) {
		fmt.Fprintf(b, "weightprint_requests_total{path=%q,status=\"%d\"} %d\n", o.path, o.status, m.requests[o])
	}
	head("weightprint_searches_running", "gauge", "Searches that are running.")
	fmt.Fprintf(b, "weightprint_searches_running %d\n", m.running)
	head("weightprint_search_seconds", "histogram", "Time that searches took.")
	total := int64(0)
	for i, bound := range bounds {
		total += m.buckets[i]
		fmt.Fprintf(b, "weightprint_search_seconds_bucket{le=\"%g\"} %d\n", bound, total)
	}
	total += m.buckets[len(bounds)]
	fmt.Fprintf(b, "weightprint_search_seconds_bucket{le=\"+Inf\"} %d\nweightprint_search_seconds_sum %g\nweightprint_search_seconds_count %d\n", total, m.seconds, total)
}
