package index

import (
	"cmp"
	"math"
)

// candidate is an entry and how near it is.
type candidate struct {
	distance int
	entry    int64
}

func (c candidate) compare(o candidate) int {
	return cmp.Or(cmp.Compare(c.distance, o.distance), cmp.Compare(c.entry, o.entry))
}

// list keeps the nearest candidates, so many as keep says; of equal ones those of the
// lowest numbers. They are offered in the order of their numbers. Distances are counted,
// as they are few; nothing is sorted.
type list struct {
	keep  int
	most  int         // nothing beyond this distance is offered; see guess
	best  []candidate // that were near enough when they came, in order
	count [ranks]int  // of these, by rank
	n     int         // of rank worst and nearer
	worst int         // nothing beyond this rank gets in
}

// Distances are ranked from the nearest; that of what cannot be compared is last.
const (
	mostFound = 64   // a distance of what is found is no less than minus this
	mostApart = 1024 // bits
	ranks     = mostFound + mostApart + 2
)

func rankOf(distance int) int { return min(distance, mostApart+1) + mostFound }

func newList(keep int) list { return list{keep: keep, most: math.MaxInt, worst: ranks - 1} }

// limit is the largest distance that gets in.
func (l *list) limit() int {
	if l.n < l.keep {
		return l.most
	}
	return l.worst - mostFound - 1 // later ones of equal distance come too late
}

func (l *list) offer(c candidate) {
	if c.distance <= l.limit() {
		l.take(c)
	}
}

// take adds one that is within the limit.
func (l *list) take(c candidate) {
	rank := rankOf(c.distance)
	l.best = append(l.best, c)
	l.count[rank]++
	l.n++
	for l.n-l.count[l.worst] >= l.keep {
		l.n -= l.count[l.worst]
		l.worst--
	}
	if len(l.best) >= 4*l.keep {
		l.drop()
	}
}

// drop gives up what is beyond the worst that gets in.
func (l *list) drop() {
	kept := l.best[:0]
	for _, c := range l.best {
		if rankOf(c.distance) <= l.worst {
			kept = append(kept, c)
		}
	}
	l.best = kept
}

// cut leaves the nearest, in the order of their numbers.
func (l *list) cut() {
	l.drop()
	over := l.n - l.keep
	for i := len(l.best) - 1; over > 0; i-- {
		if rankOf(l.best[i].distance) == l.worst {
			l.best[i].entry = -1
			over--
		}
	}
	kept := l.best[:0]
	for _, c := range l.best {
		if c.entry >= 0 {
			kept = append(kept, c)
		}
	}
	l.best = kept
}
