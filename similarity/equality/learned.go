package equality

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// What a matrix must show before equal values in it speak for a common origin.
// Strangers share window functions, Fourier and mel tables, sinusoids and
// masks; those are mostly zeros, repeat few values, or change little from row
// to row. Rows of transforms, with a window or without, are their own mirror image
// up to the sign: rows of independent values are with no chance worth a number.
const (
	leastLearned = 1024     // values
	mostZeros    = 0.75     // share
	watched      = 1 << 14  // values that are looked at for repetition
	fewValues    = 1.0 / 16 // least share of different ones among them
	smoothRows   = 0.9      // largest mean cosine of a row and the next
	mirrorRow    = 16       // least length of a row that is held against its mirror image
	mirrorError  = 1e-6     // largest share of a row's square that the two may differ by
	mostMirrors  = 0.9      // share of rows
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
	mirrors     int64 // rows that are their own mirror image
	filled      int64 // rows that are not all zeros
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
		l.mirror()
		if l.aa > 0 && l.bb > 0 {
			l.cosines += l.dot / math.Sqrt(float64(l.aa*l.bb))
			l.rows++
		}
		l.dot, l.aa, l.bb = 0, 0, 0
	}
}

// mirror counts the row that was just read.
func (l *look) mirror() {
	n := len(l.prev)
	if n < mirrorRow || int64(n) < l.cols {
		return
	}
	var whole float64
	var differs [2]float64 // about the middle of the row, and about value n/2: windows have n or n+1 values
	for i, v := range l.prev {
		whole += float64(v) * float64(v)
		for k := range differs {
			if at := n - 1 - i + k; at < n {
				d := math.Abs(float64(v)) - math.Abs(float64(l.prev[at]))
				differs[k] += float64(d * d)
			}
		}
	}
	if whole == 0 {
		return
	}
	l.filled++
	if min(differs[0], differs[1]) <= mirrorError*whole {
		l.mirrors++
	}
}

// learned tells whether the tensor looks like a trained matrix.
func (l *look) learned() bool {
	switch {
	case l == nil || l.cols == 0:
		return false
	case float64(l.zeros) > mostZeros*float64(l.n):
		return false
	case l.filled > 0 && float64(l.mirrors) > mostMirrors*float64(l.filled):
		return false
	case float64(len(l.seen)) < fewValues*float64(min(l.n, watched)):
		return false
	}
	return l.rows > 0 && l.cosines/float64(l.rows) < smoothRows
}
