package report

import (
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/planned"
)

// Reading is what a comparison would read.
type Reading struct {
	Inputs  [2]Input                    // with adapters applied
	Options Options                     // with defaults in place of zero fields
	Whole   bool                        // everything is read
	First   [2]map[*tensor.Tensor]int64 // stored bytes that are read first, by tensor; empty where everything is
}

// PlanReading says what a comparison would read, without reading values. Errors
// are those of options that no comparison can have and of adapters that do not fit.
func PlanReading(a, b Input, o *Options) (*Reading, error) {
	x, err := open(a, b, o)
	if err != nil {
		return nil, err
	}
	p := planned.Of(aligned.New(x.sides(), x.options.Nonce), x.extent())
	out := &Reading{Inputs: x.in, Options: x.options, Whole: p.Whole, First: p.First()}
	for i := range out.Inputs {
		out.Inputs[i].Model = p.Sides[i].Model
	}
	return out, nil
}
