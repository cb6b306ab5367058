package packed

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// The tensors that carry the state of a 4-bit module as a JSON text.
const (
	stateNF4 = ".weight.quant_state.bitsandbytes__nf4"
	stateFP4 = ".weight.quant_state.bitsandbytes__fp4"
)

func isFourBit(m *module) bool {
	return m.has(stateNF4) || m.has(stateFP4) || m.has(".weight.absmax")
}

// fourBitState is the part of the state that decoding needs.
type fourBitState struct {
	QuantType       string  `json:"quant_type"`
	Blocksize       int64   `json:"blocksize"`
	Shape           []int64 `json:"shape"`
	NestedBlocksize int64   `json:"nested_blocksize"`
	NestedOffset    float64 `json:"nested_offset"`
}

// maxState bounds the JSON text: real ones have some 170 bytes.
const maxState = 4 << 10

// nf4 is the table of normal quantiles, fp4 that of 4-bit floats in twelfths
// (bitsandbytes, functional.py). The stored table is used and checked with it.
var (
	nf4 = [16]float32{-1, -.6961928009986877, -.5250730514526367, -.39491748809814453, -.28444138169288635, -.18477343022823334, -.09105003625154495, 0,
		.07958029955625534, .16093020141124725, .24611230194568634, .33791524171829224, .44070982933044434, .5626170039176941, .7229568362236023, 1}
	fp4 = [16]float32{0, .0052083333, .6666667, 1, .33333333, .5, .16666667, .25, 0, -.0052083333, -.6666667, -1, -.33333333, -.5, -.16666667, -.25}
)

// openFourBit reads bitsandbytes' NF4 and FP4: blocks of the flattened matrix
// with an absolute maximum each, which may be quantised again.
func openFourBit(m *module) *tensor.Tensor {
	ending, dtype, usual := stateNF4, tensor.Named("NF4"), nf4
	if m.has(stateFP4) {
		ending, dtype, usual = stateFP4, tensor.Named("FP4"), fp4
	}
	st := m.state(ending)
	n, ok := tensor.Elements(st.Shape)
	m.require(ok && n > 0 && len(st.Shape) > 0 && len(st.Shape) <= 8, ending, "shape %v is none", st.Shape)
	w := m.part(".weight", anyRank)
	m.require(m.err != nil || w.StoredBytes() == n/2+n%2, ".weight", "%d bytes, a shape of %v has %d codes of 4 bits", w.s.Bytes, st.Shape, n)
	m.require(st.Blocksize > 0 && st.Blocksize <= 1<<20, ending, "blocksize %d", st.Blocksize)
	if m.err != nil {
		return nil
	}
	blocks := (n-1)/st.Blocksize + 1
	x := &matrix{
		what: fmt.Sprintf("bitsandbytes %v, blocks of %d", dtype, st.Blocksize), rows: 1, cols: n,
		codes:  &rowCodes{t: w, rowBytes: w.StoredBytes(), bits: 4, highFirst: true},
		groups: inOrder(st.Blocksize, blocks),
	}
	values := m.floats(m.part(".weight.quant_map", 1, tensor.F32), ".weight.quant_map", 16)
	x.book = newBook(values)
	for c, v := range values {
		if math.Abs(float64(v-usual[c])) > 1e-6 {
			m.warn("bitsandbytes: the stored table of %v is not the usual one (code %d is %v); the stored one was used", dtype, c, v)
			break
		}
	}
	m.absmax(x, st, blocks)
	if m.err != nil {
		return nil
	}
	return m.finish(x, m.stem+".weight", dtype, st.Shape...)
}

// state parses the JSON text.
func (m *module) state(ending string) (st fourBitState) {
	p := m.part(ending, 1, tensor.U8)
	if m.require(p.s.Bytes <= maxState, ending, "%d bytes, at most %d", p.s.Bytes, maxState); m.err != nil {
		return st
	}
	raw := make([]byte, p.s.Bytes)
	if err := p.s.ReadRaw(raw, 0); err != nil {
		m.err = err
		return st
	}
	if err := json.Unmarshal(raw, &st); err != nil {
		m.fail(tensor.ErrFormat, ending, "the state is no JSON text as expected: %v", err)
	}
	m.require(ending[len(ending)-3:] == st.QuantType, ending, "quant_type %q", st.QuantType)
	return st
}

// absmax sets the scales: plain numbers, or codes of a second table.
func (m *module) absmax(x *matrix, st fourBitState, blocks int64) {
	const ending = ".weight.absmax"
	p := m.part(ending, 1, tensor.F32, tensor.U8)
	m.shape(p, ending, blocks)
	if p.DType != tensor.U8 {
		x.scale = &table{t: p, groups: blocks, blockRows: 1}
		return
	}
	b := st.NestedBlocksize
	m.require(b > 0 && b <= 1<<20, ending, "nested_blocksize %d", b)
	b = max(1, b)
	outer := m.part(".weight.nested_absmax", 1, tensor.F32)
	m.shape(outer, ".weight.nested_absmax", (blocks-1)/b+1)
	values := m.floats(m.part(".weight.nested_quant_map", 1, tensor.F32), ".weight.nested_quant_map", 256)
	g := &nested{t: p, absmax: outer, block: b, offset: float32(st.NestedOffset)}
	copy(g.table[:], values)
	x.scale, x.slack = g, 1.0/(1<<7)
	x.what += ", nested scales"
}

// openLLMInt8 reads LLM.int8(): one scale a row, weight·SCB/127.
func openLLMInt8(m *module) *tensor.Tensor {
	w, s := m.part(".weight", 2, tensor.I8), m.part(".SCB", 1, tensor.F32)
	m.shape(s, ".SCB", w.Shape[0])
	if m.has(".weight_format") {
		format := m.floats(m.part(".weight_format", anyRank, tensor.U8), ".weight_format", 1)[0]
		if format != 0 {
			m.fail(tensor.ErrUnsupported, ".weight_format", "format %v: only rows in order (0) are read", format)
		}
	}
	x := &matrix{
		what: "bitsandbytes LLM.int8()", rows: w.Shape[0], cols: w.Shape[1],
		codes: &rowCodes{t: w, rowBytes: w.Shape[1], bits: 8}, book: bookI8,
		scale: &table{t: s, groups: 1, blockRows: 1}, groups: inOrder(w.Shape[1], 1), post: 1.0 / 127,
	}
	return m.finish(x, m.stem+".weight", tensor.PackedInt(8), w.Shape...)
}
