package tensor

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// noting is a reader that notes what is announced.
type noting struct {
	io.ReaderAt
	mu    sync.Mutex
	spans []Span
	err   error
}

func (n *noting) Fetch(_ context.Context, spans []Span) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spans = append(n.spans, spans...)
	return n.err
}

// Values are announced as the whole blocks that hold them.
func TestFetchAnnouncesBlocks(t *testing.T) {
	for _, c := range []struct {
		dtype DType
		in    Span
		out   Span
	}{
		{BF16, Span{10, 30}, Span{100 + 20, 100 + 60}},
		{F32, Span{0, 1}, Span{100, 104}},
		{q4k, Span{256, 512}, Span{100 + 144, 100 + 288}},
		{q4k, Span{300, 301}, Span{100 + 144, 100 + 288}},
		{F4, Span{3, 4}, Span{101, 102}},
	} {
		r := &noting{}
		d := &Stored{R: r, Offset: 100, DType: c.dtype}
		require.NoError(t, Fetch(context.Background(), d, []Span{c.in}))
		require.Equal(t, []Span{c.out}, r.spans)
		want := Want{d, []Span{c.in}}
		require.LessOrEqual(t, want.Bytes(), c.out.Hi-c.out.Lo)
	}
	require.NoError(t, Fetch(context.Background(), &Stored{R: strings.NewReader("x"), DType: F32}, []Span{{0, 1}}))
	require.NoError(t, Fetch(context.Background(), &Stored{R: &noting{}, DType: Opaque}, []Span{{0, 1}}))
}

// Streaming announces every value once, and errors come through.
func TestChunksAnnounce(t *testing.T) {
	const n = 5 << 20
	r := &noting{ReaderAt: zeros{}}
	x := &Tensor{DType: BF16, Shape: []int64{n}, Data: &Stored{R: r, Bytes: 2 * n, DType: BF16}}
	for _, err := range x.Chunks(context.Background(), make([]float32, 10_000)) {
		require.NoError(t, err)
	}
	at := int64(0)
	for _, s := range r.spans {
		require.Equal(t, at, s.Lo)
		require.LessOrEqual(t, s.Hi-s.Lo, int64(FetchBytes))
		at = s.Hi
	}
	require.Equal(t, int64(2*n), at)
	r.err = errors.New("gone")
	for _, err := range x.Chunks(context.Background(), make([]float32, 10)) {
		require.ErrorIs(t, err, r.err)
	}
	require.ErrorIs(t, FetchAll(context.Background(), []Want{{x.Data, []Span{{0, 1}}}, {nil, nil}}), r.err)
}

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }
