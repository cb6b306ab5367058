// Package storetest holds a store against the embedded index: the same calls must
// give the same answers to the bit.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
	"github.com/weightprint/weightprint/store"
)

// Run makes a new store for each of the scenarios, holds what they require, and
// compares all that was answered with the answers of the embedded index.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			want := play(t, c.run, store.Files(filepath.Join(t.TempDir(), "x")))
			got := play(t, c.run, open(t))
			require.Equal(t, want, got)
		})
	}
}

var scenarios = []struct {
	name string
	run  func(p *player)
}{
	{"search", searches}, {"kinds of summaries", kindsOfSummaries}, {"strangers of all builds", mixed}, {"more than are screened", many}, {"copies", copies},
	{"remove", removes}, {"generic content", genericContent}, {"names", oddNames}, {"merge", merges}, {"save", saves}, {"writers at once", writers},
}

// player calls a store and writes down what it answers.
type player struct {
	t      *testing.T
	s      store.Store
	script []string
}

func play(t *testing.T, run func(p *player), s store.Store) []string {
	t.Helper()
	p := &player{t: t, s: s}
	run(p)
	require.NoError(t, s.Close())
	return p.script
}

// note writes results down, errors by their kind.
func (p *player) note(what string, result any, err error) {
	text, fault := json.Marshal(result)
	require.NoError(p.t, fault)
	kind := "no error"
	if err != nil {
		kind = "another error"
		for _, k := range []error{index.ErrName, index.ErrNoEntry, index.ErrCorrupt, index.ErrMissing} {
			if errors.Is(err, k) {
				kind = k.Error()
			}
		}
	}
	p.script = append(p.script, fmt.Sprintf("%s: %s, %s", what, text, kind))
}

func (p *player) add(entries ...index.Entry) index.Added {
	p.t.Helper()
	a, err := p.s.Add(context.Background(), entries)
	p.note("add", a, err)
	return a
}

func (p *player) list() []string {
	l, err := p.s.List(context.Background())
	require.NoError(p.t, err)
	p.note("list", l, nil)
	c, err := p.s.Check(context.Background())
	require.NoError(p.t, err)
	p.note("check", c, nil)
	return l.Names
}

func (p *player) search(f *fingerprint.Fingerprint) *index.Found {
	p.t.Helper()
	found, err := p.s.Search(context.Background(), f, 5, stats.LogP(-7))
	require.NoError(p.t, err)
	p.note("search", found, nil)
	return found
}

func (p *player) remove(names []string, numbers ...int64) int {
	n, err := p.s.Remove(context.Background(), names, numbers)
	p.note("remove", n, err)
	return n
}

var sketchOnly = &fingerprint.Options{SketchOnly: true}

func entry(name string, seed uint64) index.Entry {
	return index.Entry{Name: name, Fingerprint: fingerprinttest.Of(fingerprinttest.Small, seed, sketchOnly)}
}

var one = sync.OnceValue(func() *fingerprint.Fingerprint { return fingerprinttest.Of(fingerprinttest.Middle, 1, nil) })

// old is a fingerprint with a residual sketch.
var old = sync.OnceValue(func() *fingerprint.Fingerprint {
	return fingerprinttest.Of(fingerprinttest.Middle, 5, &fingerprint.Options{Version: 1})
})

func strangers(like *fingerprint.Fingerprint, n int, seed uint64) []index.Entry {
	r := rand.New(rand.NewPCG(seed, 9))
	out := make([]index.Entry, n)
	for i := range out {
		out[i] = index.Entry{Name: fmt.Sprint("stranger ", seed, " ", i), Fingerprint: fingerprinttest.Like(like, r)}
	}
	return out
}

func searches(p *player) {
	p.add(strangers(one(), 400, 1)...) // more than are tested in full
	p.add(index.Entry{Name: "the one", Fingerprint: one()})
	p.add(strangers(one(), 200, 2)...)
	found := p.search(one())
	require.Equal(p.t, 601, found.Searched)
	require.Len(p.t, found.Hits, 1)
	require.True(p.t, found.Hits[0].Same)
	require.Empty(p.t, p.search(fingerprinttest.Of(fingerprinttest.Middle, 2, nil)).Hits)
}

func kindsOfSummaries(p *player) {
	r := rand.New(rand.NewPCG(4, 4))
	p.add(append(strangers(one(), 600, 1), index.Entry{Name: "the one", Fingerprint: one()})...)
	p.add(append(strangers(old(), 300, 2), index.Entry{Name: "the old", Fingerprint: old()})...)
	for _, c := range []struct {
		name string
		like *fingerprint.Fingerprint
		copy func(q *fingerprint.Fingerprint)
	}{
		{"the one", one(), func(q *fingerprint.Fingerprint) { copy(q.Sketches, one().Sketches) }},
		{"the one", one(), func(q *fingerprint.Fingerprint) { q.Tokens = one().Tokens }},
		{"the one", one(), func(q *fingerprint.Fingerprint) { q.Probes = one().Probes }},
		{"the old", old(), func(q *fingerprint.Fingerprint) { q.Sketches[0] = old().Sketches[0] }},
	} {
		q := fingerprinttest.Like(c.like, r)
		c.copy(q)
		found := p.search(q)
		require.Len(p.t, found.Hits, 1)
		require.Equal(p.t, c.name, found.Hits[0].Name)
	}
}

// mixed asks for models of several builds among entries of all of them, so that
// each distance is missing for some.
func mixed(p *player) {
	small := fingerprinttest.Of(fingerprinttest.Small, 1, sketchOnly)
	for k, like := range []*fingerprint.Fingerprint{one(), small, old()} {
		p.add(strangers(like, 300, uint64(k+1))...)
	}
	r := rand.New(rand.NewPCG(8, 8))
	for _, like := range []*fingerprint.Fingerprint{one(), small, old()} {
		p.search(like)
		p.search(fingerprinttest.Like(like, r))
	}
}

// many are more than keys leave over, so that each kind of key decides.
func many(p *player) {
	if testing.Short() {
		p.t.Skip("searches among 5,000 strangers")
	}
	small := fingerprinttest.Of(fingerprinttest.Small, 1, sketchOnly)
	for k, like := range []*fingerprint.Fingerprint{one(), small, old()} {
		all := strangers(like, 300, uint64(10+k))
		if k == 1 {
			all = strangers(like, index.Screened+200, uint64(10+k))
		}
		for first := 0; first < len(all); first += 500 {
			p.add(all[first:min(len(all), first+500)]...)
		}
	}
	r := rand.New(rand.NewPCG(8, 9))
	for _, like := range []*fingerprint.Fingerprint{one(), small, old()} {
		p.search(like)
		p.search(fingerprinttest.Like(like, r))
	}
}

func copies(p *player) {
	as := func(names ...string) (all []index.Entry) {
		for _, n := range names {
			all = append(all, index.Entry{Name: n, Fingerprint: one()})
		}
		return all
	}
	require.Equal(p.t, index.Added{New: 2, Known: 1, Copies: []index.Copy{{Name: "b", Of: "a"}}}, p.add(as("a", "b", "a")...))
	require.Equal(p.t, index.Added{New: 1, Known: 1, Copies: []index.Copy{{Name: "c", Of: "a"}}}, p.add(as("c", "b")...))
	require.Len(p.t, p.search(one()).Hits, 3)
	p.remove([]string{"a"})
	require.Equal(p.t, []index.Copy{{Name: "a", Of: "b"}}, p.add(as("a")...).Copies)
	p.list()
}

func removes(p *player) {
	p.add(entry("a", 1), entry("b", 2), entry("c", 3), entry("b", 4))
	require.Equal(p.t, 2, p.remove([]string{"b"}))
	require.Equal(p.t, []string{"a", "c"}, p.list())
	require.Zero(p.t, p.remove([]string{"b"}))
	require.Zero(p.t, p.remove([]string{"a", "none"}))
	require.Zero(p.t, p.remove(nil, 1))
	require.Zero(p.t, p.remove(nil, 0, 99))
	require.Equal(p.t, []string{"a", "c"}, p.list(), "all or none")
	p.add(entry("b", 2), entry("d", 5))
	require.Equal(p.t, 1, p.remove(nil, 7), "numbers go on behind the notes of removals")
	require.Equal(p.t, []string{"a", "c", "b"}, p.list())
}

func genericContent(p *player) {
	zeros := *one()
	zeros.Sketches, zeros.Probes, zeros.Tokens = nil, nil, nil
	zeros.Root[0] ^= 1
	p.add(append(strangers(one(), 300, 1), index.Entry{Name: "nothing to test", Fingerprint: &zeros})...)
	require.Equal(p.t, 1, p.search(one()).Quarantined)
	require.Len(p.t, p.search(&zeros).Hits, 1)
	p.remove([]string{"nothing to test"})
	require.Zero(p.t, p.search(one()).Quarantined)
}

func oddNames(p *player) {
	for _, name := range []string{"", string(make([]byte, 161))} {
		p.add(entry("kept back", 1), entry(name, 1))
	}
	p.add(entry("\x00\xff not text", 1), entry("'; DROP TABLE weightprint.entries; --", 2), entry("网络", 3))
	require.Len(p.t, p.list(), 3)
	p.remove([]string{"\x00\xff not text"})
	p.list()
	p.add()
}

func merges(p *player) {
	dir := p.t.TempDir()
	var from []string
	for name, all := range map[string][]index.Entry{"a": {entry("a", 1), entry("both", 3)}, "b": {entry("both", 3), entry("b", 2)}} {
		from = append(from, filepath.Join(dir, name))
		_, err := index.Add(from[len(from)-1], all...)
		require.NoError(p.t, err)
	}
	p.note("merge", nil, p.s.Merge(context.Background(), from))
	require.Len(p.t, p.list(), 3)
	require.Error(p.t, p.s.Merge(context.Background(), from), "it holds entries")
	p.add(entry("more", 9))
	require.Len(p.t, p.list(), 4)
}

func saves(p *player) {
	p.add(entry("a", 1), entry("b", 2), entry("c", 3))
	p.remove([]string{"b"})
	path := filepath.Join(p.t.TempDir(), "saved")
	require.NoError(p.t, p.s.Save(context.Background(), path))
	x, err := index.Open(path)
	require.NoError(p.t, err)
	defer x.Close()
	names, err := x.Names()
	require.NoError(p.t, err)
	p.note("saved", names, nil)
	require.Error(p.t, p.s.Save(context.Background(), path), "it is there")
}

// writers add at once; the order is theirs, so only the sum is compared.
func writers(p *player) {
	const each = 60
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range each / 20 {
				var some []index.Entry
				for k := range 20 {
					some = append(some, index.Entry{Name: fmt.Sprint(n, "/", i, "/", k), Fingerprint: one()})
				}
				if a, err := p.s.Add(context.Background(), some); err != nil || a.New != len(some) {
					p.t.Error(a, err)
				}
			}
		})
	}
	wg.Wait()
	l, err := p.s.List(context.Background())
	require.NoError(p.t, err)
	slices.Sort(l.Names)
	require.Len(p.t, slices.Compact(l.Names), 8*each)
	p.note("list", l.Names, nil)
}
