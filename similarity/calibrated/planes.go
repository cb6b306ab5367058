package calibrated

import (
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// minPlanes is how many planes a head needs, of two dimensions each: among
// smaller heads, some of strangers look alike.
const minPlanes = 8

// sameFrequency is how far the frequencies of one plane may lie apart, as a
// logarithm: neighbouring planes of heads of 256 dimensions are 0.07 apart.
const sameFrequency = 0.01

// qkReason says why the planes of a tower pair cannot be compared, or "".
func qkReason(t align.TowerPair) string {
	switch {
	case len(t.Layers) == 0 || t.A.Layers[0].Q == nil || t.B.Layers[0].Q == nil || t.A.Layers[0].K == nil || t.B.Layers[0].K == nil:
		return "no query and key matrices on both sides"
	case t.A.HeadDim == 0 || t.B.HeadDim == 0:
		return "the sizes of heads are not known"
	case t.A.Rotary == roles.NoRotary || t.B.Rotary == roles.NoRotary:
		return "the positions are not rotary"
	case t.A.Rotary != t.B.Rotary:
		return "the two turn other pairs of rows"
	case !turns(t.A) || !turns(t.B):
		return "it is not known which rows of a head turn"
	case t.A.RotaryDim != t.B.RotaryDim && (t.A.RotaryBase == 0 || t.B.RotaryBase == 0):
		return "heads turn in different numbers of planes, at frequencies that are not known"
	}
	if a, _ := commonPlanes(t); len(a) < minPlanes {
		return "heads have too few planes in common to be told apart"
	}
	return ""
}

func turns(t *roles.Tower) bool {
	return t.RotaryDim > 0 && t.RotaryDim%2 == 0 && t.RotaryDim <= t.HeadDim
}

// commonPlanes pairs the rotary planes of both sides: by place where there are as many
// on both, whatever the base, which is raised for longer texts; else by frequency.
// A head that was made longer by planes that do nothing keeps the frequencies of the
// old ones, and they lie between the new ones. Where A turns more or fewer rows than
// B, planes without a counterpart are left out.
func commonPlanes(t align.TowerPair) (a, b []int) {
	if t.A.RotaryDim == t.B.RotaryDim {
		for p := range t.A.RotaryDim / 2 {
			a, b = append(a, p), append(b, p)
		}
		return a, b
	}
	fa, fb := frequencies(t.A), frequencies(t.B)
	for i, j := 0, 0; i < len(fa) && j < len(fb); { // both descend
		switch {
		case math.Abs(fa[i]-fb[j]) < sameFrequency:
			a, b = append(a, i), append(b, j)
			i, j = i+1, j+1
		case fa[i] > fb[j]:
			i++
		default:
			j++
		}
	}
	return a, b
}

// frequencies lists the logarithms of the angles by which planes turn from token to
// token.
func frequencies(t *roles.Tower) (out []float64) {
	for p := range t.RotaryDim / 2 {
		out = append(out, -2*float64(p)/float64(t.RotaryDim)*math.Log(t.RotaryBase))
	}
	return out
}
