package fingerprint_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/bitexact"
	"github.com/weightprint/weightprint/internal/zoo"
)

func model(seed uint64) *zoo.Model {
	s := zoo.Shape{Layers: 3, Hidden: 64, Width: 192, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 100, Untied: true}
	return zoo.Random(rand.New(rand.NewPCG(seed, 1)), s, zoo.Quirks{})
}

func print(t testing.TB, m *zoo.Model, o *fingerprint.Options) *fingerprint.Fingerprint {
	t.Helper()
	f, err := fingerprint.Compute(context.Background(), m, o)
	require.NoError(t, err)
	return f
}

func encode(t testing.TB, f *fingerprint.Fingerprint) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := f.WriteTo(&b)
	require.NoError(t, err)
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, o := range []*fingerprint.Options{nil, {SketchOnly: true}} {
		f := print(t, model(1), o)
		b := encode(t, f)
		got, err := fingerprint.Decode(b)
		require.NoError(t, err)
		require.Equal(t, b, encode(t, got))
		require.NotEmpty(t, got.Sketches)
		require.Equal(t, o == nil, got.Complete)
	}
}

// The root in a file is that of fingerprint.Root.
func TestRootAgrees(t *testing.T) {
	m := model(2)
	root, err := fingerprint.Root(context.Background(), m)
	require.NoError(t, err)
	require.Equal(t, root, print(t, m, nil).Root)
}

// Every changed byte and every truncation of twenty files is a typed error.
func TestEveryFlippedByteAndTruncationIsFound(t *testing.T) {
	files := 20
	if testing.Short() {
		files = 8
	}
	for i := range files {
		var f *fingerprint.Fingerprint
		if i < 4 { // small networks, one of them with sketches alone
			f = print(t, model(uint64(i)), &fingerprint.Options{SketchOnly: i == 0})
		} else {
			var err error
			f, err = fingerprint.Compute(context.Background(), bitexact.Input(3*i+1), nil)
			require.NoError(t, err)
		}
		b := encode(t, f)
		bad := bytes.Clone(b)
		for k := range b {
			bad[k] ^= 1 << (k % 8)
			typed(t, bad, i, k)
			typed(t, b[:k], i, k)
			bad[k] = b[k]
		}
		typed(t, append(b, 0), i, len(b))
	}
}

func typed(t *testing.T, b []byte, file, at int) {
	t.Helper()
	f, err := fingerprint.Decode(b)
	if f != nil || !errors.Is(err, fingerprint.ErrFile) && !errors.Is(err, fingerprint.ErrVersion) {
		require.Failf(t, "damage was not found", "file %d, byte %d: %v", file, at, err)
	}
}

// A file whose digest was made anew after a change is read or refused, never a
// panic, and what is read is canonical.
func TestChangedFilesWithTheirDigestMadeAnew(t *testing.T) {
	b := encode(t, print(t, model(1), nil))
	step := 1
	if testing.Short() {
		step = 5
	}
	for k := 0; k < len(b)-32; k += step {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(b[:len(b)-32])
			bad[k] ^= bit
			bad = fingerprint.Seal(bad)
			if f, err := fingerprint.Decode(bad); err == nil {
				require.Equal(t, bad, encode(t, f))
			} else {
				require.True(t, errors.Is(err, fingerprint.ErrFile) || errors.Is(err, fingerprint.ErrVersion), err)
			}
		}
	}
}

func TestFutureVersionIsRefused(t *testing.T) {
	b := encode(t, print(t, model(1), nil))
	b[8] = 3
	_, err := fingerprint.Decode(b)
	require.ErrorIs(t, err, fingerprint.ErrVersion)
}

func TestVerify(t *testing.T) {
	f := print(t, model(1), nil)
	d, err := f.Verify(context.Background(), model(1))
	require.NoError(t, err)
	require.Nil(t, d)
	d, err = f.Verify(context.Background(), model(2))
	require.NoError(t, err)
	require.NotNil(t, d)
	require.Contains(t, d.What, "values of rows 0 to")
}

func FuzzDecode(f *testing.F) {
	small := zoo.Random(rand.New(rand.NewPCG(1, 1)), zoo.Shape{Layers: 1, Hidden: 64, Width: 128, Heads: 2, KVHeads: 2, HeadDim: 32, Vocab: 40}, zoo.Quirks{})
	f.Add(encode(f, print(f, small, nil)))
	f.Add(encode(f, print(f, small, &fingerprint.Options{SketchOnly: true})))
	f.Add(encode(f, print(f, small, &fingerprint.Options{Version: 1})))
	tokens, err := fingerprint.Compute(context.Background(), bitexact.Input(0), nil)
	require.NoError(f, err)
	f.Add(encode(f, tokens))
	f.Add([]byte("WPRINT\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 8<<10 {
			return // nothing that a shorter one would not show
		}
		if n := len(b) - 32; n > 0 { // so that changes get behind the digest
			b = fingerprint.Seal(bytes.Clone(b[:n]))
		}
		if p, err := fingerprint.Decode(b); err == nil {
			require.Equal(t, b, encode(t, p))
		}
	})
}

// BenchmarkCompute fingerprints a stored bfloat16 network of 40 M parameters in
// memory.
func BenchmarkCompute(b *testing.B) {
	const hidden, width = 1024, 4096
	r := rand.New(rand.NewPCG(1, 1))
	m := joined{}
	add := func(name string, shape ...int64) {
		n, _ := tensor.Elements(shape)
		raw := make([]byte, 0, 2*n)
		for range n {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(math.Float32bits(float32(r.NormFloat64()))>>16))
		}
		m = append(m, &tensor.Tensor{Name: name, DType: tensor.BF16, Shape: shape, Data: &tensor.Stored{R: bytes.NewReader(raw), Bytes: 2 * n, DType: tensor.BF16}})
	}
	add("model.embed_tokens.weight", 4000, hidden)
	for l := range 3 {
		p := fmt.Sprintf("model.layers.%d.mlp.", l)
		add(p+"gate_proj.weight", width, hidden)
		add(p+"up_proj.weight", width, hidden)
		add(p+"down_proj.weight", hidden, width)
	}
	b.SetBytes(2 * (4000*hidden + 9*hidden*width))
	for b.Loop() {
		if _, err := fingerprint.Compute(context.Background(), m, &fingerprint.Options{Workers: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
