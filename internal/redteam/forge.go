package redteam

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/exact"
)

// Forging says how close a forged sketch comes to the victim's.
type Forging struct {
	Units int // units forged on every axis, 0 for all that are sketched
	Wrong int // bits of each that may stay different
}

// Forge changes as little as possible of a model so that its published sketches
// become those of a victim: for each unit the bits that differ and are cheapest
// to turn are turned, by the smallest change of the unit's row that does it
// (projections onto half-spaces). Only MLP axes are attacked; that is enough.
func Forge(ctx context.Context, m *zoo.Model, victim *fingerprint.Fingerprint, how Forging) (*zoo.Model, error) {
	out := m.Clone()
	net := roles.Map(out)
	for i := range victim.Sketches {
		s := &victim.Sketches[i]
		gate, gain, err := axisOf(ctx, net, s.Axis)
		if err != nil {
			return nil, err
		}
		if gate == nil {
			continue
		}
		values := out.Values(gate.Tensor.Name)
		f := forgery{s: s, dim: gate.Cols, masks: projections(publicSeed, gate.Cols, fingerprint.SketchBits)}
		for _, u := range s.Units {
			row := make([]float64, gate.Cols)
			for k := range row {
				row[k] = float64(values[u*gate.Cols+k]) * gain[k]
			}
			f.rows = append(f.rows, row)
		}
		f.run(how)
		for n, u := range s.Units {
			for k := range gate.Cols {
				values[u*gate.Cols+k] = float32(f.rows[n][k] / gain[k])
			}
		}
	}
	return out, nil
}

// axisOf finds the gate matrix of an MLP axis, nil for other axes.
func axisOf(ctx context.Context, net *roles.Network, axis string) (*roles.Matrix, []float64, error) {
	for _, t := range net.Towers {
		for _, l := range t.Layers {
			if t.Name+".layers."+strconv.Itoa(l.Index)+".mlp" != axis || len(l.MLPs()) == 0 {
				continue
			}
			gate := l.MLPs()[0].Gate
			gain := slices.Repeat([]float64{1}, gate.Cols)
			if gate.Gain != nil {
				g, err := gate.Gain.Read(ctx)
				if err != nil {
					return nil, nil, err
				}
				for k, v := range g {
					gain[k] = float64(v)
				}
			}
			return gate, gain, nil
		}
	}
	return nil, nil, nil
}

// forgery is the attack on one axis.
type forgery struct {
	s     *fingerprint.Sketch
	dim   int
	masks [][]float64
	rows  [][]float64
}

// run turns bits until no more than are allowed differ. Turning one unit moves
// the mean of all a little, so it goes round a few times.
func (f *forgery) run(how Forging) {
	n := len(f.rows)
	if how.Units > 0 {
		n = min(n, how.Units)
	}
	chosen := make([][]bool, n)
	for round := range 60 {
		shift := f.means()
		dirty := false
		for u := range n {
			if chosen[u] == nil {
				chosen[u] = f.choose(u, shift, how.Wrong)
			}
			dirty = f.push(u, shift, chosen[u]) || dirty
		}
		if !dirty && round > 0 {
			return
		}
	}
}

// means is the mean unit, which sketching takes away.
func (f *forgery) means() []float64 {
	mean := make([]float64, f.dim)
	for _, row := range f.rows {
		own := 0.0
		for _, v := range row {
			own += v / float64(f.dim)
		}
		for k, v := range row {
			mean[k] += (v - own) / float64(len(f.rows))
		}
	}
	return mean
}

// project is what sketching sees of unit u along projection b, with the sign
// that the victim has: positive where the bit agrees.
func (f *forgery) project(u, b int, shift []float64) float64 {
	sum, signs, own := 0.0, 0.0, 0.0
	for k, v := range f.rows[u] {
		sum += f.masks[b][k] * (v - shift[k])
		signs += f.masks[b][k]
		own += v / float64(f.dim)
	}
	sum -= own * signs
	if f.s.Words[u*fingerprint.SketchBits/64+b/64]>>(b%64)&1 == 0 {
		return -sum
	}
	return sum
}

// choose lists the bits that have to agree: all but the dearest wrong ones.
func (f *forgery) choose(u int, shift []float64, wrong int) []bool {
	type bit struct {
		b    int
		seen float64
	}
	all := make([]bit, fingerprint.SketchBits)
	for b := range all {
		all[b] = bit{b, f.project(u, b, shift)}
	}
	slices.SortFunc(all, func(a, b bit) int { return cmp.Compare(a.seen, b.seen) })
	keep := make([]bool, len(all))
	for _, x := range all[wrong:] {
		keep[x.b] = true
	}
	return keep
}

// push moves a unit across the half-spaces of its chosen bits, one by one.
func (f *forgery) push(u int, shift []float64, chosen []bool) (moved bool) {
	margin := 0.02 * norm(f.rows[u])
	for range 200 {
		still := false
		for b, wanted := range chosen {
			seen := 0.0
			if wanted {
				seen = f.project(u, b, shift)
			}
			if !wanted || seen >= margin/2 {
				continue
			}
			still, moved = true, true
			step := (margin - seen) / float64(f.dim)
			if f.s.Words[u*fingerprint.SketchBits/64+b/64]>>(b%64)&1 == 0 {
				step = -step
			}
			for k := range f.rows[u] {
				f.rows[u][k] += step * f.masks[b][k]
			}
		}
		if !still {
			break
		}
	}
	return moved
}

// ForgedSketch forges the sketch of a victim on a stranger's model, then asks
// all doors: the index, a comparison of the fingerprints, one of the weights.
func ForgedSketch(ctx context.Context, victim, attacker report.Input, how Forging, setting string) (Result, error) {
	r := Result{Attack: "forge the published sketch of a victim", Setting: setting}
	print, err := fingerprint.Compute(ctx, victim.Model, &fingerprint.Options{SketchOnly: true})
	if err != nil {
		return r, err
	}
	was, err := copyOf(ctx, attacker.Model)
	if err != nil {
		return r, err
	}
	forged, err := Forge(ctx, was, print, how)
	if err != nil {
		return r, err
	}
	return r.asked(ctx, victim, print, attacker, was, forged, &fingerprint.Options{SketchOnly: true})
}

// asked puts a forged model before all doors.
func (r Result) asked(ctx context.Context, victim report.Input, print *fingerprint.Fingerprint, attacker report.Input, was, forged *zoo.Model, o *fingerprint.Options) (Result, error) {
	copied, err := fingerprint.Compute(ctx, forged, o)
	if err != nil {
		return r, err
	}
	hit, err := searchFor(ctx, print, copied)
	if err != nil {
		return r, err
	}
	seen := report.Screen(report.Sketched{Ref: "victim", Fingerprint: print}, report.Sketched{Ref: "forged", Fingerprint: copied}, nil)
	screening := slices.ContainsFunc(seen.Warnings, func(s string) bool { return strings.Contains(s, "screening") })
	weights, err := report.Build(ctx, victim, report.Input{Ref: "forged", Format: "memory", Model: forged, Tokens: attacker.Tokens}, nil)
	if err != nil {
		return r, err
	}
	change := relativeChange(was, forged)
	r.Outcome = fmt.Sprintf("%.2f %% of the weights' length changed; index: %s; fingerprints: %s, lead %t; weights: %s", 100*change, hit, seen.Verdict.Relation, seen.Verdict.Lead, weights.Verdict.Relation)
	for _, e := range weights.Evidence {
		if e.Test == exact.TokenSigns && e.Skipped == "" {
			r.Outcome += fmt.Sprintf(", cosines of little-used tokens correlate at %.2f over %d", float64(e.Effect), e.N)
		}
	}
	r.Holds = screening && seen.Verdict.Relation == verdict.Inconclusive && slices.Contains([]verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, weights.Verdict.Relation)
	return r, nil
}
