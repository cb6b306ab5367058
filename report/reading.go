package report

import (
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/axis"
)

// Reading is what a comparison would read.
type Reading struct {
	Inputs  [2]Input                    // with adapters applied
	Options Options                     // with defaults in place of zero fields
	Whole   bool                        // everything is read
	First   [2]map[*tensor.Tensor]int64 // stored bytes that are read first, by tensor; empty where everything is
}

// PlanReading says what a comparison would read, without reading values. Errors
// are those of adapters that do not fit.
func PlanReading(a, b Input, o *Options) (*Reading, error) {
	in, err := resolve([2]Input{a, b}, o.base())
	if err != nil {
		return nil, err
	}
	r := &run{o: o.WithDefaults(), in: in}
	r.start()
	out := &Reading{Inputs: r.in, Options: r.o, Whole: r.whole, First: [2]map[*tensor.Tensor]int64{{}, {}}}
	if r.whole {
		return out, nil
	}
	first, second := axis.Plan(r.pair, 0)
	for i, list := range [][]axis.Planned{first, second} {
		for _, x := range list {
			out.First[i][x.Matrix.Tensor] += x.Bytes
		}
	}
	return out, nil
}
