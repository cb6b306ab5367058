package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// widths are decoders of common shapes: hidden size, units of a layer, layers.
var widths = [][3]int{{64, 176, 3}, {96, 256, 4}, {128, 352, 4}, {256, 704, 8}, {512, 1408, 12}, {768, 2048, 12}, {1024, 2816, 24}, {2048, 5632, 22}, {4096, 11008, 32}, {8192, 28672, 80}}

// writeWidths says by width which mean cosine of gated units labels find, and
// which one no arrangement of a stranger reaches: between the two, labels alone
// leave a verdict open.
func writeWidths(w io.Writer) {
	fmt.Fprintln(w, "| hidden size | units × layers | labels find ρ from | likeness counts from, as read by default | of all units of all layers |\n|---|---|---|---|---|")
	few, many := axis.Stages()[0], axis.Stages()[1]
	for _, x := range widths {
		hidden, units, layers := x[0], x[1], x[2]
		read := stats.Arrangement{Units: min(units, many.Units), Choice: units, Layers: min(layers, many.Layers), Views: 3, Width: hidden, Rank: float64(hidden), Turned: true}
		whole := read
		whole.Units, whole.Layers = units, layers
		fmt.Fprintf(w, "| %d | %d × %d | %.3f | %.2f | %.2f |\n", hidden, units, layers, leastFound(hidden, min(units, few.Units), layers), read.Reach(), whole.Reach())
	}
}

// leastFound is the smallest mean cosine at which fixed points among n units of
// each layer reach the level of a verdict with probability .99. Cosines of
// strangers scatter with 1/√hidden.
func leastFound(hidden, n, layers int) float64 {
	side := axis.Side{Total: n, Units: make([]int, n), Eligible: slices.Repeat([]bool{true}, n)}
	axes := make([]*axis.Axis, layers)
	for i := range axes {
		axes[i] = &axis.Axis{A: side, B: side, Views: []axis.View{{Spread: 1 / math.Sqrt(float64(hidden))}}}
	}
	lo, hi := 0.0, 1.0
	for range 30 {
		mid := (lo + hi) / 2
		if exact.FixedPointPower(axes, mid, verdict.DefaultPolicy().Level()).Reached {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}
