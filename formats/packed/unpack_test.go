package packed_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/packtest"
)

// gaussian is a matrix of weights.
func gaussian(name string, rows, cols int) packtest.Matrix {
	r := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
	m := packtest.Matrix{Name: name, Rows: rows, Cols: cols, V: make([]float32, rows*cols)}
	for i := range m.V {
		m.V[i] = float32(r.NormFloat64() * 0.02)
	}
	return m
}

// of finds one of packtest's layouts.
func of(name string) packtest.Layout {
	for _, l := range packtest.Layouts {
		if l.Name == name {
			return l
		}
	}
	panic(name)
}

// meta is a configuration as formats flattens it.
func meta(config map[string]any) tensor.Metadata {
	m := tensor.Metadata{}
	for k, v := range config {
		switch v := v.(type) {
		case int:
			m["config.quantization_config."+k] = int64(v)
		case []int:
			m["config.quantization_config."+k] = &tensor.List{Len: len(v), Floats: func() ([]float64, error) {
				out := make([]float64, len(v))
				for i, x := range v {
					out[i] = float64(x)
				}
				return out, nil
			}}
		default:
			m["config.quantization_config."+k] = v
		}
	}
	return m
}

func unpack(t testing.TB, m tensor.Model) *packed.Model {
	t.Helper()
	out, err := packed.Unpack(context.Background(), m)
	require.NoError(t, err)
	require.NotNil(t, out)
	return out
}

// Every value lies within half a step of what was packed, in whatever pieces
// it is read.
func TestWithinHalfAStep(t *testing.T) {
	for _, l := range packtest.Layouts {
		t.Run(l.Name, func(t *testing.T) {
			var f packtest.Folder
			a, b := gaussian("layers.0.up_proj", 48, 96), gaussian("layers.0.down_proj", 96, 160)
			l.Pack(&f, a)
			l.Pack(&f, b)
			f.Floats("norm.weight", make([]float32, 96), 96)
			m := unpack(t, f.Model(meta(l.Config)))
			require.Empty(t, m.Warnings)
			require.Equal(t, 2, m.Packed)
			require.Len(t, m.Tensors(), 3)
			formatstest.Model(t, m)
			for _, want := range []packtest.Matrix{a, b} {
				x, ok := m.Tensor(want.Name + ".weight")
				require.True(t, ok)
				require.Equal(t, []int64{int64(want.Rows), int64(want.Cols)}, x.Shape)
				got, step := make([]float32, x.Len()), make([]float32, x.Len())
				require.NoError(t, x.Data.ReadValues(context.Background(), got, 0))
				require.NoError(t, x.Data.(tensor.Lattice).ReadSteps(context.Background(), step, 0))
				beyond := 0
				for i, v := range want.V {
					if math.Abs(float64(got[i]-v)) > float64(step[i])*0.502 {
						beyond++
					}
				}
				require.LessOrEqual(t, beyond, len(got)/200, "values further than half a step away")
			}
		})
	}
}

// counter counts the bytes that a reader gives.
type counter struct {
	*bytes.Reader
	bytes, reads int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.bytes += int64(len(p))
	c.reads++
	return c.Reader.ReadAt(p, off)
}

// A few rows cost what they need: one word of eight codes for GPTQ, eight
// rows' words for AWQ, and their own bytes where rows lie together.
func TestRowsCostWhatTheyNeed(t *testing.T) {
	const rows, cols = 1024, 2048
	for name, most := range map[string]int64{"gptq": 1, "awq": 8, "nf4": 1, "fp8-block": 1, "mlx": 1} {
		l := of(name)
		var f packtest.Folder
		l.Pack(&f, gaussian("up_proj", rows, cols))
		stored := f.Model(meta(l.Config))
		m := unpack(t, stored)
		x, _ := m.Tensor("up_proj.weight")
		index := int64(0)
		var all []*counter
		for _, p := range stored.Tensors() {
			s := p.Data.(*tensor.Stored)
			raw := make([]byte, s.Bytes)
			require.NoError(t, s.ReadRaw(raw, 0))
			c := &counter{Reader: bytes.NewReader(raw)}
			s.R = c
			all = append(all, c)
			if p.Name == "up_proj.g_idx" {
				index = s.Bytes // read once, whatever the rows
			}
		}
		row := make([]float32, cols)
		for _, r := range []int64{3, 500, 501, 1023} {
			require.NoError(t, x.ReadRows(context.Background(), row, r, 1))
		}
		read := int64(0)
		for _, c := range all {
			read += c.bytes
		}
		fair := x.StoredBytes() / rows * 4
		require.LessOrEqual(t, read-index, fair*most*5/4+4096, "%s: %d bytes of %d", name, read, x.StoredBytes())
	}
}

// words is a 32-bit tensor of one repeated value.
func words(v uint32, n int) []byte {
	out := make([]byte, 0, 4*n)
	for range n {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

// The version of GPTQ's zero-points comes from the configuration, else from
// the data; doubts are told.
func TestZeroPointVersions(t *testing.T) {
	first, second := of("gptq"), of("gptq-v2-act-order")
	for _, c := range []struct {
		name    string
		layout  packtest.Layout
		declare string
		warns   string
	}{
		{"first, declared", first, "gptq", ""},
		{"second, declared", second, "gptq_v2", ""},
		{"first, undeclared", first, "", ""},
		{"second, undeclared", second, "", "speak for the second"},
		{"first, declared as second", first, "gptq_v2", "speak for version 1"},
		{"second, declared as first", second, "gptq", "speak for version 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f packtest.Folder
			w := gaussian("up_proj", 256, 512)
			c.layout.Pack(&f, w)
			config := meta(c.layout.Config)
			delete(config, "config.quantization_config.checkpoint_format")
			if c.declare != "" {
				config["config.quantization_config.checkpoint_format"] = c.declare
			}
			m := unpack(t, f.Model(config))
			if c.warns == "" {
				require.Empty(t, m.Warnings)
			} else {
				require.Len(t, m.Warnings, 1)
				require.Contains(t, m.Warnings[0], c.warns)
			}
			x, _ := m.Tensor("up_proj.weight")
			got := make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), got, 0))
			sum := 0.0
			for i, v := range w.V {
				sum += float64(got[i] - v)
			}
			wrong := c.declare != "" && c.warns != ""
			require.Equal(t, wrong, math.Abs(sum/float64(len(got))) > 1e-3, "mean error %g", sum/float64(len(got)))
		})
	}
}

// Symmetric files of either version are told apart with certainty.
func TestSymmetricZeroPoints(t *testing.T) {
	for _, c := range []struct {
		stored uint32
		want   float32 // of code 9 with scale 1
		warns  int
	}{{0x77777777, 1, 0}, {0x88888888, 1, 1}, {0xffffffff, 9, 2}} {
		var f packtest.Folder
		f.Add("a.qweight", "I32", words(0x99999999, 4*16), 4, 16)
		f.Add("a.qzeros", "I32", words(c.stored, 2), 1, 2)
		f.Add("a.scales", "F32", words(math.Float32bits(1), 16), 1, 16)
		m := unpack(t, f.Model(tensor.Metadata{"config.quantization_config.quant_method": "gptq", "config.quantization_config.group_size": int64(-1)}))
		x, _ := m.Tensor("a.weight")
		got := make([]float32, x.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), got, 0))
		require.Equal(t, c.want, got[17])
		require.Len(t, m.Warnings, c.warns, "%v", m.Warnings)
	}
}

// Without a configuration names and shapes tell the layout, and a warning
// says so.
func TestWithoutConfiguration(t *testing.T) {
	for _, l := range packtest.Layouts {
		var f packtest.Folder
		l.Pack(&f, gaussian("up_proj", 128, 256))
		want := unpack(t, f.Model(meta(l.Config)))
		f.Floats("norm.weight", make([]float32, 256), 256)
		got := unpack(t, f.Model(tensor.Metadata{}))
		require.NotEmpty(t, got.Warnings, l.Name)
		x, _ := want.Tensor("up_proj.weight")
		y, _ := got.Tensor("up_proj.weight")
		a, b := make([]float32, x.Len()), make([]float32, y.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), a, 0))
		require.NoError(t, y.Data.ReadValues(context.Background(), b, 0))
		require.Equal(t, a, b, l.Name)
	}
}

func TestNothingPacked(t *testing.T) {
	var f packtest.Folder
	f.Floats("a.weight", make([]float32, 6), 2, 3)
	m, err := packed.Unpack(context.Background(), f.Model(tensor.Metadata{}))
	require.NoError(t, err)
	require.Nil(t, m)
}

// MXFP8 is told by its data, whatever the configuration calls it; another layout
// under a method that is not known stays refused.
func TestMXFP8ByData(t *testing.T) {
	codes := make([]byte, 2*64)
	codes[0], codes[33], codes[127] = 0x38, 0xb8, 0x7e // 1, -1, 448
	scales := []byte{127, 128, 126, 120}               // 1, 2, 1/2, 2⁻⁷
	want := make([]float32, 128)
	want[0], want[33], want[127] = 1, -2, 3.5
	for _, method := range []string{"", "mxfp8", "fp8", "mxfp4", "modelopt", "some-other"} {
		m := unpack(t, configured(tensor.Metadata{"config.quantization_config.quant_method": method}, piece{"a.weight", "F8_E4M3", shaped(2, 64), codes}, piece{"a.weight_scale", "U8", shaped(2, 2), scales}))
		require.Len(t, m.Tensors(), 1, method)
		got := make([]float32, 128)
		require.NoError(t, m.Tensors()[0].Data.ReadValues(context.Background(), got, 0))
		require.Equal(t, want, got, method)
	}
	for _, scale := range []piece{{"a.weight_scale", "U8", shaped(2, 4), nil}, {"a.weight_scale", "I32", shaped(2, 2), nil}} {
		_, err := packed.Unpack(context.Background(), configured(tensor.Metadata{"config.quantization_config.quant_method": "some-other"}, piece{"a.weight", "F8_E4M3", shaped(2, 64), codes}, scale))
		require.ErrorIs(t, err, tensor.ErrUnsupported)
	}
}
