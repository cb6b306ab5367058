package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// openFile serves a handler and opens one file of it.
func openFile(t *testing.T, w *world, h http.HandlerFunc) (Blob, *site, error) {
	t.Helper()
	w.serve("cdn.example:443", false, h)
	places, err := Find(context.Background(), "https://cdn.example/m.gguf", w.options())
	require.NoError(t, err)
	require.Len(t, places, 1)
	s := places[0].Folder.(*site)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	b, err := s.Open(context.Background(), "m.gguf")
	return b, s, err
}

// answers wraps a good server: the n-th request, from 1, may be answered by
// the fault instead.
func answers(good http.HandlerFunc, fault func(n int, w http.ResponseWriter, r *http.Request) bool) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if !fault(int(n.Add(1)), w, r) {
			good(w, r)
		}
	}
}

// partial answers a range request with whatever headers and bytes are asked for.
func partial(w http.ResponseWriter, contentRange string, body []byte) bool {
	w.Header().Set("ETag", `"v1"`)
	if contentRange != "" {
		w.Header().Set("Content-Range", contentRange)
	}
	w.WriteHeader(http.StatusPartialContent)
	w.Write(body)
	return true
}

const fileBytes = 500_000 // more than is fetched whole

// Every kind of wrong answer is an error that says what it is; passing failures
// are overcome.
func TestFaultyServers(t *testing.T) {
	data := pattern(fileBytes)
	good := content(data, `"v1"`)
	later := func(f func(w http.ResponseWriter, r *http.Request) bool) func(int, http.ResponseWriter, *http.Request) bool {
		return func(n int, w http.ResponseWriter, r *http.Request) bool { return n > 1 && f(w, r) }
	}
	status := func(code int, header ...string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			return true
		}
	}
	once := func(f func(w http.ResponseWriter, r *http.Request) bool) func(int, http.ResponseWriter, *http.Request) bool {
		return func(n int, w http.ResponseWriter, r *http.Request) bool { return n == 2 && f(w, r) }
	}
	cut := func(w http.ResponseWriter, r *http.Request) bool {
		lo, hi := asked(r)
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", lo, hi-1, fileBytes))
		w.Header().Set("Content-Length", strconv.Itoa(hi-lo))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[lo : (lo+hi)/2])
		panic(http.ErrAbortHandler)
	}
	stall := func(w http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	for _, c := range []struct {
		name  string
		fault func(int, http.ResponseWriter, *http.Request) bool
		err   error         // nil: the file is read all the same
		slept time.Duration // the wait that the server asked for
	}{
		{"ignores ranges", func(_ int, w http.ResponseWriter, r *http.Request) bool { w.Write(data); return true }, ErrNoRanges, 0},
		{"ignores ranges later", later(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `"v1"`)
			w.Write(data)
			return true
		}), ErrNoRanges, 0},
		{"sends the whole of another file", later(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `"v2"`)
			w.Write(data)
			return true
		}), tensor.ErrChanged, 0},
		{"no Content-Range", func(_ int, w http.ResponseWriter, r *http.Request) bool { return partial(w, "", data[:firstBytes]) }, ErrAnswer, 0},
		{"size unknown", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			return partial(w, fmt.Sprintf("bytes 0-%d/*", firstBytes-1), data[:firstBytes])
		}, ErrAnswer, 0},
		{"another unit", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			return partial(w, fmt.Sprintf("lines 0-%d/%d", firstBytes-1, fileBytes), data[:firstBytes])
		}, ErrAnswer, 0},
		{"overflowing size", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			return partial(w, fmt.Sprintf("bytes 0-%d/9999999999999999999", firstBytes-1), data[:firstBytes])
		}, ErrAnswer, 0},
		{"range behind the end", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			return partial(w, "bytes 0-99/50", data[:100])
		}, ErrAnswer, 0},
		{"shorter range at first", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			return partial(w, fmt.Sprintf("bytes 0-99/%d", fileBytes), data[:100])
		}, ErrAnswer, 0},
		{"another range", later(func(w http.ResponseWriter, r *http.Request) bool {
			lo, hi := asked(r)
			return partial(w, fmt.Sprintf("bytes %d-%d/%d", lo-1, hi-2, fileBytes), data[lo-1:hi-1])
		}), ErrAnswer, 0},
		{"fewer bytes than its range", later(func(w http.ResponseWriter, r *http.Request) bool {
			lo, hi := asked(r)
			return partial(w, fmt.Sprintf("bytes %d-%d/%d", lo, hi-1, fileBytes), data[lo:hi-1])
		}), io.ErrUnexpectedEOF, 0},
		{"another length than its range", later(func(w http.ResponseWriter, r *http.Request) bool {
			lo, hi := asked(r)
			w.Header().Set("Content-Length", strconv.Itoa(hi-lo-1))
			return partial(w, fmt.Sprintf("bytes %d-%d/%d", lo, hi-1, fileBytes), data[lo:hi-1])
		}), ErrAnswer, 0},
		{"more bytes than its range", later(func(w http.ResponseWriter, r *http.Request) bool {
			lo, hi := asked(r)
			return partial(w, fmt.Sprintf("bytes %d-%d/%d", lo, hi-1, fileBytes), append(data[lo:hi:hi], 0))
		}), ErrAnswer, 0},
		{"another size", later(func(w http.ResponseWriter, r *http.Request) bool {
			lo, hi := asked(r)
			return partial(w, fmt.Sprintf("bytes %d-%d/%d", lo, hi-1, fileBytes+1), data[lo:hi])
		}), tensor.ErrChanged, 0},
		{"another ETag", later(func(w http.ResponseWriter, r *http.Request) bool {
			content(data, `"v2"`)(w, withoutIfRange(r))
			return true
		}), tensor.ErrChanged, 0},
		{"no ETag any more", later(func(w http.ResponseWriter, r *http.Request) bool {
			http.ServeContent(w, withoutIfRange(r), "", time.Time{}, bytes.NewReader(data))
			return true
		}), tensor.ErrChanged, 0},
		{"range gone", later(status(416)), tensor.ErrChanged, 0},
		{"precondition failed", later(status(412)), tensor.ErrChanged, 0},
		{"gzip", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Encoding", "gzip")
			return partial(w, fmt.Sprintf("bytes 0-%d/%d", firstBytes-1, fileBytes), data[:firstBytes])
		}, ErrAnswer, 0},
		{"gzip later", later(func(w http.ResponseWriter, r *http.Request) bool {
			lo, hi := asked(r)
			w.Header().Set("Content-Encoding", "gzip")
			return partial(w, fmt.Sprintf("bytes %d-%d/%d", lo, hi-1, fileBytes), data[lo:hi])
		}), ErrAnswer, 0},
		{"stalls for ever", later(stall), ErrSlow, 0},
		{"stalls once", once(stall), nil, 0},
		{"breaks off for ever", later(cut), io.ErrUnexpectedEOF, 0},
		{"breaks off once", once(cut), nil, 0},
		{"no such file", func(n int, w http.ResponseWriter, r *http.Request) bool { return status(404)(w, r) }, fs.ErrNotExist, 0},
		{"forbidden", func(n int, w http.ResponseWriter, r *http.Request) bool { return status(403)(w, r) }, fs.ErrPermission, 0},
		{"no login", func(n int, w http.ResponseWriter, r *http.Request) bool { return status(401)(w, r) }, fs.ErrPermission, 0},
		{"breaks down for ever", later(status(500)), &StatusError{500}, 0},
		{"breaks down once", once(status(503)), nil, 0},
		{"too many requests", once(status(429, "Retry-After", "7")), nil, 7 * time.Second},
		{"too many requests, at first", func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n == 1 && status(429, "Retry-After", "3")(w, r)
		}, nil, 3 * time.Second},
		{"too many requests, by date", once(func(w http.ResponseWriter, r *http.Request) bool {
			return status(429, "Retry-After", time.Now().Add(100*time.Second).UTC().Format(http.TimeFormat))(w, r)
		}), nil, 97 * time.Second},
		{"too many requests, by limit", once(status(429, "RateLimit", `"resolvers";r=0;t=55`)), nil, 54 * time.Second},
		{"too many requests for hours", later(status(429, "Retry-After", "7200")), &StatusError{429}, 0},
		{"few requests left", once(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("RateLimit", `"resolvers";r=0;t=41`)
			return false
		}), nil, 40 * time.Second},
		{"parts of parts", later(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "multipart/byteranges; boundary=x")
			return partial(w, "", data[:10])
		}), ErrAnswer, 0},
		{"another success", later(status(204)), ErrAnswer, 0},
		{"not modified", later(status(304)), &StatusError{304}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b, s, err := openShort(t, w, answers(good, c.fault))
			var got []byte
			if err == nil {
				require.Equal(t, int64(fileBytes), b.Size())
				got, err = readTwice(b)
			}
			switch {
			case c.err == nil:
				require.NoError(t, err)
				require.Equal(t, data, got)
				require.GreaterOrEqual(t, s.Transferred(), int64(fileBytes))
			default:
				var want, is *StatusError
				if errors.As(c.err, &want) {
					require.ErrorAs(t, err, &is)
					require.Equal(t, want.Code, is.Code)
				} else {
					require.ErrorIs(t, err, c.err)
				}
				var known *tensor.FormatError
				require.ErrorAs(t, err, &known)
				require.Equal(t, "https://cdn.example/m.gguf", known.File)
			}
			if c.slept > 0 {
				longest := time.Duration(0)
				for _, d := range w.slept {
					longest = max(longest, d)
				}
				require.GreaterOrEqual(t, longest, c.slept)
				require.Less(t, longest, c.slept+4*time.Second)
			}
		})
	}
}

// openShort opens with a short patience.
func openShort(t *testing.T, w *world, h http.HandlerFunc) (Blob, *site, error) {
	w.serve("cdn.example:443", false, h)
	o := w.options()
	o.Timeout = 300 * time.Millisecond
	places, err := Find(context.Background(), "https://cdn.example/m.gguf", o)
	require.NoError(t, err)
	s := places[0].Folder.(*site)
	s.client.leastRate = 1 << 30
	b, err := s.Open(context.Background(), "m.gguf")
	return b, s, err
}

// readTwice reads a blob in two parts, so that at least two further requests
// are made.
func readTwice(b Blob) ([]byte, error) {
	p := make([]byte, b.Size())
	half := len(p) * 2 / 3
	if _, err := b.ReadAt(p[half:], int64(half)); err != nil {
		return nil, err
	}
	_, err := b.ReadAt(p[:half], 0)
	return p, err
}

// asked reads the range of a request.
func asked(r *http.Request) (lo, hi int) {
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &lo, &hi)
	return lo, min(hi+1, fileBytes)
}

func withoutIfRange(r *http.Request) *http.Request {
	c := r.Clone(r.Context())
	c.Header.Del("If-Range")
	return c
}

// What is asked of servers: ranges, unencoded, of the same file as before.
func TestRequests(t *testing.T) {
	data := pattern(2 << 20)
	w := newWorld(t)
	var mu sync.Mutex
	var seen []http.Header
	b, _, err := openFile(t, w, func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Header.Clone())
		mu.Unlock()
		require.Equal(t, http.MethodGet, r.Method)
		content(data, `"v1"`)(rw, r)
	})
	require.NoError(t, err)
	_, err = b.ReadAt(make([]byte, 100), 1<<20)
	require.NoError(t, err)
	require.Len(t, seen, 2)
	require.Equal(t, "bytes=0-66559", seen[0].Get("Range"))
	require.Empty(t, seen[0].Get("If-Range"))
	require.Equal(t, "bytes=1048576-1048675", seen[1].Get("Range"))
	require.Equal(t, `"v1"`, seen[1].Get("If-Range"))
	for _, h := range seen {
		require.Equal(t, "identity", h.Get("Accept-Encoding"))
		require.Empty(t, h.Get("Authorization"))
	}
}

// Weak ETags and times of change pin a file too.
func TestValidators(t *testing.T) {
	data := pattern(fileBytes)
	day := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for name, c := range map[string]struct {
		before, after func(http.ResponseWriter, *http.Request)
		err           error
	}{
		"weak, same":    {content(data, `W/"a"`), content(data, `W/"a"`), nil},
		"weak, other":   {content(data, `W/"a"`), content(data, `W/"b"`), tensor.ErrChanged},
		"time, same":    {dated(data, day), dated(data, day), nil},
		"time, other":   {dated(data, day), dated(data, day.Add(time.Second)), tensor.ErrChanged},
		"none at all":   {dated(data, time.Time{}), dated(data, time.Time{}), nil},
		"time to ETag":  {dated(data, day), content(data, `"a"`), tensor.ErrChanged},
		"none, resized": {dated(data, time.Time{}), dated(data[:fileBytes-1], time.Time{}), tensor.ErrChanged},
	} {
		w := newWorld(t)
		h := answers(c.before, func(n int, rw http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				c.after(rw, r)
			}
			return n > 1
		})
		b, s, err := openFile(t, w, h)
		require.NoError(t, err)
		_, err = readTwice(b)
		if c.err == nil {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, c.err, name)
		}
		require.NoError(t, s.Close())
	}
}

func dated(b []byte, day time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeContent(w, r, "", day, bytes.NewReader(b)) }
}

// A signed address that has expired is asked for anew, and must lead to the
// same file.
func TestExpiredLocations(t *testing.T) {
	for _, other := range []bool{false, true} {
		data := pattern(fileBytes)
		w := newWorld(t)
		var signature atomic.Int64
		w.serve("evil.example:443", false, func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("s") != fmt.Sprint(signature.Load()) {
				rw.WriteHeader(http.StatusForbidden)
				return
			}
			etag := `"v1"`
			if other && signature.Load() > 1 {
				etag = `"v2"`
			}
			content(data, etag)(rw, r)
		})
		b, _, err := openFile(t, w, func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, fmt.Sprintf("https://evil.example/x?s=%d", signature.Add(1)), http.StatusFound)
		})
		require.NoError(t, err)
		_, err = b.ReadAt(make([]byte, 1), 100_000)
		require.NoError(t, err)
		require.Equal(t, 1, w.count("cdn.example:443"), "the place is kept")
		signature.Add(1) // the old one is no longer valid
		_, err = b.ReadAt(make([]byte, 1), 200_000)
		if other {
			require.ErrorIs(t, err, tensor.ErrChanged)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, 2, w.count("cdn.example:443"))
	}
}

// Nothing that a server or a signed address says in secret shows in errors.
func TestErrorsKeepSecrets(t *testing.T) {
	w := newWorld(t)
	w.hub()
	w.serve("hub.example:443", false, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"`+r.Header.Get("Authorization")+`"`)
		rw.Header().Set("X-Repo-Commit", r.Header.Get("Authorization"))
		rw.Header().Set("Content-Range", r.Header.Get("Authorization"))
		switch {
		case strings.HasPrefix(r.URL.Path, "/api/"):
			fmt.Fprintf(rw, `{"sha":%q,"siblings":[]}`, commit)
		case strings.HasSuffix(r.URL.Path, "206"):
			rw.WriteHeader(206)
		case strings.HasSuffix(r.URL.Path, "302"):
			rw.Header().Set("Location", "https://evil.example/"+token+"?sig=SIGNATURE")
			rw.WriteHeader(302)
		default:
			rw.WriteHeader(404)
		}
		fmt.Fprint(rw, r.Header.Get("Authorization"))
	})
	w.serve("cdn.example:443", false, func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(404) })
	for _, ref := range []string{"hf:org/name:x206", "hf:org/name:x302", "hf:org/name:x404", "https://cdn.example/m.gguf?sig=SIGNATURE"} {
		places, err := Find(context.Background(), ref, w.options())
		require.NoError(t, err)
		p := places[len(places)-1]
		_, err = p.Folder.Open(context.Background(), p.File)
		require.Error(t, err)
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), p.Ref, w.log.String()} {
			require.NotContains(t, text, token, ref)
			require.NotContains(t, text, "SIGNATURE", ref)
		}
	}
	require.Empty(t, w.leaks("hub.example:443"), "the hub itself put it into an address")
}

// Small files are read whole, also in steps, and not from servers that fall
// silent in between.
func TestSmallFiles(t *testing.T) {
	data := pattern(300_000)
	w := newWorld(t)
	var silent atomic.Int64
	w.serve("cdn.example:443", false, func(rw http.ResponseWriter, r *http.Request) {
		rw.Write(data[:100_000]) // knows no ranges
		if silent.Add(-1) >= 0 {
			rw.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		rw.Write(data[100_000:])
	})
	o := w.options()
	o.Timeout = 200 * time.Millisecond
	places, err := Find(context.Background(), "https://cdn.example/m.gguf", o)
	require.NoError(t, err)
	s := places[0].Folder.(*site)
	s.client.leastRate = 1 << 30
	read := func(most int64) error {
		b, err := s.Read(context.Background(), "config.json", most)
		if err == nil {
			require.True(t, bytes.Equal(data, b), "%d bytes", len(b))
		}
		return err
	}
	require.NoError(t, read(1<<20))
	require.NoError(t, read(300_000))
	require.ErrorIs(t, read(300_000-1), tensor.ErrLimit)
	silent.Store(1)
	require.NoError(t, read(1<<20), "silent once")
	silent.Store(1000)
	require.ErrorIs(t, read(1<<40), ErrSlow)
}

// A server that sends no more than a byte now and then does not hold anyone up.
func TestTrickle(t *testing.T) {
	w := newWorld(t)
	_, _, err := openShort(t, w, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", firstBytes-1, 300_000))
		rw.WriteHeader(206)
		for r.Context().Err() == nil {
			rw.Write([]byte{1})
			rw.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	require.ErrorIs(t, err, ErrSlow)
}

// A port where nobody listens, a certificate nobody trusts, a name nobody has.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	w := newWorld(t)
	w.hosts["cdn.example:443"], w.public[address] = address, true
	other := httptest.NewTLSServer(http.NotFoundHandler()) // its own certificate
	t.Cleanup(other.Close)
	w.hosts["xhub.example:443"], w.public[other.Listener.Addr().String()] = other.Listener.Addr().String(), true
	for ref, waits := range map[string]int{"https://cdn.example/m.gguf": attempts - 1, "https://xhub.example/m.gguf": 0, "https://nobody.invalid/m.gguf": 0} {
		w.slept = nil
		places, err := Find(context.Background(), ref, w.options())
		require.NoError(t, err)
		_, err = places[0].Folder.Open(context.Background(), "m.gguf")
		require.ErrorIs(t, err, ErrUnreachable, ref)
		if ref != "https://nobody.invalid/m.gguf" { // how names fail depends on the machine's resolver
			require.Len(t, w.slept, waits, ref)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		key, value string
		want       time.Duration
	}{
		{"Retry-After", "5", 5 * time.Second}, {"Retry-After", "Wed, 01 Jan 2025 00:01:00 GMT", time.Minute}, {"Retry-After", "Wed, 01 Jan 2020 00:01:00 GMT", 0},
		{"Retry-After", "-5", 0}, {"Retry-After", "soon", 0}, {"Retry-After", "99999999999999", 0},
		{"RateLimit", `"api";r=0;t=12`, 12 * time.Second}, {"RateLimit", `"api"; r=3; t=12`, 12 * time.Second}, {"RateLimit", "limit=5", 0}, {"RateLimit", "", 0},
	} {
		require.Equal(t, c.want, retryAfter(http.Header{http.CanonicalHeaderKey(c.key): {c.value}}, now), c.value)
	}
	require.Equal(t, 9*time.Second, retryAfter(http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"9"}}, now))
	for n := 1; n < attempts; n++ {
		for range 100 {
			require.Less(t, pause(n), time.Second/2<<(n-1))
		}
	}
}

// A file of little more than what opening asks for takes one request more, in whatever
// order it is read; of a larger one only what is read is asked for.
func TestFewRequestsForSmallFiles(t *testing.T) {
	for _, c := range []struct{ size, requests, bytes int }{{300_200, 2, 300_200}, {2_000_000, 4, firstBytes + 3*100}} {
		w := newWorld(t)
		data := pattern(c.size)
		b, s, err := openFile(t, w, content(data, `"v1"`))
		require.NoError(t, err)
		for _, at := range []int64{300_000, 100_000, 200_000} {
			got := make([]byte, 100)
			_, err := b.ReadAt(got, at)
			require.NoError(t, err)
			require.Equal(t, data[at:at+100], got)
		}
		require.Equal(t, c.requests, w.count("cdn.example:443"), c.size)
		require.Equal(t, int64(c.bytes), s.Transferred())
	}
}
