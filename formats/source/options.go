package source

import (
	"context"
	"log/slog"
	"time"
)

// Options changes how sources are opened; nil and zero fields are the
// defaults. None of them can change what is read.
type Options struct {
	// MaxOpenFiles bounds the descriptors in use; 64 if zero.
	MaxOpenFiles int
	// AllowPrivate lets loopback and private addresses be asked, and these,
	// named by number or as localhost, also without encryption. Link-local
	// addresses, where clouds keep credentials, stay refused.
	AllowPrivate bool
	// Offline refuses whatever does not lie on this machine.
	Offline bool
	// InFlight is how many requests are under way at once; 32 if zero.
	InFlight int
	// NearBytes is the gap between two ranges below which one request fetches both, with
	// what lies between; 1 KiB if zero. Who is granted few requests sets it higher.
	NearBytes int64
	// Spool is a folder in which a remote file lies while it is read, "" for none: then
	// it is asked for twice, its beginning and, from end to end, the rest, whatever is
	// read of it. It needs room for the largest file, of a checkpoint of shards for all.
	Spool string
	// CacheBytes bounds the bytes kept of one checkpoint; 72 MiB if zero.
	CacheBytes int64
	// Timeout is how long a server may stay silent before a request counts as
	// failed; 30 s if zero.
	Timeout time.Duration
	// Log is told of retries and waits; silent if nil.
	Log *slog.Logger

	// For tests: certificates to trust, where names lead, addresses that count
	// as public, and how to wait.
	tls    *tlsConfig
	hosts  map[string]string
	public map[string]bool
	sleep  func(context.Context, time.Duration) error
}

// nearBytes is about what the headers of another request would cost.
const nearBytes = 1 << 10

// filled returns the options with defaults in place of zero fields.
func (o *Options) filled() Options {
	var f Options
	if o != nil {
		f = *o
	}
	if f.InFlight <= 0 {
		f.InFlight = 32
	}
	if f.NearBytes <= 0 {
		f.NearBytes = nearBytes
	}
	if f.CacheBytes <= 0 {
		f.CacheBytes = 72 << 20
	}
	if f.Timeout <= 0 {
		f.Timeout = 30 * time.Second
	}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	if f.sleep == nil {
		f.sleep = sleep
	}
	return f
}

// sleep waits, or returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
