// Package formatstest is the conformance suite for readers of weight files:
// what every tensor.Model must keep, how a refusal must look, and how decoded
// values are compared with reference vectors.
package formatstest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

// Model checks what holds for every model: names are unique and found, rows,
// chunks and ranges agree, also when read side by side, and rows outside a
// tensor are refused.
func Model(t testing.TB, m tensor.Model) {
	t.Helper()
	ctx := context.Background()
	seen := map[string]bool{}
	for _, x := range m.Tensors() {
		require.False(t, seen[x.Name], "two tensors are called %q", x.Name)
		seen[x.Name] = true
		found, ok := m.Tensor(x.Name)
		require.True(t, ok)
		require.Same(t, x, found)
		require.Equal(t, x.Rows()*x.Cols(), x.Len(), x.Name)
		require.Error(t, x.ReadRows(ctx, make([]float32, x.Cols()), x.Rows(), 1), "%s: a row beyond the last", x.Name)
		if x.DType == tensor.Opaque {
			require.ErrorIs(t, x.Data.ReadValues(ctx, make([]float32, 1), 0), tensor.ErrUnsupported, x.Name)
			continue
		}
		readings(t, ctx, x)
	}
	_, ok := m.Tensor("no such tensor")
	require.False(t, ok)
}

// readings compares the ways to read one tensor.
func readings(t testing.TB, ctx context.Context, x *tensor.Tensor) {
	t.Helper()
	all := make([]float32, x.Len())
	require.NoError(t, x.Data.ReadValues(ctx, all, 0), x.Name)
	var chunked []float32
	for part, err := range x.Chunks(ctx, make([]float32, 7)) {
		require.NoError(t, err, x.Name)
		chunked = append(chunked, part...)
	}
	vectors.Equal(t, all, chunked, x.Name+" in chunks")
	r := rand.New(rand.NewPCG(uint64(len(all)), 1))
	var wg sync.WaitGroup
	for range 4 {
		if x.Rows() == 0 || x.Cols() == 0 {
			break
		}
		first := r.Int64N(x.Rows())
		n := 1 + r.Int64N(x.Rows()-first)
		wg.Go(func() {
			rows := make([]float32, n*x.Cols())
			if err := x.ReadRows(ctx, rows, first, n); err != nil {
				t.Errorf("%s rows [%d, %d): %v", x.Name, first, first+n, err)
				return
			}
			for i, v := range rows {
				if w := all[first*x.Cols()+int64(i)]; v != w && !(v != v && w != w) {
					t.Errorf("%s rows [%d, %d): value %d is %v, want %v", x.Name, first, first+n, i, v, w)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Refused requires that open refuses the file at path as a reader must: with
// a typed error that names file, place, field and rule, within 100 ms, and
// allocating no more than the file's size and 1 MiB.
func Refused(t testing.TB, path, what string, open func(path string) error) {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	size := info.Size()
	if info.IsDir() {
		size = folderSize(t, path)
	}
	took, allocated := measured(func() { err = open(path) })
	require.Error(t, err, "%s: %s", path, what)
	var fe *tensor.FormatError
	require.ErrorAs(t, err, &fe, path)
	require.NotEmpty(t, fe.File, path)
	require.NotEmpty(t, fe.Field, "%s: %v", path, err)
	require.NotEmpty(t, fe.Rule, path)
	require.True(t, classed(err), "%s: %v has no class", path, err)
	require.Less(t, took, 100*time.Millisecond, path)
	require.LessOrEqual(t, allocated, uint64(size+1<<20), "%s: bytes allocated", path)
}

// measured runs f and returns its time and the bytes it allocated, the
// smaller of two runs each: other work on the machine counts in both.
func measured(f func()) (took time.Duration, allocated uint64) {
	took, allocated = math.MaxInt64, math.MaxUint64
	for range 2 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		f()
		took = min(took, time.Since(start))
		runtime.ReadMemStats(&after)
		allocated = min(allocated, after.TotalAlloc-before.TotalAlloc)
	}
	return took, allocated
}

func classed(err error) bool {
	for _, c := range []error{tensor.ErrFormat, tensor.ErrLimit, tensor.ErrUnsupported, tensor.ErrNotModel, tensor.ErrChanged, io.ErrUnexpectedEOF, os.ErrNotExist} {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}

func folderSize(t testing.TB, path string) (n int64) {
	t.Helper()
	require.NoError(t, filepath.Walk(path, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			n += info.Size()
		}
		return err
	}))
	return n
}

// Expected is what the reference vectors say of one tensor.
type Expected struct {
	Name   string
	Type   string
	DType  string
	Shape  []int64
	SHA    string `json:"f32_sha256"` // over the values as little-endian float32
	F32    string // file of the values
	NaN    int
	RawSHA string `json:"raw_sha256"` // over the stored bytes
}

// Values compares the tensors with the vectors in a folder: all values, bit
// for bit, from the file of values or, where that was left out, by digest.
func Values(t testing.TB, dir string, tensors []*tensor.Tensor, want []Expected) {
	t.Helper()
	require.Len(t, tensors, len(want), dir)
	for i, w := range want {
		x := tensors[i]
		require.Equal(t, w.Name, x.Name, dir)
		if w.Shape != nil {
			require.Equal(t, w.Shape, x.Shape, w.Name)
		}
		if typ := w.Type + w.DType; typ != "" {
			require.Equal(t, typ, x.DType.String(), w.Name)
		}
		stored(t, x, w)
		decoded(t, dir, x, w)
	}
}

func stored(t testing.TB, x *tensor.Tensor, w Expected) {
	t.Helper()
	if s, ok := x.Stored(); ok && w.RawSHA != "" {
		raw := make([]byte, s.Bytes)
		require.NoError(t, s.ReadRaw(raw, 0), w.Name)
		sum := sha256.Sum256(raw)
		require.Equal(t, w.RawSHA, hex.EncodeToString(sum[:]), w.Name)
	}
}

func decoded(t testing.TB, dir string, x *tensor.Tensor, w Expected) {
	t.Helper()
	if w.F32 == "" && w.SHA == "" {
		return
	}
	values := make([]float32, x.Len())
	require.NoError(t, x.Data.ReadValues(context.Background(), values, 0), w.Name)
	if path := filepath.Join(dir, w.F32); w.F32 != "" {
		if _, err := os.Stat(path); err == nil {
			vectors.Equal(t, vectors.Floats(t, path), values, w.Name)
			return
		}
	}
	require.Zero(t, w.NaN, "%s: a digest can stand for values without NaN only", w.Name)
	require.Equal(t, w.SHA, Digest(values), w.Name)
}

// Digest is the SHA-256 over values as little-endian float32, in hexadecimal.
func Digest(values []float32) string {
	h := sha256.New()
	var b [4]byte
	for _, v := range values {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
