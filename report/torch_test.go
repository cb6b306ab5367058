package report_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// asTorch writes a folder with a model's values as pytorch_model.bin beside
// the small files of the model.
func asTorch(t testing.TB, from string) string {
	t.Helper()
	m, err := formats.Open(context.Background(), from, nil)
	require.NoError(t, err)
	defer m.Close()
	dir := t.TempDir()
	formatstest.WriteTorch(t, filepath.Join(dir, "pytorch_model.bin"), m)
	for _, name := range []string{"config.json", "tokenizer.json"} {
		if b, err := os.ReadFile(filepath.Join(from, name)); err == nil {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
	}
	return dir
}

// The same values in PyTorch's container are the same model, in both orders,
// and what is true of one container's copy is true of the other's.
func TestTorchIsAnotherContainer(t *testing.T) {
	demo := models(t)
	pairs := [][2]string{{filepath.Join(demo, "base"), filepath.Join(demo, "fine-tune")}}
	if zoo, ok := vectors.Shared(t, "zoo"); ok && !testing.Short() {
		pairs = append(pairs, [2]string{filepath.Join(zoo, "r1"), filepath.Join(zoo, "r1-ft-a")})
	}
	for _, pair := range pairs {
		base, child := pair[0], pair[1]
		torch := asTorch(t, base)
		for _, sides := range [][2]string{{base, torch}, {torch, base}, {torch, torch}} {
			r := compare(t, sides[0], sides[1], &report.Options{Budget: report.Full})
			if sides[0] == sides[1] {
				require.Equal(t, verdict.Identical, r.Verdict.Relation)
				continue
			}
			require.Equal(t, verdict.Reencoded, r.Verdict.Relation)
			require.Equal(t, []verdict.Kind{verdict.Repackaged}, r.Verdict.Kinds)
			require.Equal(t, r.Subjects[0].Root, r.Subjects[1].Root)
		}
		same, other := compare(t, base, child, nil), compare(t, torch, child, nil)
		require.Equal(t, same.Verdict.Relation, other.Verdict.Relation)
		require.Equal(t, same.Verdict.Log10P, other.Verdict.Log10P)
	}
}

// A view's digest is that of the same values in a row, whatever the strides,
// also for types that float32 does not hold.
func TestViewsHaveTheDigestOfTheirValues(t *testing.T) {
	ctx := context.Background()
	for _, name := range []string{"views.pt", "dtypes.pt"} {
		m, err := formats.Open(ctx, filepath.Join("../formats/torch/testdata", name), nil)
		require.NoError(t, err)
		defer m.Close()
		seen := map[fingerprint.Digest]string{}
		for _, x := range m.Tensors() {
			raw := make([]byte, x.StoredBytes())
			require.NoError(t, x.Data.(*tensor.Stored).ReadRaw(raw, 0))
			row := *x
			row.Data = &tensor.Stored{Name: x.Name, R: bytes.NewReader(raw), Bytes: x.StoredBytes(), DType: x.DType}
			want, err := fingerprint.Values(ctx, &row)
			require.NoError(t, err, x.Name)
			got, err := fingerprint.Values(ctx, x)
			require.NoError(t, err, x.Name)
			require.Equal(t, want, got, x.Name)
			if name == "dtypes.pt" {
				require.Empty(t, seen[got], "%s has the digest of %s", x.Name, seen[got])
			}
			seen[got] = x.Name
		}
	}
}

// Complex numbers of twice the width have the digest of the narrower ones only
// where these hold their values.
func TestComplexDigests(t *testing.T) {
	digest := func(d tensor.DType, raw []byte) fingerprint.Digest {
		v, err := fingerprint.Values(context.Background(), &tensor.Tensor{Name: "c", DType: d, Shape: []int64{1},
			Data: &tensor.Stored{Name: "c", R: bytes.NewReader(raw), Bytes: int64(len(raw)), DType: d}})
		require.NoError(t, err)
		return v
	}
	wide := func(re, im float64) []byte {
		b := binary.LittleEndian.AppendUint64(nil, math.Float64bits(re))
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(im))
	}
	narrow := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, math.Float32bits(0.5)), math.Float32bits(-2))
	require.Equal(t, digest(tensor.C64, narrow), digest(tensor.C128, wide(0.5, -2)))
	require.NotEqual(t, digest(tensor.C64, narrow), digest(tensor.C128, wide(0.5+1e-12, -2)))
}
