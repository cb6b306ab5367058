package torch

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

const zeroFolder = "testdata/zero3"

// zeroParts are the files of the three ranks of the vectors.
func zeroParts(t testing.TB) (models, optimisers []*Part) {
	for rank := range 3 {
		for _, x := range []struct {
			name string
			to   *[]*Part
		}{{"zero_pp_rank_%d_mp_rank_00_model_states.pt", &models}, {"bf16_zero_pp_rank_%d_mp_rank_00_optim_states.pt", &optimisers}} {
			b := load(t, filepath.Join(zeroFolder, "global_step4", fmt.Sprintf(x.name, rank)))
			*x.to = append(*x.to, &Part{bytes.NewReader(b), fmt.Sprintf(x.name, rank), int64(len(b))})
		}
	}
	return models, optimisers
}

// rewritten is an archive in whose description a text was replaced.
func rewritten(t testing.TB, b []byte, from, to string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	var members []member
	for _, e := range r.File {
		f, err := e.Open()
		require.NoError(t, err)
		data, err := io.ReadAll(f)
		require.NoError(t, err)
		if strings.HasSuffix(e.Name, "data.pkl") {
			require.Contains(t, string(data), from)
			data = bytes.ReplaceAll(data, []byte(from), []byte(to))
		}
		members = append(members, file(e.Name, data))
	}
	return zipped(members)
}

// Every value is what DeepSpeed's own script makes of the files.
func TestZeRO(t *testing.T) {
	var v vector
	vectors.JSON(t, zeroFolder+"/expected.json", &v)
	floats := vectors.Floats(t, zeroFolder+"/expected.f32")
	models, optimisers := zeroParts(t)
	f, err := ReadZeRO(t.Context(), models, optimisers)
	require.NoError(t, err)
	require.Len(t, f.Tensors(), len(v.Tensors))
	for _, w := range v.Tensors {
		x, ok := f.Tensor(w.Name)
		require.True(t, ok, w.Name)
		require.Equal(t, w.Shape, x.Shape, w.Name)
		require.Equal(t, w.DType, x.DType.String(), w.Name)
		raw := make([]byte, x.StoredBytes())
		require.NoError(t, x.Data.(*tensor.Stored).ReadRaw(raw, 0))
		sum := sha256.Sum256(raw)
		require.Equal(t, w.RawSHA, hex.EncodeToString(sum[:]), w.Name)
		values := make([]float32, x.Len())
		for i := range values { // one by one: shares begin anywhere
			require.NoError(t, x.Data.ReadValues(context.Background(), values[i:i+1], int64(i)))
		}
		vectors.Equal(t, floats[:len(values)], values, w.Name)
		floats = floats[len(values):]
	}
	require.Empty(t, floats)
}

// Files that do not make up a checkpoint are refused.
func TestZeROHostile(t *testing.T) {
	models, optimisers := zeroParts(t)
	edited := func(parts []*Part, rank int, from, to string) []*Part {
		t.Helper()
		b := make([]byte, parts[rank].Size)
		_, err := parts[rank].ReadAt(b, 0)
		require.NoError(t, err)
		b = rewritten(t, b, from, to)
		out := slices.Clone(parts)
		out[rank] = &Part{bytes.NewReader(b), parts[rank].Label, int64(len(b))}
		return out
	}
	for _, c := range []struct {
		name               string
		models, optimisers []*Part
		class              error
		says               string
	}{
		{"a rank missing", models[:2], optimisers[:2], tensor.ErrFormat, "partition_count"},
		{"one optimiser missing", models, optimisers[:2], tensor.ErrFormat, "3 files of models and 2"},
		{"none", nil, nil, tensor.ErrFormat, "0 files"},
		{"models for optimisers", models, models, tensor.ErrUnsupported, "fp32_flat_groups"},
		{"optimisers for models", optimisers, optimisers, tensor.ErrFormat, "param_shapes"},
		{"no groups", models, edited(optimisers, 1, "fp32_flat_groups", "fp32_flat_groupz"), tensor.ErrUnsupported, "fp32_flat_groups"},
		{"a larger shape", edited(models, 0, "K\x07K\x05", "K\xffK\xff"), optimisers, tensor.ErrFormat, "are left for its share"},
		{"a smaller shape", edited(models, 0, "K\x07K\x05", "K\x01K\x05"), optimisers, tensor.ErrFormat, "elements of each rank"},
		{"a name twice", edited(models, 0, "layers.1.q.weight", "layers.0.q.weight"), optimisers, tensor.ErrFormat, "two entries"},
		{"ranks of other lengths", models, edited(optimisers, 1, "K\x15", "K\x14"), tensor.ErrFormat, "bf16_zero_pp_rank_1"},
		{"a fragment that is not there", edited(models, 2, "frozen_param_fragments", "frozen_param_fragmentz"), optimisers, tensor.ErrFormat, "rank 2"},
		{"no shapes", edited(models, 0, "param_shapes", "param_shapez"), optimisers, tensor.ErrFormat, "param_shapes"},
	} {
		_, err := ReadZeRO(t.Context(), c.models, c.optimisers)
		require.ErrorIs(t, err, c.class, c.name)
		require.ErrorContains(t, err, c.says, c.name)
	}
}

// Whatever one rank's files hold, there is a model within its bounds or an error.
func FuzzZeRO(f *testing.F) {
	models, optimisers := zeroParts(f)
	whole := func(p *Part) []byte {
		b := make([]byte, p.Size)
		_, err := p.ReadAt(b, 0)
		require.NoError(f, err)
		return b
	}
	f.Add(whole(models[0]), whole(optimisers[0]))
	f.Add(whole(models[1]), whole(optimisers[2]))
	f.Fuzz(func(t *testing.T, model, optimiser []byte) {
		ms, os := slices.Clone(models), slices.Clone(optimisers)
		ms[0] = &Part{bytes.NewReader(model), "model", int64(len(model))}
		os[0] = &Part{bytes.NewReader(optimiser), "optimiser", int64(len(optimiser))}
		m, err := ReadZeRO(t.Context(), ms, os)
		if err != nil {
			return
		}
		for _, x := range m.Tensors() {
			if x.Len() < 1<<16 {
				require.NoError(t, x.Data.ReadValues(t.Context(), make([]float32, x.Len()), 0), x.Name)
			}
		}
	})
}
