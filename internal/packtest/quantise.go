package packtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/x448/float16"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// Matrix is a matrix of rows × cols values, row by row.
type Matrix struct {
	Name       string // without ".weight"
	Rows, Cols int
	V          []float32
}

// group is the number of neighbouring columns that share a scale.
const group = 32

// Layout writes one matrix into a folder.
type Layout struct {
	Name   string
	Config map[string]any // quantization_config
	Pack   func(*Folder, Matrix)
}

// Layouts lists the layouts that can be written.
var Layouts = []Layout{
	{"gptq", map[string]any{"quant_method": "gptq", "bits": 4, "group_size": group, "desc_act": false, "sym": false, "checkpoint_format": "gptq"}, func(f *Folder, m Matrix) { gptq(f, m, 1, false, 0) }},
	{"gptq-v2-act-order", map[string]any{"quant_method": "gptq", "bits": 4, "group_size": group, "desc_act": true, "sym": false, "checkpoint_format": "gptq_v2"}, func(f *Folder, m Matrix) { gptq(f, m, 0, true, 0) }},
	{"awq", map[string]any{"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": true, "version": "gemm"}, awq},
	{"nf4", map[string]any{"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"}, func(f *Folder, m Matrix) { nf4(f, m, false) }},
	{"fp8-block", map[string]any{"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": []int{128, 128}}, fp8Block},
	{"nf4-nested", map[string]any{"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": true}, func(f *Folder, m Matrix) { nf4(f, m, true) }},
	{"mlx", map[string]any{"group_size": group, "bits": 4}, mlx},
}

// Corrected is GPTQ with what rounding took from a column given to the next
// one in part, as the method does: values move by more than half a step.
var Corrected = Layout{"gptq-corrected", Layouts[0].Config, func(f *Folder, m Matrix) { gptq(f, m, 1, false, 0.7) }}

// Quantise writes m into dir with every matrix of its layers packed and all
// other tensors as they are. config is the model's own configuration.
func Quantise(ctx context.Context, dir string, m tensor.Model, config []byte, l Layout) error {
	f := &Folder{Config: map[string]any{}}
	if err := json.Unmarshal(config, &f.Config); err != nil {
		return err
	}
	f.Config["quantization_config"] = l.Config
	for _, t := range m.Tensors() {
		v := make([]float32, t.Len())
		if err := t.Data.ReadValues(ctx, v, 0); err != nil {
			return err
		}
		stem, weight := strings.CutSuffix(t.Name, ".weight")
		if weight && len(t.Shape) == 2 && strings.Contains(t.Name, ".layers.") {
			l.Pack(f, Matrix{stem, int(t.Shape[0]), int(t.Shape[1]), v})
		} else {
			f.Floats(t.Name, v, t.Shape...)
		}
	}
	return f.Write(dir)
}

// affine rounds a group of values to 16 levels.
type affine struct {
	scale float32 // as stored, in half precision
	zero  int
}

func fit(at func(i int) float32, n int) affine {
	lo, hi := float32(0), float32(0)
	for i := range n {
		lo, hi = min(lo, at(i)), max(hi, at(i))
	}
	s := float16.Fromfloat32((hi - lo) / 15).Float32()
	if s == 0 {
		s = 1
	}
	return affine{s, clamp(-lo / s)}
}

func clamp(v float32) int { return int(math.Max(0, math.Min(15, math.RoundToEven(float64(v))))) }

func (a affine) code(v float32) int32 { return int32(clamp(v/a.scale + float32(a.zero))) }

func (a affine) value(code int32) float32 { return (float32(code) - float32(a.zero)) * a.scale }

// gptq packs codes along the columns and zero-points along the rows. less is
// what the version subtracts from zero-points; with actOrder neighbouring
// columns are in different groups. carry is the share of a column's error that
// the next one takes over.
func gptq(f *Folder, m Matrix, less int, actOrder bool, carry float32) {
	groups := m.Cols / group
	index := make([]int32, m.Cols)
	members := make([][]int, groups)
	for c := range index {
		g := c / group
		if actOrder {
			g = c * 7 % groups
			if c*7/groups%2 == 1 {
				g = groups - 1 - g
			}
		}
		index[c] = int32(g)
		members[g] = append(members[g], c)
	}
	words, zeros, scales := make([]int32, m.Cols/8*m.Rows), make([]int32, groups*m.Rows/8), make([]byte, 0, 2*groups*m.Rows)
	for g, cols := range members {
		for r := range m.Rows {
			a := fit(func(i int) float32 { return m.V[r*m.Cols+cols[i]] }, len(cols))
			scales = half(scales, a.scale)
			zeros[(g*m.Rows+r)/8] |= int32((a.zero-less)&15) << (4 * (r % 8))
			rest := float32(0)
			for _, c := range cols {
				v := m.V[r*m.Cols+c] + rest
				code := a.code(v)
				rest = carry * (v - a.value(code))
				words[c/8*m.Rows+r] |= code << (4 * (c % 8))
			}
		}
	}
	f.Add(m.Name+".qweight", "I32", i32s(words), int64(m.Cols/8), int64(m.Rows))
	f.Add(m.Name+".qzeros", "I32", i32s(zeros), int64(groups), int64(m.Rows/8))
	f.Add(m.Name+".scales", "F16", scales, int64(groups), int64(m.Rows))
	f.Add(m.Name+".g_idx", "I32", i32s(index), int64(m.Cols))
}

func half(b []byte, v float32) []byte {
	h := float16.Fromfloat32(v).Bits()
	return append(b, byte(h), byte(h>>8))
}

// awq packs eight rows in a word, in the order of its kernel.
func awq(f *Folder, m Matrix) {
	order := [8]int{0, 2, 4, 6, 1, 3, 5, 7}
	groups, per := m.Cols/group, m.Rows/8
	words, zeros, scales := make([]int32, m.Cols*per), make([]int32, groups*per), make([]byte, 0, 2*groups*m.Rows)
	nibble := map[int]int{}
	for n, o := range order {
		nibble[o] = 4 * n
	}
	for g := range groups {
		for r := range m.Rows {
			a := fit(func(i int) float32 { return m.V[r*m.Cols+g*group+i] }, group)
			scales = half(scales, a.scale)
			zeros[g*per+r/8] |= int32(a.zero) << nibble[r%8]
			for c := g * group; c < (g+1)*group; c++ {
				words[c*per+r/8] |= a.code(m.V[r*m.Cols+c]) << nibble[r%8]
			}
		}
	}
	f.Add(m.Name+".qweight", "I32", i32s(words), int64(m.Cols), int64(per))
	f.Add(m.Name+".qzeros", "I32", i32s(zeros), int64(groups), int64(per))
	f.Add(m.Name+".scales", "F16", scales, int64(groups), int64(m.Rows))
}

var nf4Table = []float32{-1, -.6961928009986877, -.5250730514526367, -.39491748809814453, -.28444138169288635, -.18477343022823334, -.09105003625154495, 0,
	.07958029955625534, .16093020141124725, .24611230194568634, .33791524171829224, .44070982933044434, .5626170039176941, .7229568362236023, 1}

// nearest is the code of the table's value nearest to v.
func nearest(table []float32, v float32) (best int) {
	for c, t := range table {
		if math.Abs(float64(t-v)) < math.Abs(float64(table[best]-v)) {
			best = c
		}
	}
	return best
}

// dynamic is the table of 8-bit scales: seven decades, each with twice the
// values of the one below.
func dynamic() []float32 {
	table := []float32{0, 1}
	for i := range 7 {
		n := 1 << i
		for k := range n {
			v := float32(math.Pow(10, float64(i-6)) * (0.1 + 0.9*(float64(k)+0.5)/float64(n)))
			table = append(table, v, -v)
		}
	}
	slices.Sort(table)
	return table
}

// nest rounds scales to codes of the dynamic table, in blocks of 256 around
// their mean, and returns what the state says of it.
func nest(f *Folder, name string, absmax []float32) string {
	const block = 256
	table := dynamic()
	sum := 0.0
	for _, v := range absmax {
		sum += float64(v)
	}
	offset := float32(sum / float64(len(absmax)))
	codes, outer := make([]byte, len(absmax)), []float32{}
	for at := 0; at < len(absmax); at += block {
		part := absmax[at:min(len(absmax), at+block)]
		largest := float32(1e-12)
		for _, v := range part {
			largest = max(largest, v-offset, offset-v)
		}
		outer = append(outer, largest)
		for i, v := range part {
			codes[at+i] = byte(nearest(table, (v-offset)/largest))
		}
	}
	f.Add(name+".weight.absmax", "U8", codes, int64(len(codes)))
	f.Add(name+".weight.nested_absmax", "F32", f32s(outer), int64(len(outer)))
	f.Add(name+".weight.nested_quant_map", "F32", f32s(table), 256)
	return fmt.Sprintf(`, "nested_blocksize": %d, "nested_dtype": "float32", "nested_offset": %.17g`, block, offset)
}

// nf4 packs two codes in a byte, the high nibble first, in blocks of 64.
func nf4(f *Folder, m Matrix, nested bool) {
	const block = 64
	absmax, codes := []float32{}, make([]byte, (len(m.V)+1)/2)
	for at := 0; at < len(m.V); at += block {
		part := m.V[at:min(len(m.V), at+block)]
		largest := float32(0)
		for _, v := range part {
			largest = max(largest, v, -v)
		}
		absmax = append(absmax, largest)
		for i, v := range part {
			codes[(at+i)/2] |= byte(nearest(nf4Table, v/max(largest, 1e-30))) << (4 * (1 - (at+i)%2))
		}
	}
	more := ""
	if nested {
		more = nest(f, m.Name, absmax)
	} else {
		f.Add(m.Name+".weight.absmax", "F32", f32s(absmax), int64(len(absmax)))
	}
	state := fmt.Sprintf(`{"quant_type": "nf4", "blocksize": %d, "dtype": "bfloat16", "shape": [%d, %d]%s}`, block, m.Rows, m.Cols, more)
	f.Add(m.Name+".weight", "U8", codes, int64(len(codes)), 1)
	f.Add(m.Name+".weight.quant_map", "F32", f32s(nf4Table), 16)
	f.Add(m.Name+".weight.quant_state.bitsandbytes__nf4", "U8", []byte(state), int64(len(state)))
}

// fp8Block scales blocks of 128 × 128 to the range of E4M3.
func fp8Block(f *Folder, m Matrix) {
	const side, largest = 128, 448
	h, w := (m.Rows+side-1)/side, (m.Cols+side-1)/side
	scale, scaled := make([]float32, h*w), make([]float32, len(m.V))
	for i, v := range m.V {
		b := i/m.Cols/side*w + i%m.Cols/side
		scale[b] = max(scale[b], v/largest, -v/largest)
	}
	for i, v := range m.V {
		scaled[i] = v / scale[i/m.Cols/side*w+i%m.Cols/side]
	}
	codes := make([]byte, len(m.V))
	quant.EncodeF8E4M3(codes, scaled)
	f.Add(m.Name+".weight", "F8_E4M3", codes, int64(m.Rows), int64(m.Cols))
	f.Add(m.Name+".weight_scale_inv", "F32", f32s(scale), int64(h), int64(w))
}

// mlx packs codes along each row with a scale and a bias for each group.
func mlx(f *Folder, m Matrix) {
	words := make([]int32, len(m.V)/8)
	var scales, biases []float32
	for at := 0; at < len(m.V); at += group {
		part := m.V[at : at+group]
		lo, hi := part[0], part[0]
		for _, v := range part {
			lo, hi = min(lo, v), max(hi, v)
		}
		s := max((hi-lo)/15, 1e-7)
		scales, biases = append(scales, s), append(biases, lo)
		for i, v := range part {
			words[(at+i)/8] |= int32(clamp((v-lo)/s)) << (4 * ((at + i) % 8))
		}
	}
	groups := int64(m.Cols / group)
	f.Add(m.Name+".weight", "U32", i32s(words), int64(m.Rows), int64(m.Cols/8))
	f.Add(m.Name+".scales", "F32", f32s(scales), int64(m.Rows), groups)
	f.Add(m.Name+".biases", "F32", f32s(biases), int64(m.Rows), groups)
}
