package recipe

import "math"

// account says what an explanation leaves of values.
type account struct {
	values  int     // all
	asked   int     // of which the parents differ, so that the mixture has something to say
	exact   int     // of those asked, exactly what the mixture rounds to
	off     int     // further from the mixture than rounding takes them
	steps2  float64 // Σ of the squared distances, in steps of the type at the largest number that went in
	rss     float64 // Σ of the squared distances
	noRound bool    // exact could not be asked
}

// Explained is the share of values that may be further from a mixture than
// rounding takes them: computers differ in the last operation. By decision.
const mostOff = 0.02

// single is the error that computing in single precision leaves of the largest
// number that went in, with room for a dozen operations.
const single = 12.0 / (1 << 24)

// add counts a value. largest is the largest number that went into it: where
// numbers cancel, errors are as large as theirs.
func (a *account) add(s *storage, y float32, p, largest float64, asked bool) {
	d := float64(y) - p
	a.values++
	a.rss += float64(d * d)
	most := math.Abs(float64(y))
	if largest > most {
		most = largest
	}
	z := math.Abs(d) / s.step(float32(most))
	if z > 1e3 {
		z = 1e3
	}
	a.steps2 += float64(z * z)
	if !(math.Abs(d) <= (0.5+s.slack)*s.step(y)+single*largest) {
		a.off++
	}
	if !asked {
		return
	}
	a.asked++
	if s.round == nil {
		a.noRound = true
	} else if s.round(float32(p)) == y {
		a.exact++
	}
}

func (a *account) merge(b account) {
	a.values += b.values
	a.asked += b.asked
	a.exact += b.exact
	a.off += b.off
	a.steps2 += b.steps2
	a.rss += b.rss
	a.noRound = a.noRound || b.noRound
}

// share is the share of values that are exactly what the mixture rounds to, -1
// where that cannot be asked.
func (a *account) share() float64 {
	if a.asked == 0 || a.noRound {
		return -1
	}
	return float64(a.exact) / float64(a.asked)
}

// offShare is the share of values that rounding does not explain.
func (a *account) offShare() float64 { return float64(a.off) / float64(max(1, a.values)) }

// explains tells whether the values are the mixture's, down to rounding.
func (a *account) explains() bool { return a.values > 0 && a.offShare() <= mostOff }

// distance is the root mean square distance in steps.
func (a *account) distance() float64 { return math.Sqrt(a.steps2 / float64(max(1, a.values))) }

// sum adds up the accounts of tensors.
func sum(all []account) (out account) {
	for _, a := range all {
		out.merge(a)
	}
	return out
}
