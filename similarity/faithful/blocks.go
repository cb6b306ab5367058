package faithful

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// judge holds the blocks of a row against what a quantiser makes of the source.
type judge struct {
	name       string
	codec      *tensor.Codec
	write      quant.Requantiser
	rule       rule
	mode       Mode
	through    func(float32) float32   // rounding of the source before, nil for none
	also       []func(float32) float32 // other roundings that the sample does not tell from it
	importance func(row int) []float32
	shared     []*shared // importance of each run of columns that most rows have in common, nil of runs of which none is known
	apart      []bool    // of each run: none was found although there are enough rows
}

// bytesOf is the size of n values.
func (j *judge) bytesOf(n int) int { return n / j.codec.BlockValues * j.codec.BlockBytes }

// row judges a row: raw are its blocks as stored, x the values of the source,
// which it may change.
func (j *judge) row(row int, raw []byte, x []float32, each func(block int, g Grade, f fault)) {
	var w []float32
	if j.mode == Given {
		w = j.importance(row)
	}
	others := j.otherwise(x, w, len(raw))
	if j.through != nil {
		for i, v := range x {
			x[i] = j.through(v)
		}
	}
	want := make([]byte, len(raw))
	j.write(want, x, w)
	bv, bb := j.codec.BlockValues, j.codec.BlockBytes
	for k := 0; k*bb < len(raw); k++ {
		b := raw[k*bb:][:bb]
		if bytes.Equal(b, want[k*bb:][:bb]) {
			xb := x[k*bv:][:bv]
			idle := zero(xb)
			each(k, Exact, fault{idle: idle, kept: !idle && j.mode == Alone && j.rule.search != nil && j.keeps(xb, b)})
			continue
		}
		if slices.ContainsFunc(others(), func(o rounded) bool { return bytes.Equal(b, o.raw[k*bb:][:bb]) }) {
			each(k, Exact, fault{})
			continue
		}
		g, f := j.differs(k, x, w, b, want[k*bb:][:bb])
		if j.mode == Searched && g == Deviates {
			for _, o := range others() {
				if h, e := j.differs(k, o.x, w, b, o.raw[k*bb:][:bb]); h < g {
					g, f = h, e
				}
			}
		}
		f.col += k * bv
		each(k, g, f)
	}
}

// keeps tells whether a block decodes to the very values.
func (j *judge) keeps(x []float32, block []byte) bool {
	v := make([]float32, len(x))
	j.codec.Decode(v, block)
	return slices.Equal(v, x)
}

// rounded is a row of the source after some rounding, and what the rule makes of it.
type rounded struct {
	x   []float32
	raw []byte
}

// otherwise gives a row, when it is asked for, as the rule makes it of the source after
// the other roundings that the sample does not tell apart: they change what is very
// small alone.
func (j *judge) otherwise(x, w []float32, size int) func() []rounded {
	var rows []rounded
	if len(j.also) == 0 {
		return func() []rounded { return nil }
	}
	source := slices.Clone(x)
	return func() []rounded {
		for _, round := range j.also[len(rows):] {
			y, row := slices.Clone(source), make([]byte, size)
			if round != nil {
				for i, v := range y {
					y[i] = round(v)
				}
			}
			j.write(row, y, w)
			rows = append(rows, rounded{y, row})
		}
		return rows
	}
}

// differs judges a block that is not what the rule gives.
func (j *judge) differs(k int, x, w []float32, block, plain []byte) (Grade, fault) {
	bv := j.codec.BlockValues
	xb := x[k*bv:][:bv]
	v, p := make([]float32, bv), make([]float32, bv)
	j.codec.Decode(v, block)
	j.codec.Decode(p, plain)
	if j.mode != Searched {
		if j.nudged(k, x, w, block) {
			return Rounding, fault{}
		}
		f := j.unequal(xb, v, p, block)
		if j.rule.search != nil {
			hard := j.rule.search(xb, v, block)
			f.soft = !hard.found() || hard.lost
		}
		if f.soft && w != nil && onOneColumn(j.rule.run, w[k*bv:][:bv]) {
			return Open, fault{}
		}
		return Deviates, f
	}
	if j.rule.search == nil {
		return j.otherScale(xb, v, p, block)
	}
	switch f := j.rule.search(xb, v, block); {
	case f.lost:
		return Open, f
	case f.found():
		return Deviates, f
	}
	if f := errorFault(j.rule.run, xb, v, p, mostImportance); f.found() {
		return Open, fault{}
	}
	switch {
	case j.shared != nil && j.shared[k] != nil:
		return j.shared[k].judge(fitted[j.name](xb, v, block, squareOf(x)))
	case j.apart != nil && j.apart[k]:
		return Open, fault{}
	}
	return Reachable, fault{}
}

// vanishing is what a column must weigh, over the largest of its run, to enter sums in
// float32.
const vanishing = 0x1p-20

// onOneColumn tells whether the importance of some run of n values lies on one of them:
// a scale and a minimum fitted with such weights are a quotient of what sums lose, and
// another order of products gives another one.
func onOneColumn(n int, w []float32) bool {
	for at := 0; at < len(w); at += n {
		most, count := slices.Max(w[at:at+n]), 0
		for _, v := range w[at : at+n] {
			if v > vanishing*most {
				count++
			}
		}
		if count == 1 {
			return true
		}
	}
	return false
}

// otherScale judges a type that has no search of its own where its rule was not
// followed: codes may be the nearest ones under a scale that some other program
// chose.
func (j *judge) otherScale(x, v, p []float32, block []byte) (Grade, fault) {
	subs := quant.Subs[j.name]
	if subs == nil {
		return Deviates, j.unequal(x, v, p, block)
	}
	if f := nearestFault(subs(block), x, v); f.found() {
		return Deviates, f
	}
	if f := errorFault(j.rule.run, x, v, p, otherMost); f.found() {
		return Open, f
	}
	return Reachable, fault{}
}

// otherMost bounds the error of scales that another program chose.
const otherMost = 2

// unequal describes a block whose bytes are not those of the rule: by the codes
// that differ, or by the scale where none does.
func (j *judge) unequal(x, v, p []float32, block []byte) fault {
	if subs := quant.Subs[j.name]; subs != nil {
		if f := nearestFault(subs(block), x, v); f.found() {
			return f
		}
	}
	f := fault{what: "the scale is not the one that the rule gives"}
	most := 0.0
	for i := range v {
		d := math.Abs(float64(v[i]) - float64(p[i]))
		if own := math.Abs(float64(p[i]) - float64(x[i])); d > most && d > own {
			most, f.col = d, i
		}
	}
	if most > 0 {
		f.what += fmt.Sprintf("; values are moved by up to %.2g", most)
	}
	if quant.Grids[j.name] != nil || quant.TernaryRuns[j.name] != nil {
		f.what = "the block is not what the rule gives" + f.what[len("the scale is not the one that the rule gives"):]
	}
	f.steps = 1
	return f
}

// nudges is how often a block is quantised anew with its values moved by up to so
// many units in their last place. Fits take differences of large sums, so what a
// fused product changes in one of them can weigh far more than a unit.
var nudges = []struct {
	tries int
	units int64
}{{24, 2}, {40, 48}, {40, 400}}

// nudged tells whether the block is what the rule gives when sums round in
// another way, as they do on processors that fuse a product and a sum: two scales
// that are as good as each other change places. Moving the values a little brings
// that about.
func (j *judge) nudged(k int, x, w []float32, block []byte) bool {
	bv, bb := j.codec.BlockValues, j.codec.BlockBytes
	from, to := k*bv, (k+1)*bv
	if j.rule.wholeRow && w != nil {
		from, to = 0, len(x)
	}
	moved, out := make([]float32, to-from), make([]byte, j.bytesOf(to-from))
	var part []float32
	if w != nil {
		part = w[from:to]
	}
	at := (k*bv - from) / bv * bb
	for round, n := range nudges {
		for try := range n.tries {
			for i, v := range x[from:to] {
				moved[i] = nudge(v, n.units, uint64(round)<<48|uint64(try)<<32|uint64(i))
			}
			j.write(out, moved, part)
			if bytes.Equal(out[at:at+bb], block) {
				return true
			}
		}
	}
	return false
}

// nudge moves a value by −most … most units in its last place, told by a number.
func nudge(v float32, most int64, n uint64) float32 {
	if v == 0 {
		return 0
	}
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return math.Float32frombits(uint32(int64(math.Float32bits(v)) + int64((n^n>>31)%uint64(2*most+1)) - most))
}
