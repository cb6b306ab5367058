package index

import (
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
)

// Distances of keys against a plain count over the summaries they are made of.
func TestKeyDistances(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	all := assorted(60)
	for _, a := range all {
		for _, b := range all {
			if r.IntN(3) == 0 {
				b = related(a, b, r)
			}
			ra, rb := summarise(a), summarise(b)
			got := ask(a.Fingerprint).distances((*[keyBytes]byte)(encodeKey(nil, &rb)))
			require.Equal(t, plainDistances(&ra.Summary, &rb.Summary), got, "%s, %s", a.Name, b.Name)
		}
	}
}

// related takes some parts of b from a, so that distances are not all those of
// strangers.
func related(a, b Entry, r *rand.Rand) Entry {
	f := *b.Fingerprint
	if r.IntN(2) == 0 {
		f.Probes = a.Fingerprint.Probes
	}
	if r.IntN(2) == 0 {
		f.Tokens = a.Fingerprint.Tokens
	}
	return Entry{b.Name, &f}
}

func plainDistances(a, b *Summary) (d [channels]int) {
	const never = int(^uint(0) >> 1)
	apart := func(x, y []uint64) (n int) {
		for i := range x {
			n += bits.OnesCount64(x[i] ^ y[i])
		}
		return n
	}
	d = [channels]int{never, never, 0, never}
	if a.Length > 0 && a.Length == b.Length && a.Dim == b.Dim {
		for i := range a.Units {
			for j := range b.Units {
				d[0] = min(d[0], apart(a.Units[i][:6], b.Units[j][:6]))
			}
		}
	}
	if a.Hidden > 0 && a.Hidden == b.Hidden {
		d[1] = apart(a.Residual[:2], b.Residual[:2])
	}
	place := func(s *Summary, i, t int) uint64 { return s.Places[i][t/4] >> (16 * (t % 4)) & 0xffff }
	for i := range a.Places {
		for j := range b.Places {
			n := 0
			for t := range 8 {
				p, q := place(a, i, t), place(b, j, t)
				if p != NoPlace && q != NoPlace && p%255 == q%255 {
					n++
				}
				x, y := a.Profiles[i][t]&0xffff, b.Profiles[j][t]&0xffff
				if apart := bits.OnesCount64(x ^ y); x != 0 && y != 0 && (apart <= 3 || apart >= 13) {
					n += 2
				}
			}
			d[2] = min(d[2], -n)
		}
	}
	none := [4]uint64{}
	if [4]uint64(a.Tokens[:4]) != none && [4]uint64(b.Tokens[:4]) != none {
		d[3] = apart(a.Tokens[:4], b.Tokens[:4])
	}
	return d
}

func TestAlike(t *testing.T) {
	for x := range uint64(1 << 16) {
		n := bits.OnesCount64(x)
		want := uint64(0)
		if n <= NearKeyProfile || n >= 16-NearKeyProfile {
			want = 0x8000
		}
		other := 0xffff - x
		require.Equal(t, want, alike(x)&0x8000)
		require.Equal(t, want<<16|want<<48, alike(x<<16|other<<48)&0x8000000080000000)
	}
}

// assorted lists n entries of all builds, some of them copies and some with
// nothing to be tested.
func assorted(n int) (out []Entry) {
	old := fingerprinttest.Of(fingerprinttest.Middle, 5, &fingerprint.Options{Version: 1})
	like := []*fingerprint.Fingerprint{fingerprinttest.Of(fingerprinttest.Middle, 1, nil), template, old}
	r := rand.New(rand.NewPCG(2, 2))
	for i := range n {
		f := fingerprinttest.Like(like[i%len(like)], r)
		if i%17 == 5 {
			f.Sketches, f.Probes, f.Tokens = nil, nil, nil
		}
		if i%50 == 49 {
			f = out[i-49].Fingerprint
		}
		out = append(out, Entry{fmt.Sprint("entry ", i), f})
	}
	return out
}

// answers are all that an index says of itself and of some searches.
func answers(t *testing.T, path string, all []Entry) string {
	t.Helper()
	x, err := Open(path)
	require.NoError(t, err)
	defer x.Close()
	var out []any
	for _, e := range all {
		found, err := x.Search(context.Background(), e.Fingerprint, 9, -7)
		require.NoError(t, err)
		out = append(out, found)
	}
	names, err := x.Names()
	require.NoError(t, err)
	require.Empty(t, x.Bad())
	b, err := json.Marshal(append(out, x.Len(), x.Quarantined(), names, x.Number(0), x.Number(x.Len()/2), x.Number(x.Len()-1)))
	require.NoError(t, err)
	return string(b)
}

// built is an index of 1,000 assorted entries, of which some are removed, also
// in other blocks than the notes of their removals.
func built(t *testing.T) (path string, all []Entry) {
	t.Helper()
	path, all = filepath.Join(t.TempDir(), "x"), assorted(1000)
	w, err := OpenWriter(path)
	require.NoError(t, err)
	for first := 0; first < len(all); first += 100 { // blocks are filled by several commits
		_, err := w.Add(all[first:min(len(all), first+100)]...)
		require.NoError(t, err)
		if first == 300 || first == 800 {
			require.NoError(t, w.Close())
			var gone []string
			for i := 0; i < first; i += 45 {
				gone = append(gone, fmt.Sprint("entry ", i+first/100))
			}
			_, err = Remove(path, gone, nil)
			require.NoError(t, err)
			w, err = OpenWriter(path)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return path, all
}

// The column only makes a search faster: without it, with any of it damaged, and
// with that of another index in its place the answers are the same.
func TestColumnChangesNoAnswer(t *testing.T) {
	path, all := built(t)
	queries := []Entry{all[0], all[1], all[2], all[22]}
	whole, err := os.ReadFile(keysAt(path))
	require.NoError(t, err)
	require.Len(t, whole, 4*columnBlock)
	x, err := Open(path)
	require.NoError(t, err)
	require.NotNil(t, x.column)
	require.NoError(t, x.Close())
	want := answers(t, path, queries)

	other := filepath.Join(t.TempDir(), "other")
	_, err = Add(other, assorted(1100)[60:]...)
	require.NoError(t, err)
	foreign, err := os.ReadFile(keysAt(other))
	require.NoError(t, err)
	flipped := func(at int) []byte {
		b := slices.Clone(whole)
		b[at] ^= 4
		return b
	}
	for name, b := range map[string][]byte{
		"of another":     foreign,
		"magic":          flipped(3),
		"digest":         flipped(columnBlock + 20),
		"counts":         flipped(2*columnBlock + 41),
		"key":            flipped(columnBlock + headBytes + 700),
		"flags":          flipped(2*columnBlock + headBytes + atFlags),
		"the last":       flipped(len(whole) - 1),
		"cut":            whole[:3*columnBlock],
		"cut in a block": whole[:3*columnBlock+5000],
		"blocks swapped": append(slices.Clone(whole[columnBlock:2*columnBlock]), append(slices.Clone(whole[:columnBlock]), whole[2*columnBlock:]...)...),
		"none":           nil,
		"empty":          {},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.Remove(keysAt(path)))
			if b != nil {
				require.NoError(t, os.WriteFile(keysAt(path), b, 0o600))
			}
			require.Equal(t, want, answers(t, path, queries))
			require.NoError(t, os.WriteFile(keysAt(path), whole, 0o600))
		})
	}
}

// A column that is gone or cannot be used is made anew when a block is filled, and
// is the same as one that grew.
func TestColumnIsMadeAnew(t *testing.T) {
	all := assorted(1100)
	grown, late, lost := filepath.Join(t.TempDir(), "x"), filepath.Join(t.TempDir(), "x"), filepath.Join(t.TempDir(), "x")
	for first := 0; first < len(all); first += 100 {
		_, err := Add(grown, all[first:first+100]...)
		require.NoError(t, err)
		_, err = Add(lost, all[first:first+100]...)
		require.NoError(t, err)
		if first == 700 {
			require.NoError(t, os.WriteFile(keysAt(lost), []byte(keysMagic+"half"), 0o600))
		}
	}
	_, err := Add(late, all...)
	require.NoError(t, err)
	want, err := os.ReadFile(keysAt(grown))
	require.NoError(t, err)
	for _, path := range []string{late, lost} {
		got, err := os.ReadFile(keysAt(path))
		require.NoError(t, err)
		require.Equal(t, want, got)
		x, err := Open(path)
		require.NoError(t, err)
		require.NotNil(t, x.column)
		require.NoError(t, x.Close())
	}
}

// A file that somebody else wrote in the column's place stays, and the index does
// without.
func TestForeignColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(keysAt(path), []byte("notes"), 0o600))
	_, err := Add(path, assorted(300)...)
	require.NoError(t, err)
	b, err := os.ReadFile(keysAt(path))
	require.NoError(t, err)
	require.Equal(t, "notes", string(b))
	x, err := Open(path)
	require.NoError(t, err)
	require.Nil(t, x.column)
	require.Equal(t, 300, x.Len())
	require.NoError(t, x.Close())
}

// Opening an index with a column looks at the heads of its blocks and at the last
// records, not at all of them.
func TestOpeningReadsLittle(t *testing.T) {
	m := newMemory()
	require.NoError(t, add(m, "x", some(0, 1030)))
	m.read = 0
	x, err := open(m, "x")
	require.NoError(t, err)
	require.Equal(t, 1030, x.Len())
	require.Less(t, m.read, 20_000, "bytes of a million")
}

// After a power cut, or when any call fails, an index of more than a block is as
// whole as a small one, and its column never holds keys of what is not there.
func TestColumnAfterFaults(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 8
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 3))
		m := newMemory()
		done := 0
		require.NoError(t, add(m, "x", some(0, 200)))
		done = 200
		m.calls, m.fail, m.after = 0, 1+r.IntN(40), r.IntN(2) == 0
		next := done + 40
		for ; next < 700; next += 20 + r.IntN(100) {
			if add(m, "x", some(done, next)) != nil {
				break
			}
			done = next
		}
		m.fail = 0
		for _, fs := range []*memory{m, m.crash(r)} {
			n := holds(t, fs, "x", done, next)
			require.NoError(t, add(fs, "x", some(n, 800)))
			holds(t, fs, "x", 800)
			x, err := open(fs, "x")
			require.NoError(t, err)
			require.NotNil(t, x.column)
			with, err := x.screen(context.Background(), []*asked{ask(some(5, 6)[0].Fingerprint)})
			require.NoError(t, err)
			x.column = nil
			without, err := x.screen(context.Background(), []*asked{ask(some(5, 6)[0].Fingerprint)})
			require.NoError(t, err)
			require.Equal(t, without, with)
		}
	}
}
