package packed

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Marlin lays 4-bit codes out for one kernel: tiles of 16 inputs × 16 outputs, four of
// which share an order that suits a warp's threads, eight codes a word. Scales of the
// groups stand in an order of their own, in blocks of 64 outputs, or of 32 where each
// output has one scale. Source: Layer.pack of IST-DASLab's marlin, which AutoGPTQ's
// checkpoints of the format "marlin" follow.
const (
	marlinTile  = 16
	marlinBlock = 64 // outputs that share an order
	marlinWords = marlinTile * marlinBlock / 8
)

// marlinAt is where a code of a block lies: by 64 · input + output within the tile and the
// block.
var marlinAt = func() (at [marlinTile * marlinBlock]int) {
	interleaved := [8]int{0, 2, 4, 6, 1, 3, 5, 7}
	var order [marlinTile * marlinBlock]int // of codes that lie one behind the other: 256 · tile + 16 · input + output
	n := 0
	for thread := range 32 {
		for tile := range 4 {
			for _, right := range [2]int{0, 1} {
				for _, low := range [4]int{0, 1, 8, 9} {
					order[n] = 256*tile + 16*(2*(thread%4)+low) + thread/4 + 8*right
					n++
				}
			}
		}
	}
	for i := range order {
		x := order[i/8*8+interleaved[i%8]]
		tile, input, output := x/256, x%256/16, x%16
		at[marlinBlock*input+16*tile+output] = i
	}
	return at
}()

// marlinCodes are such codes of a table of words, one line for each tile of inputs.
type marlinCodes struct {
	t    part
	line int64 // words
}

func (x *marlinCodes) load(ctx context.Context, s *scratch, b box) error {
	t0, t1, b0, b1 := x.within(b)
	s.raw = grown(s.raw, 4*(t1-t0)*(b1-b0)*marlinWords)
	return x.t.columns(ctx, s.raw, x.line, t0, t1, b0*marlinWords, b1*marlinWords)
}

// within are the tiles of inputs and the blocks of outputs that a box lies in.
func (x *marlinCodes) within(b box) (t0, t1, b0, b1 int64) {
	return b.c0 / marlinTile, (b.c1-1)/marlinTile + 1, b.r / marlinBlock, (b.r+b.n-1)/marlinBlock + 1
}

func (x *marlinCodes) row(dst []uint8, s *scratch, b box, i int64) {
	t0, _, b0, b1 := x.within(b)
	r := b.r + i
	for k := range dst {
		c := b.c0 + int64(k)
		at := marlinAt[marlinBlock*(c%marlinTile)+r%marlinBlock]
		first := ((c/marlinTile-t0)*(b1-b0) + r/marlinBlock - b0) * marlinWords
		dst[k] = uint8(word(s.raw, int(first)+at/8) >> (4 * (at % 8)) & 15)
	}
}

// marlinScales is a grid stored group by group, its rows in Marlin's order.
type marlinScales struct {
	t     part
	rows  int64
	block int64
	place func(row int) int // within a block
}

func (x *marlinScales) load(ctx context.Context, dst []float32, b box, g0, g1 int64) error {
	lo := b.r / x.block * x.block
	hi := ((b.r+b.n-1)/x.block + 1) * x.block
	stored, line := make([]float32, hi-lo), make([]float32, b.n)
	for g := g0; g < g1; g++ {
		if err := x.t.Data.ReadValues(ctx, stored, g*x.rows+lo); err != nil {
			return err
		}
		for i := range line {
			r := b.r + int64(i)
			line[i] = stored[r/x.block*x.block-lo+int64(x.place(int(r%x.block)))]
		}
		spread(dst, line, g-g0, g1-g0)
	}
	return nil
}

// inGroups is where the scale of a row stands among 64.
func inGroups(row int) int { return 8*(row%8) + row/8 }

// inLine is where it stands among 32 if there is one group only.
func inLine(row int) int { return 8*(row%8/2) + 2*(row/8) + row%2 }

func isMarlin(m *module) bool {
	w, s := m.parts[".B"], m.parts[".s"]
	return w != nil && s != nil && w.DType == tensor.I32 && len(w.Shape) == 2 && len(s.Shape) == 2
}

// openMarlin reads GPTQ's codes in Marlin's order: (q − 8)·scale.
func openMarlin(m *module) *tensor.Tensor {
	m.ignore(".workspace")
	w, s := m.part(".B", 2, tensor.I32), m.part(".s", 2, scaleTypes...)
	groups, rows, cols := s.Shape[0], s.Shape[1], marlinTile*w.Shape[0]
	m.require(rows%marlinBlock == 0, ".s", "scales of %d outputs, a multiple of %d expected", rows, marlinBlock)
	m.shape(w, ".B", w.Shape[0], marlinTile*rows/8)
	declared, _ := m.cfg.number("group_size")
	size := m.groupSize(cols, groups, ".s", declared)
	scales := &marlinScales{s, rows, marlinBlock, inGroups}
	if groups == 1 {
		scales.block, scales.place = 32, inLine
	}
	x := &matrix{
		what: fmt.Sprintf("GPTQ 4-bit in Marlin's order, groups of %d", size), rows: rows, cols: cols,
		codes: &marlinCodes{w, marlinTile * rows / 8}, book: integers(4, 8), scale: scales, slack: slackOf(s.DType),
		groups: inOrder(size, groups),
	}
	return m.finish(x, m.stem+".weight", tensor.Int4, rows, cols)
}
