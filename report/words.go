package report

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
)

// Notes lists what the tests remark, each remark once with the tests that make
// it.
func (r *Report) Notes() []string {
	all := r.Evidence
	by := map[string]string{}
	var order []string
	for i := range all {
		for _, w := range all[i].Warnings {
			if by[w] == "" {
				order = append(order, w)
				by[w] = w + ": "
			} else {
				by[w] += ", "
			}
			by[w] += all[i].Test + " " + all[i].Axis
		}
	}
	for i, w := range order {
		order[i] = by[w]
	}
	return order
}

// NotRun lists the tests that were not run, each group with its look and the
// reason.
func (r *Report) NotRun() (out []string) {
	all := r.Evidence
	for i := 0; i < len(all); i++ {
		e := &all[i]
		if e.Skipped == "" {
			continue
		}
		names := skippedName(*e)
		for ; i+1 < len(all) && all[i+1].Skipped == e.Skipped && all[i+1].Look == e.Look; i++ {
			names += ", " + skippedName(all[i+1])
		}
		out = append(out, fmt.Sprintf("%s (look %d): %s", names, e.Look, e.Skipped))
	}
	return out
}

// skippedName is a test with what it would have looked at, where it looks at several.
func skippedName(e Evidence) string {
	if axis, _, raw := strings.Cut(e.Axis, " (raw"); raw && e.Test == verdict.Likeness {
		return e.Test + " of " + axis
	}
	return e.Test
}

// Words says how the values differ.
func (d *Delta) Words() []string {
	if d == nil {
		return nil
	}
	read := "rows of all matrices"
	if d.Complete {
		read = "all values"
	}
	out := []string{fmt.Sprintf("%d tensors stand in the same role and shape (%s compared): %d equal, %d cast, %d quantised, %d different", d.Tensors, read, d.Equal, d.Cast, d.Quantised, d.Different)}
	if d.Different > 0 {
		out = append(out, fmt.Sprintf("|B−A|/|A| %.4g, cosine %.5f", float64(d.Relative), float64(d.Cosine)))
	}
	for _, x := range d.Types {
		out = append(out, fmt.Sprintf("%d tensors of %s are %s as %v, %d of them byte for byte what the type's reference rule gives", x.Tensors, x.Of, x.Storage, x.Type, x.Exact))
	}
	for _, m := range d.Maps {
		out = append(out, fmt.Sprintf("%s: %d of B's %d units come from among A's %d", m.Axis, len(m.B), m.OfB, m.OfA))
	}
	for _, x := range []struct {
		what  string
		roles []string
	}{{"only in A", d.OnlyA}, {"only in B", d.OnlyB}, {"of another shape", d.Shapes}} {
		if n := len(x.roles); n > 0 {
			out = append(out, fmt.Sprintf("%s: %s", x.what, strings.Join(x.roles[:min(n, 3)], ", ")))
			if n > 3 {
				out[len(out)-1] += fmt.Sprintf(" and %d more", n-3)
			}
		}
	}
	return out
}

// digestLetters is the length of a digest in hexadecimal.
const digestLetters = 64

// Made says how the report was made: program, methods, controls, options, seed.
func (r *Report) Made() []string {
	c := r.Methods.Controls
	out := []string{fmt.Sprintf("weightprint %s, schema %s, methods version %d, policy version %d", r.Tool.Version, r.Schema, r.Methods.Version, r.Policy.Version)}
	if c.Pairs > 0 {
		out = append(out, fmt.Sprintf("controls version %d: %d pairs of %d networks, %s", c.Version, c.Pairs, c.Networks, c.Digest))
	}
	out = append(out, fmt.Sprintf("budget %s, depth %s, alpha %g, power at cosine %g; seed:", r.Options.Budget, r.Options.Depth, float64(r.Options.Policy.Alpha), float64(r.Options.Policy.Cosine)))
	for i := 0; i < len(r.Seed); i += digestLetters {
		out = append(out, r.Seed[i:min(len(r.Seed), i+digestLetters)])
	}
	return out
}
