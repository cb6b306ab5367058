package hostile

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
)

// unlikeInputs are pairs of models that have nothing in common, so that every test runs,
// and that have one thing in numbers that no model has.
func unlikeInputs() []Input {
	pair := func(name string, specs []spec, values func(spec, *rand.Rand) uint16) Input {
		return Input{"unlike/" + name, on("compare {dir}/a {dir}/b --json"), func(dir string) error {
			for i, side := range []string{"a", "b"} {
				r := rand.New(rand.NewPCG(uint64(i), 5))
				of := values
				if i == 1 || values == nil {
					of = func(_ spec, r *rand.Rand) uint16 { return half(r) }
				}
				if err := drawn(filepath.Join(dir, side), specs, func(s spec) uint16 { return of(s, r) }); err != nil {
					return err
				}
			}
			return nil
		}}
	}
	var layers, eights, dots []spec
	for l := range 40_000 {
		layers = append(layers, mlp(fmt.Sprintf("model.layers.%d.mlp.", l), 8, 8)...)
	}
	for e := range 8_192 {
		for l := range 2 {
			eights = append(eights, mlp(fmt.Sprintf("model.layers.%d.mlp.experts.%d.", l, e), 4, 8)...)
		}
	}
	for i := range 250 {
		dots = append(dots, spec{strings.Repeat(".", 60_000) + fmt.Sprint(i), 8, 8})
	}
	var tiny []spec
	for i := range 1_300 {
		tiny = append(tiny, spec{fmt.Sprint("m", i), 2, 1})
	}
	wide := append(mlp("model.layers.0.mlp.", 100_000, 4), mlp("model.layers.1.mlp.", 100_000, 4)...)
	joined := append(mlp("model.layers.0.mlp.", 60_000, 4), mlp("model.layers.1.mlp.", 60_000, 4)...)
	numbered := append(mlp("model.layers.9223372036854775807.mlp.", 16, 8), mlp("model.layers.99999999999999999999.mlp.", 16, 8)...)
	numbered = append(append(numbered, mlp("model.layers.-1.mlp.", 16, 8)...), mlp("model.layers.00000000000000000007.mlp.experts.4294967296.", 16, 8)...)
	return []Input{
		pair("100,000 units of width 4", wide, nil),
		pair("60,000 units whose gates are one", joined, func(s spec, r *rand.Rand) uint16 {
			if strings.Contains(s.name, "gate") {
				return 0x3f80
			}
			return half(r)
		}),
		pair("60,000 units of which all are one", joined, func(spec, *rand.Rand) uint16 { return 0x3f80 }),
		pair("40,000 layers", layers, nil),
		pair("8,192 experts of 4 units", eights, nil),
		pair("names of 60,000 dots", dots, nil),
		pair("1,300 matrices of 2 values", tiny, nil),
		pair("layers of numbers that are none", numbered, nil),
		pair("100,000 norms of one value", scalars(100_000), nil),
		pair("a trillion parameters in 139,000 tensors", experts(8), nil),
	}
}

// spec is a matrix of bfloat16, or a vector where it has no columns.
type spec struct {
	name       string
	rows, cols int
}

func (s spec) values() int { return s.rows * max(1, s.cols) }

func (s spec) shape() string {
	if s.cols == 0 {
		return fmt.Sprint(s.rows)
	}
	return fmt.Sprint(s.rows, ",", s.cols)
}

// headerOf is a header of tensors one behind the other, and the bytes that they take.
func headerOf(specs []spec) (header string, bytes int64) {
	var b strings.Builder
	for _, s := range specs {
		end := bytes + 2*int64(s.values())
		fmt.Fprintf(&b, `,"%s":{"dtype":"BF16","shape":[%s],"data_offsets":[%d,%d]}`, s.name, s.shape(), bytes, end)
		bytes = end
	}
	return "{" + b.String()[1:] + "}", bytes
}

// mlp are the matrices of a gated block.
func mlp(prefix string, units, hidden int) []spec {
	return []spec{{prefix + "gate_proj.weight", units, hidden}, {prefix + "up_proj.weight", units, hidden}, {prefix + "down_proj.weight", hidden, units}}
}

func scalars(n int) (out []spec) {
	for i := range n {
		out = append(out, spec{fmt.Sprintf("model.layers.%d.norm.weight", i), 1, 1})
	}
	return out
}

// half is a bfloat16 that is roughly normal.
func half(r *rand.Rand) uint16 {
	bits := r.Uint64()
	exponent := uint16(0x3f00) - uint16(bits>>60&3)<<7
	return uint16(bits)&0x807f | exponent&0x7f80
}

// drawn writes matrices.
func drawn(dir string, specs []spec, value func(spec) uint16) error {
	header, _ := headerOf(specs)
	l := create(dir, "model.safetensors").u64(uint64(len(header))).text(header)
	var two [2]byte
	for _, s := range specs {
		for range s.values() {
			binary.LittleEndian.PutUint16(two[:], value(s))
			l.bytes(two[:])
		}
	}
	return l.close()
}
