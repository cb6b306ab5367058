// Package service answers searches over HTTP: a fingerprint is uploaded, never
// weights, and what comes back is the JSON that `weightprint index search --json`
// prints. Its description is [Description].
package service

import (
	"context"
	_ "embed" // the description
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/similarity/stats"
	"github.com/weightprint/weightprint/store"
)

// Description is the OpenAPI 3.1 document of the service.
//
//go:embed openapi.json
var Description []byte

// Options say what a client may ask for. The zero value of each field is its
// default.
type Options struct {
	Tokens   Tokens        // who may ask; nil: everybody
	Rate     float64       // searches a second for each client, 10
	Burst    int           // searches that a client may ask for at once, 20
	Running  int           // searches at one time, 4
	Patience time.Duration // that a search may wait for its turn and take, 30 s
	Log      *slog.Logger  // silent
}

func (o Options) withDefaults() Options {
	if o.Rate == 0 {
		o.Rate = 10
	}
	if o.Burst == 0 {
		o.Burst = 20
	}
	if o.Running == 0 {
		o.Running = 4
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Service answers requests about a store.
type Service struct {
	store   store.Store
	options Options
	limits  *limits
	turns   chan struct{} // holds one for each search that runs
	metrics metrics
	routes  []route
}

// route is one operation of the description.
type route struct {
	method, path string
	open         bool // also without a token
	counted      bool // against the client's rate
	do           func(w http.ResponseWriter, r *http.Request) error
}

// New makes a service. The store stays the caller's to close.
func New(s store.Store, o *Options) *Service {
	x := &Service{store: s}
	if o != nil {
		x.options = *o
	}
	x.options = x.options.withDefaults()
	x.limits = newLimits(x.options.Rate, x.options.Burst)
	x.turns = make(chan struct{}, x.options.Running)
	x.routes = []route{
		{http.MethodPost, "/v1/search", false, true, x.search},
		{http.MethodPost, "/v1/searches", false, true, x.searches},
		{http.MethodGet, "/v1/health", true, false, x.health},
		{http.MethodGet, "/metrics", false, false, x.exposeMetrics},
		{http.MethodGet, "/openapi.json", true, false, describe},
	}
	return x
}

// search answers with the entries that share an origin with the uploaded
// fingerprint.
func (x *Service) search(w http.ResponseWriter, r *http.Request) error {
	top, level, err := parameters(r)
	if err != nil {
		return err
	}
	if !contentIs(r, fingerprintType) {
		return fail(http.StatusUnsupportedMediaType, "the body is a fingerprint file, of type %s", fingerprintType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, fingerprint.MaxFileBytes))
	if err != nil {
		return unread(err)
	}
	f, err := fingerprint.Decode(body)
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "the body is no fingerprint file: %v", err)
	}
	found, err := x.find(r.Context(), []*fingerprint.Fingerprint{f}, top, level)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return escape.WriteJSON(w, found[0])
}

const fingerprintType = "application/octet-stream"

// find waits for a turn and searches for all that are given.
func (x *Service) find(ctx context.Context, fs []*fingerprint.Fingerprint, top int, level float64) ([]*store.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, x.options.Patience)
	defer cancel()
	select {
	case x.turns <- struct{}{}:
		defer func() { <-x.turns }()
	case <-ctx.Done():
		return nil, busy
	}
	defer x.metrics.began(len(fs))()
	found, err := store.SearchAll(ctx, x.store, fs, top, stats.LogP(math.Log(level)))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, busy
	case err != nil:
		return nil, err
	}
	out := make([]*store.Found, len(found))
	for i, f := range found {
		out[i] = store.Describe(f)
	}
	return out, nil
}

// busy is answered where a search does not come to its turn or end in time.
var busy = &failure{status: http.StatusServiceUnavailable, detail: "too many searches are running; try again later", after: time.Second}

// parameters reads top and level.
func parameters(r *http.Request) (top int, level float64, err error) {
	top, level = 10, 1e-3
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return 0, 0, fail(http.StatusBadRequest, "the parameters cannot be read")
	}
	for name, values := range query {
		if len(values) != 1 {
			return 0, 0, fail(http.StatusBadRequest, "%s is given %d times", escape.Printable(name), len(values))
		}
		switch name {
		case "top":
			if top, err = strconv.Atoi(values[0]); err != nil || top < 1 || top > maxTop {
				return 0, 0, fail(http.StatusBadRequest, "top is a number from 1 to %d", maxTop)
			}
		case "level":
			if level, err = strconv.ParseFloat(values[0], 64); err != nil || !(level > 0 && level < 1) {
				return 0, 0, fail(http.StatusBadRequest, "level lies between 0 and 1")
			}
		default:
			return 0, 0, fail(http.StatusBadRequest, "unknown parameter %s", escape.Printable(name))
		}
	}
	return top, level, nil
}

const maxTop = 1000

func (x *Service) health(w http.ResponseWriter, r *http.Request) error {
	if err := x.store.Ready(r.Context()); err != nil {
		x.options.Log.Error("health", "error", err)
		return &failure{status: http.StatusServiceUnavailable, detail: "the store does not answer", after: time.Second}
	}
	w.Header().Set("Content-Type", "application/json")
	return escape.WriteJSON(w, map[string]string{"status": "ok"})
}

func describe(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(Description)
	return err
}

// failure is an answer that is no result, as RFC 9457 has them.
type failure struct {
	status int
	detail string
	after  time.Duration // when to try again
}

func (f *failure) Error() string { return f.detail }

func fail(status int, format string, args ...any) error {
	return &failure{status: status, detail: fmt.Sprintf(format, args...)}
}

// unread says why a body could not be read.
func unread(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fail(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", large.Limit)
	}
	return fail(http.StatusBadRequest, "the body could not be read")
}
