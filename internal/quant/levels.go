package quant

import (
	"math"
	"slices"
)

// Sub is a run of values of a block that share a scale: each value is
// Offset + Scale·level for one of the Levels, which ascend.
type Sub struct {
	Start, N      int
	Scale, Offset float32
	Levels        []float32
	// Slack is the relative error that storing Scale may have made after the
	// levels were chosen; 0 where they were chosen under the stored one.
	Slack float32
}

// halfSlack is what rounding a number to half precision can change, relatively.
func halfSlack(d float32) float32 {
	if abs(d) < 0x1p-24 {
		return 1
	}
	return max(0x1p-11, 0x1p-25/abs(d))
}

func levels(lo, hi int) []float32 {
	var l []float32
	for i := lo; i <= hi; i++ {
		l = append(l, float32(i))
	}
	return l
}

func ascending(book []float32) []float32 {
	return slices.Compact(slices.Sorted(slices.Values(book)))
}

var (
	levelsFP4 = ascending(twiceE2M1[:])
	levelsNL  = nonLinear[:]
)

// Subs gives the runs of one block, by the name of each type whose values lie on
// scaled levels of their own. The grid types choose several values together and
// are absent.
var Subs = map[string]func(block []byte) []Sub{
	"Q1_0":   whole(128, levels(-1, 1), halfD),
	"Q2_0":   whole(64, levels(-1, 2), halfD),
	"Q4_0":   whole(32, levels(-8, 7), halfD),
	"Q4_1":   whole(32, levels(0, 15), halfDM),
	"Q5_0":   whole(32, levels(-16, 15), halfD),
	"Q5_1":   whole(32, levels(0, 31), halfDM),
	"Q8_0":   whole(32, levels(-128, 127), halfD),
	"IQ4_NL": whole(32, levelsNL, halfD),
	"TQ1_0":  whole(256, levels(-1, 1), func(b []byte) (float32, float32) { return half(b[52:]), 0 }),
	"TQ2_0":  whole(256, levels(-1, 1), func(b []byte) (float32, float32) { return half(b[64:]), 0 }),
	"MXFP4":  exactly(whole(32, levelsFP4, func(b []byte) (float32, float32) { return halfE8M0(b[0]), 0 })),
	"NVFP4": runs(16, 4, levelsFP4, func(b []byte, j int) (float32, float32) {
		return halfUE4M3(b[j]), 0
	}),
	"Q2_K": runs(16, 16, levels(0, 3), func(b []byte, j int) (float32, float32) {
		return half(b[80:]) * float32(b[j]&15), -float32(half(b[82:]) * float32(b[j]>>4))
	}),
	"Q3_K": runs(16, 16, levels(-4, 3), func(b []byte, j int) (float32, float32) {
		return half(b[108:]) * float32(scales3(b[96:108])[j]), 0
	}),
	"Q4_K": runs(32, 8, levels(0, 15), scaleMin),
	"Q5_K": runs(32, 8, levels(0, 31), scaleMin),
	"Q6_K": runs(16, 16, levels(-32, 31), func(b []byte, j int) (float32, float32) {
		return half(b[208:]) * float32(int8(b[192+j])), 0
	}),
	"IQ4_XS": func(b []byte) []Sub {
		d := half(b)
		out := make([]Sub, 8)
		for j := range out {
			out[j] = Sub{32 * j, 32, d * float32(scale4(j, b)), 0, levelsNL, halfSlack(d)}
		}
		return out
	},
}

func halfD(b []byte) (float32, float32)  { return half(b), 0 }
func halfDM(b []byte) (float32, float32) { return half(b), half(b[2:]) }

func scaleMin(b []byte, j int) (scale, offset float32) {
	sc, m := scaleMin4(j, b[4:16])
	return half(b) * float32(sc), -float32(half(b[2:]) * float32(m))
}

// whole serves types whose block is one run.
func whole(n int, l []float32, numbers func([]byte) (scale, offset float32)) func([]byte) []Sub {
	return func(b []byte) []Sub {
		scale, offset := numbers(b)
		return []Sub{{0, n, scale, offset, l, halfSlack(scale)}}
	}
}

// runs serves types of count runs of n values whose levels are chosen under the
// stored scales.
func runs(n, count int, l []float32, numbers func([]byte, int) (scale, offset float32)) func([]byte) []Sub {
	return func(b []byte) []Sub {
		out := make([]Sub, count)
		for j := range out {
			scale, offset := numbers(b, j)
			out[j] = Sub{n * j, n, scale, offset, l, 0}
		}
		return out
	}
}

// exactly serves types whose levels are chosen under the stored scales.
func exactly(f func([]byte) []Sub) func([]byte) []Sub {
	return func(b []byte) []Sub {
		out := f(b)
		for j := range out {
			out[j].Slack = 0
		}
		return out
	}
}

// Place is where a value lies among the levels.
func (s Sub) Place(x float32) float64 {
	return (float64(x) - float64(s.Offset)) / float64(s.Scale)
}

// Doubt is how far, in levels, arithmetic and the storage of the scale may have
// put the place t of a value x beside where the quantiser saw it.
func (s Sub) Doubt(t float64, x float32) float64 {
	tiny := math.Abs(float64(x)) + math.Abs(float64(s.Offset))
	doubt := float64(tiny / math.Abs(float64(s.Scale)) * 0x1p-21)
	return doubt + float64(math.Abs(t)*float64(s.Slack)) + 1e-6
}

// SignedFits tells whether candidate is of the search for codes −n … n−1 gives
// the codes of the decoded values v, whose scale is stored.
func SignedFits(n, is int, far, scale float32, x, v []float32) bool {
	inv := SignedCandidate(n, is, far)
	for i := range x {
		if within(nearest(float32(inv*x[i])), -n, n-1) != int(math.Round(float64(v[i])/float64(scale))) {
			return false
		}
	}
	return true
}
