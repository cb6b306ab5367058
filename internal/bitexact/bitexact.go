// Package bitexact makes 200 models from integers alone: the same bytes on every
// machine. Their fingerprints must have the same bits on every processor too;
// fingerprint/testdata/golden.txt lists their digests.
package bitexact

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Count is how many inputs there are.
const Count = 200

// Model is a model in memory whose tensors are stored bytes.
type Model struct {
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Tensors lists the tensors.
func (m *Model) Tensors() []*tensor.Tensor { return m.tensors }

// Tensor returns the tensor of that name.
func (m *Model) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := m.byName[name]
	return t, ok
}

// Metadata declares a family.
func (m *Model) Metadata() tensor.Metadata {
	return tensor.Metadata{"config.model_type": "llama", "config.num_attention_heads": int64(4), "config.num_key_value_heads": int64(2)}
}

// stream is splitmix64.
type stream uint64

func (s *stream) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (s *stream) below(n int) int { return int(s.next() % uint64(n)) }

// Input makes the i-th input: in turn plain tensors of every type and odd
// shapes, and small networks with all that is sketched.
func Input(i int) *Model {
	s := stream(i)
	m := &Model{byName: map[string]*tensor.Tensor{}}
	if i%5 == 0 {
		m.network(&s)
	} else {
		for k := range 1 + s.below(4) {
			m.plain(&s, fmt.Sprint("tensor.", k))
		}
	}
	return m
}

func (m *Model) add(name string, t tensor.DType, big bool, raw []byte, shape ...int64) {
	d := &tensor.Stored{File: "golden", Name: name, R: bytes.NewReader(raw), Bytes: int64(len(raw)), DType: t, BigEndian: big}
	x := &tensor.Tensor{Name: name, DType: t, Shape: shape, Data: d}
	m.tensors = append(m.tensors, x)
	m.byName[name] = x
}

// types are those of plain inputs: every type whose values can be read.
func types() []tensor.DType {
	var out []tensor.DType
	for t := tensor.Bool; t.String() != tensor.Opaque.String(); t++ {
		if _, ok := t.Codec(); ok {
			out = append(out, t)
		}
	}
	return out
}

// plain adds a tensor of any type with arbitrary bits: NaN, infinities and
// denormal numbers among them.
func (m *Model) plain(s *stream, name string) {
	all := types()
	t := all[s.below(len(all))]
	c, _ := t.Codec()
	rows, cols := int64(1+s.below(70)), int64((1+s.below(40))*c.BlockValues)
	if s.below(9) == 0 {
		rows, cols = 1, int64((1+s.below(400))*c.BlockValues)
	}
	raw := make([]byte, rows*cols/int64(c.BlockValues)*int64(c.BlockBytes))
	switch t { // an element is a block of two values
	case tensor.Named("C32"), tensor.C64, tensor.C128:
		raw = make([]byte, rows*cols*int64(c.BlockBytes))
	}
	for i := range raw {
		raw[i] = byte(s.next())
		if t == tensor.Bool {
			raw[i] &= 1
		}
	}
	if t.Kind() == tensor.KindFloat && s.below(3) > 0 {
		tame(raw, c.BlockBytes)
	}
	m.add(name, t, s.below(4) == 0, raw, rows, cols)
}

// tame clears a bit of the exponent, so that most values are finite.
func tame(raw []byte, size int) {
	for i := size - 1; i < len(raw); i += size {
		raw[i] &^= 0x40
	}
}

// network adds a small network with layers, of one plain type.
func (m *Model) network(s *stream) {
	t := []tensor.DType{tensor.BF16, tensor.F32, tensor.F16, tensor.F64}[s.below(4)]
	layers, hidden, width, vocabulary := 1+s.below(4), 64+16*s.below(3), 160+32*s.below(3), 1024+s.below(100)
	add := func(name string, shape ...int64) { m.weights(s, name, t, shape...) }
	h, w, v := int64(hidden), int64(width), int64(vocabulary)
	add("model.embed_tokens.weight", v, h)
	for l := range layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		add(p+"input_layernorm.weight", h)
		add(p+"self_attn.q_proj.weight", h, h)
		add(p+"self_attn.k_proj.weight", h/2, h)
		add(p+"self_attn.v_proj.weight", h/2, h)
		add(p+"self_attn.o_proj.weight", h, h)
		add(p+"post_attention_layernorm.weight", h)
		add(p+"mlp.gate_proj.weight", w, h)
		add(p+"mlp.up_proj.weight", w, h)
		add(p+"mlp.down_proj.weight", h, w)
	}
	add("model.norm.weight", h)
	add("lm_head.weight", v, h)
}

// weights adds values between -1 and 1 whose bits are put together from
// integers: sign, an exponent of some spread, mantissa.
func (m *Model) weights(s *stream, name string, t tensor.DType, shape ...int64) {
	n, _ := tensor.Elements(shape)
	var raw []byte
	for range n {
		r := s.next()
		exponent := uint64(0)
		for exponent < 9 && r>>exponent&1 == 1 {
			exponent++ // as often as coins fall alike
		}
		sign, mantissa := r>>20&1, r>>21
		switch t {
		case tensor.BF16:
			raw = binary.LittleEndian.AppendUint16(raw, uint16(sign<<15|(126-exponent)<<7|mantissa&0x7f))
		case tensor.F16:
			raw = binary.LittleEndian.AppendUint16(raw, uint16(sign<<15|(14-exponent)<<10|mantissa&0x3ff))
		case tensor.F32:
			raw = binary.LittleEndian.AppendUint32(raw, uint32(sign<<31|(126-exponent)<<23|mantissa&0x7fffff))
		default:
			raw = binary.LittleEndian.AppendUint64(raw, sign<<63|(1022-exponent)<<52|mantissa&0xfffffffffff<<8)
		}
	}
	m.add(name, t, false, raw, shape...)
}
