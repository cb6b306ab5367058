package equality

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// What a matrix must show before equal values in it speak for a common origin.
// Strangers share window functions, Fourier and mel tables, sinusoids and
// masks; those are mostly zeros, repeat few values, or change little from row
// to row.
const (
	leastLearned = 1024     // values
	mostZeros    = 0.75     // share
	watched      = 1 << 14  // values that are looked at for repetition
	fewValues    = 1.0 / 16 // least share of different ones among them
	smoothRows   = 0.9      // largest mean cosine of a row and the next
)

// look gathers, value by value, what tells a trained matrix from a table.
type look struct {
	cols        int64
	n, zeros    int64
	seen        map[uint32]bool
	prev        []float32
	dot, aa, bb float64
	cosines     float64
	rows        int64
}

func newLook(t *tensor.Tensor) *look {
	l := &look{seen: map[uint32]bool{}}
	if shape := wide(t.Shape); len(shape) > 1 && t.Len() >= leastLearned {
		l.cols = t.Len() / shape[0]
		l.prev = make([]float32, min(l.cols, valuesAtOnce))
	}
	return l
}

func (l *look) add(v float32) {
	if l.cols == 0 {
		return
	}
	at := l.n % l.cols
	if l.n < watched {
		l.seen[plain(v)] = true
	}
	if l.n++; v == 0 {
		l.zeros++
	}
	if at >= int64(len(l.prev)) {
		return // the beginning of very long rows speaks for them
	}
	x, y := float64(l.prev[at]), float64(v)
	l.dot += float64(x * y)
	l.aa += float64(x * x)
	l.bb += float64(y * y)
	l.prev[at] = v
	if at == int64(len(l.prev))-1 {
		if l.aa > 0 && l.bb > 0 {
			l.cosines += l.dot / math.Sqrt(float64(l.aa*l.bb))
			l.rows++
		}
		l.dot, l.aa, l.bb = 0, 0, 0
	}
}

// learned tells whether the tensor looks like a trained matrix.
func (l *look) learned() bool {
	switch {
	case l == nil || l.cols == 0:
		return false
	case float64(l.zeros) > mostZeros*float64(l.n):
		return false
	case float64(len(l.seen)) < fewValues*float64(min(l.n, watched)):
		return false
	}
	return l.rows > 0 && l.cosines/float64(l.rows) < smoothRows
}
