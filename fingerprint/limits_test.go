package fingerprint

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// many has n tensors as a network of many experts has them.
func many(n int) *Fingerprint {
	f := &Fingerprint{Version: currentVersion, Complete: true, Parameters: 1 << 40}
	for i := range n {
		t := TensorPrint{Name: fmt.Sprintf("model.layers.%d.mlp.experts.%d.%s.weight", i/1152, i%1152/3, []string{"down_proj", "gate_proj", "up_proj"}[i%3]), DType: "BF16", Shape: []int64{2048, 7168}}
		t.Values[0], t.Values[1], t.Values[2], t.Values[31] = byte(i), byte(i>>8), byte(i>>16), 1
		f.Tensors = append(f.Tensors, t)
	}
	slices.SortFunc(f.Tensors, func(a, b TensorPrint) int { return strings.Compare(a.Name, b.Name) })
	return f
}

// The largest networks there are can be written and read back.
func TestManyTensors(t *testing.T) {
	for _, n := range []int{69120, 139583, int(limitTensors.most)} {
		var b bytes.Buffer
		f := many(n)
		_, err := f.WriteTo(&b)
		require.NoError(t, err)
		got, err := Decode(b.Bytes())
		require.NoError(t, err)
		require.Len(t, got.Tensors, n)
		require.Equal(t, f.Tensors[n-1], got.Tensors[n-1])
	}
}

// What a reader would refuse is not written.
func TestWritersRefuseWhatReadersRefuse(t *testing.T) {
	for name, change := range map[string]func(f *Fingerprint){
		"tensors":    func(f *Fingerprint) { f.Tensors = make([]TensorPrint, limitTensors.most+1) },
		"name":       func(f *Fingerprint) { f.Tensors[0].Name = strings.Repeat("x", int(limitText.most)+1) },
		"type":       func(f *Fingerprint) { f.Tensors[0].DType = strings.Repeat("x", int(limitText.most)+1) },
		"rank":       func(f *Fingerprint) { f.Tensors[0].Shape = make([]int64, limitRank.most+1) },
		"dimension":  func(f *Fingerprint) { f.Tensors[0].Shape[0] = -1 },
		"parameters": func(f *Fingerprint) { f.Parameters = math.MinInt64 },
		"kinds":      func(f *Fingerprint) { f.Kinds = make([]KindPrint, limitKinds.most+1) },
		"sketches":   func(f *Fingerprint) { f.Sketches = make([]Sketch, limitSketches.most+1) },
		"length":     func(f *Fingerprint) { f.Sketches = []Sketch{{Length: int(limitLength.most) + 1}} },
		"width":      func(f *Fingerprint) { f.Sketches = []Sketch{{Dim: int(limitWidth.most) + 1}} },
		"probed":     func(f *Fingerprint) { f.Probes = make([]Probes, limitProbed.most+1) },
		"vocabulary": func(f *Fingerprint) {
			f.Tokens = &Tokens{Rows: []int{1, 2}, Vocabulary: int(limitVocabulary.most) + 1, Signs: []uint64{0}}
		},
		"bytes": func(f *Fingerprint) {
			f.Tensors = slices.Clone(f.Tensors[:1])
			for i := range 1 << 14 {
				f.Tensors = append(f.Tensors, TensorPrint{Name: fmt.Sprint(i, strings.Repeat("x", 3<<10))})
			}
		},
		"a moment that is no number": func(f *Fingerprint) {
			f.Tensors[0].Stats = &Stats{Moments: [len(Stats{}.Moments)]float64{math.NaN()}}
		},
		"a unit that is not there": func(f *Fingerprint) { f.Probes = []Probes{{Length: 2, Units: []int{2}, Profile: []uint64{1}}} },
	} {
		t.Run(name, func(t *testing.T) {
			f := many(3)
			change(f)
			_, readable := Decode(f.encode())
			require.Error(t, readable)
			var b bytes.Buffer
			n, err := f.WriteTo(&b)
			require.Error(t, err)
			require.Zero(t, n)
			require.Empty(t, b.Bytes())
			if name[0] != 'a' {
				require.ErrorIs(t, err, ErrLimit)
				require.ErrorContains(t, err, "at most")
			}
		})
	}
}

// At its limit every number is written, and read back.
func TestLimitsAreInclusive(t *testing.T) {
	f := many(2)
	f.Tensors[0].Name, f.Tensors[0].DType = strings.Repeat("a", int(limitText.most)), strings.Repeat("b", int(limitText.most))
	f.Tensors[1].Shape = make([]int64, limitRank.most)
	f.Tensors[1].Shape[0], f.Parameters = 1<<62, 1<<62
	f.Kinds = make([]KindPrint, limitKinds.most)
	f.Sketches = make([]Sketch, limitSketches.most)
	f.Sketches[0].Length, f.Sketches[0].Dim = int(limitLength.most), int(limitWidth.most)
	f.Probes = make([]Probes, limitProbed.most)
	f.Probes[0].Length = int(limitUnits.most)
	var b bytes.Buffer
	_, err := f.WriteTo(&b)
	require.NoError(t, err)
	got, err := Decode(b.Bytes())
	require.NoError(t, err)
	require.Equal(t, f.Tensors[1].Shape, got.Tensors[1].Shape)
}

// Fits says no where writing would, and before anything is read.
func TestFits(t *testing.T) {
	for _, c := range []struct {
		n    int
		name string
		fits bool
	}{{3, "a", true}, {3, strings.Repeat("x", int(limitText.most)-1), true}, {3, strings.Repeat("x", int(limitText.most)), false}, {int(limitTensors.most) + 1, "", false}} {
		var m listed
		for i := range c.n {
			name := fmt.Sprint(i)
			if c.name != "" {
				name = c.name + fmt.Sprint(i)
			}
			m = append(m, &tensor.Tensor{Name: name, Shape: []int64{1}})
		}
		if c.fits {
			require.NoError(t, Fits(m))
		} else {
			require.ErrorIs(t, Fits(m), ErrLimit)
		}
	}
}

// listed is a model of which only the list of tensors is asked for.
type listed []*tensor.Tensor

func (l listed) Tensors() []*tensor.Tensor            { return l }
func (l listed) Tensor(string) (*tensor.Tensor, bool) { return nil, false }
func (l listed) Metadata() tensor.Metadata            { return nil }
