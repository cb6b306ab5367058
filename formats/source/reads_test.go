package source

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Whatever is read, in whatever order and by however many at once, is what the
// file holds, also where the cache is far too small.
func TestReadsAreExact(t *testing.T) {
	data := pattern(3 << 20)
	for i, kept := range []int64{1 << 10, 300 << 10, 0} {
		w := newWorld(t)
		w.http2 = i == 1
		w.serve("cdn.example:443", false, content(data, `"v1"`))
		o := w.options()
		o.CacheBytes = kept
		places, err := Find(context.Background(), "https://cdn.example/m.gguf", o)
		require.NoError(t, err)
		b, err := places[0].Folder.Open(context.Background(), "m.gguf")
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range 4 {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			wg.Go(func() {
				for range 60 {
					lo := r.IntN(len(data))
					p := make([]byte, r.IntN(min(200_000, len(data)-lo)+1))
					if r.IntN(3) == 0 {
						spans := []tensor.Span{{Lo: int64(lo), Hi: int64(lo + len(p))}, {Lo: int64(r.IntN(len(data))), Hi: int64(len(data) + 9)}, {Lo: -5, Hi: 10}}
						if err := b.(tensor.Fetcher).Fetch(context.Background(), spans[:1+r.IntN(3)]); err != nil {
							t.Error(err)
						}
					}
					if n, err := b.ReadAt(p, int64(lo)); err != nil || n != len(p) || !bytes.Equal(p, data[lo:lo+len(p)]) {
						t.Errorf("reading %d at %d: %d, %v", len(p), lo, n, err)
					}
				}
			})
		}
		wg.Wait()
		c := b.(*Remote).kept.cache
		require.LessOrEqual(t, c.held, c.most)
		require.Empty(t, b.(*Remote).flights)
		// Behind the end, and after closing.
		n, err := b.ReadAt(make([]byte, 10), int64(len(data)-3))
		require.Equal(t, 3, n)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, b.Close())
		require.Zero(t, c.held)
		_, err = b.ReadAt(make([]byte, 10), 1<<20)
		require.Error(t, err)
	}
}

// Rows that are announced cost their own bytes, near ones one request together.
func TestFetchIsFrugal(t *testing.T) {
	data := pattern(4 << 20)
	w := newWorld(t)
	b, s, err := openFile(t, w, content(data, `"v1"`))
	require.NoError(t, err)
	before, requests := s.Transferred(), w.count("cdn.example:443")
	var spans []tensor.Span
	for i := range 50 {
		at := int64(200_000 + i*50_000)
		spans = append(spans, tensor.Span{Lo: at, Hi: at + 4096}, tensor.Span{Lo: at + 4096 + 500, Hi: at + 4096 + 1000})
	}
	require.NoError(t, b.(tensor.Fetcher).Fetch(context.Background(), spans))
	require.Equal(t, requests+50, w.count("cdn.example:443"))
	require.Equal(t, before+50*(4096+1000), s.Transferred())
	for _, x := range spans {
		p := make([]byte, x.Hi-x.Lo)
		_, err := b.ReadAt(p, x.Lo)
		require.NoError(t, err)
		require.Equal(t, data[x.Lo:x.Hi], p)
	}
	require.Equal(t, requests+50, w.count("cdn.example:443"), "read from the cache")
}

// Someone who reads on and on is served ahead, and costs few requests.
func TestReadingOn(t *testing.T) {
	data := pattern(16 << 20)
	w := newWorld(t)
	b, s, err := openFile(t, w, content(data, `"v1"`))
	require.NoError(t, err)
	p := make([]byte, 64<<10)
	for off := int64(0); off < 12<<20; off += int64(len(p)) {
		_, err := b.ReadAt(p, off)
		require.NoError(t, err)
		require.Equal(t, data[off:off+int64(len(p))], p)
	}
	require.Less(t, w.count("cdn.example:443"), 40)
	require.LessOrEqual(t, s.Transferred(), int64(16<<20))
}

// A reader that is cancelled stops at once, and harms nobody else.
func TestCancelling(t *testing.T) {
	data := pattern(fileBytes)
	w := newWorld(t)
	var stall atomic.Bool
	b, _, err := openFile(t, w, func(rw http.ResponseWriter, r *http.Request) {
		if stall.Load() {
			<-r.Context().Done()
			return
		}
		content(data, `"v1"`)(rw, r)
	})
	require.NoError(t, err)
	stall.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	require.ErrorIs(t, b.(tensor.Fetcher).Fetch(ctx, []tensor.Span{{Lo: 100_000, Hi: 110_000}}), context.Canceled)
	require.Less(t, time.Since(start), 10*time.Second)
	stall.Store(false)
	_, err = b.ReadAt(make([]byte, 100), 100_000)
	require.NoError(t, err)

	// Closing ends what is under way.
	stall.Store(true)
	time.AfterFunc(50*time.Millisecond, func() { b.Close() })
	_, err = b.ReadAt(make([]byte, 100), 200_000)
	require.ErrorIs(t, err, context.Canceled)
	var known *tensor.FormatError
	require.ErrorAs(t, err, &known)
}

// No more requests than allowed are under way.
func TestInFlight(t *testing.T) {
	data := pattern(2 << 20)
	w := newWorld(t)
	var now, most atomic.Int64
	w.serve("cdn.example:443", false, func(rw http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(2 * time.Millisecond)
		content(data, `"v1"`)(rw, r)
	})
	o := w.options()
	o.InFlight = 3
	places, err := Find(context.Background(), "https://cdn.example/m.gguf", o)
	require.NoError(t, err)
	b, err := places[0].Folder.Open(context.Background(), "m.gguf")
	require.NoError(t, err)
	var spans []tensor.Span
	for i := range int64(60) {
		spans = append(spans, tensor.Span{Lo: 100_000 + i*10_000, Hi: 100_100 + i*10_000})
	}
	require.NoError(t, b.(tensor.Fetcher).Fetch(context.Background(), spans))
	require.LessOrEqual(t, most.Load(), int64(3))
	require.Greater(t, most.Load(), int64(1))
}
