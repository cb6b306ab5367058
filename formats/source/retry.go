//go:build !nonet && !js

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/weightprint/weightprint/formats/tensor"
)

const (
	attempts = 5
	// maxWait is the longest wait that a server may ask for; beyond it the
	// request fails and says so.
	maxWait   = 5 * time.Minute
	leastRate = 8 << 10
)

// laterError is a failure after which the server asks to wait.
type laterError struct {
	error
	wait time.Duration
}

func (e *laterError) Unwrap() error { return e.error }

// passing tells failures that may be gone at the next attempt.
func passing(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		switch status.Code {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	if errors.Is(err, errNoHost) || errors.Is(err, errCertificate) {
		return false
	}
	return !errors.Is(err, ErrAddress) && (errors.Is(err, ErrSlow) || errors.Is(err, ErrUnreachable) || errors.Is(err, io.ErrUnexpectedEOF))
}

// allowance is how long a request for so many bytes may take.
func (c *client) allowance(n int64) time.Duration {
	return c.o.Timeout + time.Duration(float64(n)/float64(c.leastRate)*float64(time.Second))
}

// retry runs a request, again where its failure may pass: after the time the
// server asks for, or else after ever longer random times. What remains is
// named after the file.
func (c *client) retry(ctx context.Context, host, label string, each time.Duration, request func(context.Context) error) error {
	for n := 1; ; n++ {
		if err := c.gate.pass(ctx, host, c.o.sleep); err != nil {
			return err
		}
		err := c.once(ctx, each, request)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := pause(n)
		var later *laterError
		if errors.As(err, &later) {
			wait = later.wait
		}
		if !passing(err) || n == attempts || wait > maxWait {
			return named(err, label, n, wait)
		}
		c.o.Log.Warn("asking again", "file", label, "because", err.Error(), "after", wait.Round(time.Millisecond).String())
		if err := c.o.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// once runs a request in one of the slots, and not for ever.
func (c *client) once(ctx context.Context, each time.Duration, request func(context.Context) error) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, each)
	defer cancel()
	err := request(limited)
	if err != nil && ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: not done after %v", ErrSlow, each.Round(time.Second))
	}
	return err
}

// named puts the file's name to an error, once.
func named(err error, label string, n int, wait time.Duration) error {
	var known *tensor.FormatError
	if errors.As(err, &known) {
		return err
	}
	rule := err.Error()
	if n > 1 {
		rule = fmt.Sprintf("%v, %d times", err, n)
	}
	if wait > maxWait {
		rule = fmt.Sprintf("%v and asks to wait %v", err, wait.Round(time.Second))
	}
	if errors.Is(err, fs.ErrPermission) {
		rule += advicePermission
	}
	return tensor.Errorf(err, label, -1, "server", "%s", rule)
}

const advicePermission = "; the model may be private or gated, or not exist: for a hub, set HF_TOKEN to a token that may read it"

// pause is the random wait before attempt n+1: up to ½, 1, 2, 4 seconds.
func pause(n int) time.Duration {
	return time.Duration(rand.Int64N(int64(time.Second/2) << (n - 1)))
}

// retryAfter reads how long a server asks to wait: Retry-After in seconds or
// as a date, or the time to the reset of its RateLimit. 0 where it says
// nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if v := h.Get("Retry-After"); v != "" {
		if n, err := strconv.ParseUint(v, 10, 31); err == nil {
			return time.Duration(n) * time.Second
		}
		if t, err := http.ParseTime(v); err == nil && t.After(now) {
			return t.Sub(now)
		}
	}
	_, reset, _ := rateLimit(h)
	return reset
}

// limits matches the structured field of draft-ietf-httpapi-ratelimit-headers:
// "name";r=REMAINING;t=SECONDS.
var limits = regexp.MustCompile(`;\s*r=(\d{1,9})\s*;\s*t=(\d{1,9})`)

// rateLimit reads how many requests are left and when there will be more.
func rateLimit(h http.Header) (left int, reset time.Duration, ok bool) {
	remaining, after := h.Get("RateLimit-Remaining"), h.Get("RateLimit-Reset")
	if m := limits.FindStringSubmatch(h.Get("RateLimit")); m != nil {
		remaining, after = m[1], m[2]
	}
	left, errLeft := strconv.Atoi(remaining)
	seconds, errReset := strconv.ParseUint(after, 10, 31)
	if errLeft != nil || errReset != nil {
		return 0, 0, false
	}
	return left, time.Duration(seconds) * time.Second, true
}

// gate holds requests back from hosts that have said that none are left.
type gate struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// heed notes what a host says of its limits.
func (g *gate) heed(host string, h http.Header) {
	left, reset, ok := rateLimit(h)
	if !ok || left > 0 || reset > maxWait {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil {
		g.until = map[string]time.Time{}
	}
	g.until[host] = time.Now().Add(reset)
}

// pass waits until a host may be asked again.
func (g *gate) pass(ctx context.Context, host string, sleep func(context.Context, time.Duration) error) error {
	g.mu.Lock()
	wait := time.Until(g.until[host])
	g.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	return sleep(ctx, wait)
}
