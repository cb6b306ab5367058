package service

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weightprint/weightprint/internal/escape"
)

// Tokens are the bearer tokens that are let in, with the names of their holders.
type Tokens map[[sha256.Size]byte]string

// minToken is the length of the shortest token.
const minToken = 16

// ReadTokens reads one holder a line: name, space, token. Empty lines and those
// that begin with # are passed over.
func ReadTokens(r io.Reader) (Tokens, error) {
	out := Tokens{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		words := strings.Fields(text)
		if len(words) != 2 || len(words[1]) < minToken {
			return nil, fmt.Errorf("line %d: a name and a token of at least %d characters", n, minToken)
		}
		out[sha256.Sum256([]byte(words[1]))] = words[0]
	}
	if len(out) == 0 && lines.Err() == nil {
		return nil, errors.New("no tokens")
	}
	return out, lines.Err()
}

// holder names who sends a request. All tokens are compared, so that time says
// nothing of how near one was.
func (t Tokens) holder(r *http.Request) (name string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(token))
	for known, n := range t {
		if subtle.ConstantTimeCompare(known[:], sum[:]) == 1 && strings.EqualFold(scheme, "Bearer") {
			name, ok = n, true
		}
	}
	return name, ok
}

// limits are the clients' budgets: each fills up at a rate, to at most a burst.
type limits struct {
	mu      sync.Mutex
	rate    float64
	burst   float64
	clients map[string]*budget
	now     func() time.Time
}

type budget struct {
	left float64
	at   time.Time
}

// maxClients bounds the budgets that are remembered. Full ones are forgotten first;
// they say nothing.
const maxClients = 10_000

func newLimits(rate float64, burst int) *limits {
	return &limits{rate: rate, burst: float64(burst), clients: map[string]*budget{}, now: time.Now}
}

// take takes one request from a client's budget, or says when there will be one.
func (l *limits) take(client string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.clients[client]
	if b == nil {
		if len(l.clients) >= maxClients {
			l.forget(now)
		}
		b = &budget{l.burst, now}
		l.clients[client] = b
	}
	b.left, b.at = l.filled(b, now), now
	if b.left < 1 {
		return time.Duration((1 - b.left) / l.rate * float64(time.Second))
	}
	b.left--
	return 0
}

func (l *limits) filled(b *budget, now time.Time) float64 {
	return math.Min(l.burst, b.left+now.Sub(b.at).Seconds()*l.rate)
}

// forget drops full budgets, and all if none is full: better than to grow.
func (l *limits) forget(now time.Time) {
	for c, b := range l.clients {
		if l.filled(b, now) >= l.burst {
			delete(l.clients, c)
		}
	}
	if len(l.clients) >= maxClients {
		clear(l.clients)
	}
}

// ServeHTTP lets a request in and answers it.
func (x *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	path := "other"
	answer := &answered{ResponseWriter: w}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	err := x.route(answer, r, &path)
	if err != nil {
		x.refuse(answer, r, err)
	}
	x.metrics.count(path, answer.status)
	x.options.Log.Info("request", "path", path, "status", answer.status, "seconds", time.Since(begun).Seconds())
}

func (x *Service) route(w http.ResponseWriter, r *http.Request, path *string) error {
	var allowed []string
	for _, route := range x.routes {
		if route.path != r.URL.Path {
			continue
		}
		*path = route.path
		if route.method != r.Method && !(route.method == http.MethodGet && r.Method == http.MethodHead) {
			allowed = append(allowed, route.method)
			continue
		}
		client, err := x.admit(r, route)
		if err == nil && route.counted {
			err = x.within(client)
		}
		if err != nil {
			return err
		}
		return route.do(w, r)
	}
	if allowed != nil {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return fail(http.StatusMethodNotAllowed, "%s is asked by %s", *path, allowed[0])
	}
	return fail(http.StatusNotFound, "there is no such page; /openapi.json lists them")
}

// admit names the client: the holder of a token, or where none is needed the
// address.
func (x *Service) admit(r *http.Request, to route) (client string, err error) {
	if x.options.Tokens == nil || to.open {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		return host, nil
	}
	name, ok := x.options.Tokens.holder(r)
	if !ok {
		return "", &failure{status: http.StatusUnauthorized, detail: "a bearer token is needed"}
	}
	return "token " + name, nil
}

func (x *Service) within(client string) error {
	if wait := x.limits.take(client); wait > 0 {
		return &failure{status: http.StatusTooManyRequests, detail: fmt.Sprintf("more than %g searches a second", x.options.Rate), after: wait}
	}
	return nil
}

// refuse answers with an error. What went wrong inside is logged, not told.
func (x *Service) refuse(w *answered, r *http.Request, err error) {
	var f *failure
	switch {
	case errors.As(err, &f):
	case r.Context().Err() != nil:
		f = &failure{status: statusGone, detail: "the client is gone"}
	default:
		x.options.Log.Error("search", "error", err)
		f = &failure{status: http.StatusInternalServerError, detail: "the search failed"}
		if errors.Is(err, context.Canceled) {
			f = &failure{status: http.StatusServiceUnavailable, detail: "the service is ending"}
		}
	}
	if w.status != 0 {
		return // a part of the answer is on its way
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if f.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.after.Seconds()))))
	}
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	var b bytes.Buffer
	_ = escape.WriteJSON(&b, map[string]any{"status": f.status, "title": http.StatusText(f.status), "detail": f.detail})
	w.WriteHeader(f.status)
	_, _ = w.Write(b.Bytes())
}

// statusGone is counted where nobody waits for an answer.
const statusGone = 499

// answered notes the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answered) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// contentIs tells whether the body is of a media type.
func contentIs(r *http.Request, want string) bool {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && got == want
}
