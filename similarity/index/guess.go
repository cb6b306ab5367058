package index

import (
	"context"
	"math"
)

// screen looks at the keys of all entries, once for all queries. What is nearest in a
// sample says about how near the nearest of all are, so that little is kept to be dropped
// again. That was a guess: where fewer than are kept lie within it, the pass is made anew
// without, and so no guess changes what is found.
func (x *Index) screen(ctx context.Context, queries []*asked) ([]*scan, error) {
	most, err := x.guess(ctx, queries)
	if err != nil {
		return nil, err
	}
	return x.screenWithin(ctx, queries, most)
}

// screenWithin does so with the limits that were guessed.
func (x *Index) screenWithin(ctx context.Context, queries []*asked, most [][channels]int) ([]*scan, error) {
	out, err := x.pass(ctx, queries, most)
	if err != nil {
		return nil, err
	}
	var again []*asked
	var at []int
	for i, s := range out {
		if s.short() {
			again, at = append(again, queries[i]), append(at, i)
		}
	}
	if len(again) == 0 {
		return out, nil
	}
	more, err := x.pass(ctx, again, limitsOf(again))
	for k, s := range more {
		scans.Put(out[at[k]])
		out[at[k]] = s
	}
	return out, err
}

// unlimited are the limits of who guesses nothing.
var unlimited = [channels]int{math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt}

// limitsOf are no limits for so many queries.
func limitsOf(queries []*asked) [][channels]int {
	out := make([][channels]int, len(queries))
	for i := range out {
		out[i] = unlimited
	}
	return out
}

const (
	// sampledShare is the share of blocks, one in so many, that is looked at to guess.
	sampledShare = 16
	// mostSampled is the largest number of these: 16,384 keys, of which 67 are nearer
	// than the 4,096th of a million.
	mostSampled = 64
)

// guess says for each query within which distances about as many entries lie as are
// kept: it counts those of a sample of blocks, evenly spread, and adds six standard
// deviations of such a count.
func (x *Index) guess(ctx context.Context, queries []*asked) ([][channels]int, error) {
	most := limitsOf(queries)
	blocks := x.count / blockSize
	sample := min(blocks/sampledShare, mostSampled)
	if sample == 0 {
		return most, nil
	}
	counts := make([]sampled, len(queries))
	var space keySpace
	var far apart
	for k := range sample {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at := k * blocks / sample
		b, err := x.block(at, &space)
		if err != nil {
			return nil, err
		}
		for i, q := range queries {
			b.compare(q, seek(q), &far)
			counts[i].add(b, &far)
		}
	}
	expected := Screened * float64(sample*blockSize) / float64(x.count)
	enough := int(expected + 6*math.Sqrt(expected))
	for i := range most {
		for c := range most[i] {
			most[i][c] = counts[i].within(c, enough)
		}
	}
	return most, nil
}

// sampled counts the entries of a sample by their distances from a query.
type sampled [channels][ranks]int32

func (s *sampled) add(b *block, far *apart) {
	for i := range b.n {
		if b.flags(i)&(keyRemoval|keyBad|flagQuarantined) == 0 {
			for c := range s {
				s[c][rankOf(far.distance(c, i))]++
			}
		}
	}
}

// within is the least distance within which there are so many; none where only those
// that cannot be compared make them so many.
func (s *sampled) within(channel, enough int) int {
	n := 0
	for rank, more := range s[channel][:ranks-1] {
		if n += int(more); n >= enough {
			return rank - mostFound
		}
	}
	return math.MaxInt
}
