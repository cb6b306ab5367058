// Package read is the stage of a comparison that values come from. Everything is
// decoded through the one account of its side, which books it against the budget
// and keeps rows, so that what several tests ask for is decoded once.
package read

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/layers"
)

// Values is a plan whose values can be read.
type Values struct {
	*planned.Plan
	Warnings []string // of the files, the networks and the tokens

	equal *Equal // nil until it is asked for
}

// Once opens the values of a plan and brings rotary rows of both sides into one order.
func Once(ctx context.Context, p *planned.Plan) (*Values, error) {
	notes, err := layers.AlignRotary(ctx, p.Pair)
	v := &Values{Plan: p, Warnings: append(notes, p.TokenNotes()...)}
	for i, net := range p.Networks() {
		for _, w := range slices.Concat(p.Sides[i].Warnings, net.Warnings) {
			v.Warnings = append(v.Warnings, verdict.Side(i)+": "+w)
		}
	}
	return v, err
}

// Equal tells which tensors of the two hold the same values. It reads all of both,
// at most once, and is nil where that is not allowed.
func (v *Values) Equal(ctx context.Context) (e *Equal, err error) {
	if v.Whole && v.equal == nil {
		v.equal, err = equalValues(ctx, v.Plan)
	}
	return v.equal, err
}

// Asked is what Equal found, nil where nobody asked.
func (v *Values) Asked() *Equal { return v.equal }

// Digests are those of the values of a side that Equal took, by whole tensor.
func (v *Values) Digests(side int) map[*tensor.Tensor]*fingerprint.Digest {
	if v.equal == nil {
		return nil
	}
	return v.equal.Digests[side]
}
