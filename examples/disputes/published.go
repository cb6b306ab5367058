package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

// layerNorms is the likeness of gains that was published as "182 sigma": cosines of
// equal layers of two models, held against those of layer 0 and the other layers of one.
func layerNorms(a, b report.Input) (string, error) {
	var across, centred, within []float64
	first, _ := a.Model.Tensor("model.layers.0" + norm)
	for l := 1; ; l++ {
		name := fmt.Sprintf("model.layers.%d%s", l, norm)
		x, ok := a.Model.Tensor(name)
		y, okay := b.Model.Tensor(name)
		if !ok || !okay {
			break
		}
		across = append(across, cosine(values(x), values(y), false))
		centred = append(centred, cosine(values(x), values(y), true))
		within = append(within, cosine(values(first), values(x), false))
	}
	m, s := spread(within)
	c, _ := spread(across)
	p, _ := spread(centred)
	return fmt.Sprintf("gains of equal layers have a cosine of %.3f, %.0f sigma above layer 0 against the others of one model (centred: %.3f)", c, (c-m)/s, p), nil
}

// profiles is the correlation, over layers and projections, of standard deviations.
func profiles(a, b report.Input) (string, error) {
	var x, y []float32
	for _, t := range a.Model.Tensors() {
		o, ok := b.Model.Tensor(t.Name)
		if ok && strings.Contains(t.Name, "_proj") {
			x, y = append(x, deviation(values(t))), append(y, deviation(values(o)))
		}
	}
	return fmt.Sprintf("standard deviations of %d matrices correlate by %.3f", len(x), cosine(x, y, true)), nil
}

// configurations counts the fields of the configurations that are equal.
func configurations(a, b report.Input) (string, error) {
	equal, all := 0, 0
	other := b.Model.Metadata()
	for k, v := range a.Model.Metadata() {
		if _, list := v.(*tensor.List); list || !strings.HasPrefix(k, "config.") {
			continue
		}
		if all++; other[k] == v {
			equal++
		}
	}
	return fmt.Sprintf("%d of %d fields of the configuration are equal, and the vocabulary is: %v", equal, all, slices.Equal(a.Tokens, b.Tokens)), nil
}

// meanCosine is one figure for two whole models.
func meanCosine(a, b report.Input) (string, error) {
	sum, n := 0.0, 0
	for _, t := range a.Model.Tensors() {
		if o, ok := b.Model.Tensor(t.Name); ok && len(t.Shape) == 2 {
			sum, n = sum+cosine(values(t), values(o), false), n+1
		}
	}
	return fmt.Sprintf("the mean cosine of %d matrices is %.2f: \"too little for a copy\"", n, sum/float64(n)), nil
}

// sameShapes counts what can be laid side by side.
func sameShapes(a, b report.Input) (string, error) {
	same, all := 0, 0
	for _, t := range a.Model.Tensors() {
		if strings.Contains(t.Name, ".mlp.") {
			all++
			if o, ok := b.Model.Tensor(t.Name); ok && slices.Equal(o.Shape, t.Shape) {
				same++
			}
		}
	}
	return fmt.Sprintf("%d of %d matrices of the MLPs have a counterpart of their shape: \"nothing to compare\"", same, all), nil
}

func cosine(x, y []float32, centred bool) float64 {
	mx, my := 0.0, 0.0
	if centred {
		for i := range x {
			mx, my = mx+float64(x[i])/float64(len(x)), my+float64(y[i])/float64(len(y))
		}
	}
	xy, xx, yy := 0.0, 0.0, 0.0
	for i := range x {
		a, b := float64(x[i])-mx, float64(y[i])-my
		xy, xx, yy = xy+float64(a*b), xx+float64(a*a), yy+float64(b*b)
	}
	return xy / math.Sqrt(math.Max(xx*yy, 1e-300))
}

func deviation(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return float32(math.Sqrt(sum / float64(len(x))))
}

func spread(x []float64) (mean, deviation float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		deviation += float64((v-mean)*(v-mean)) / float64(len(x))
	}
	return mean, math.Sqrt(deviation)
}
