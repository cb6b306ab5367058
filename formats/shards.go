package formats

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// maxShards bounds the files of a checkpoint; the largest published ones have
// some 1,400.
const maxShards = 10_000

// index opens the shards that an index names. The index and the shards must
// agree on every tensor.
func (op *opener) index(name string) error { return op.indexOf(name, nil) }

// indexOf opens by an index that lies beside a shard of the given name. A shard
// that the index does not name is one of another set.
func (op *opener) indexOf(name string, shard []string) error {
	label := op.place.Label(name)
	ix, err := readIndex(op, name, label)
	if err != nil {
		return err
	}
	if shard != nil && ix.shards[shard[0]] == "" {
		op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("%s does not name %s; its set was opened without the index", escape.Printable(name), escape.Printable(shard[0])))
		return op.set(shard)
	}
	shards := slices.Sorted(maps.Keys(ix.shards))
	if missing := op.missing(shards); len(missing) > 0 {
		return op.stale(label, ix, shards, missing)
	}
	if err := op.complete(label, ix, shards); err != nil {
		return err
	}
	for _, shard := range shards {
		if err := op.within(label, shard); err != nil {
			return err
		}
		f, err := op.blob(shard)
		if err != nil {
			return err
		}
		s, err := op.shard(f)
		if err != nil {
			return err
		}
		for _, t := range s.Tensors() {
			mapped, ok := ix.tensors[t.Name]
			switch {
			case !ok:
				if err := op.forgive(tensor.Errorf(tensor.ErrFormat, label, 0, "weight_map", "%s holds the tensor %s, which the index does not name", quote(shard), quote(t.Name))); err != nil {
					return err
				}
			case mapped.shard != shard && op.c.byName.find(t.Name) == nil:
				return tensor.Errorf(tensor.ErrFormat, label, mapped.at, "weight_map "+quote(t.Name), "the tensor is mapped to %s but lies in %s", quote(mapped.shard), quote(shard))
			}
		}
		if err := op.c.join(s, f.label(op)); err != nil {
			return err
		}
	}
	return op.agree(label, ix)
}

// agree checks what only the whole set shows: every mapped tensor is there,
// and the declared size is right.
func (op *opener) agree(label string, ix *index) error {
	for _, name := range slices.Sorted(maps.Keys(ix.tensors)) {
		if op.c.byName.find(name) == nil {
			m := ix.tensors[name]
			return tensor.Errorf(tensor.ErrFormat, label, m.at, "weight_map "+quote(name), "%s does not hold this tensor", quote(m.shard))
		}
	}
	if !ix.hasSize {
		return nil
	}
	total := int64(0)
	for _, t := range op.c.tensors {
		total += t.StoredBytes()
	}
	if op.c.Format == "torch" {
		op.noteSize(ix, total)
		return nil
	}
	if !ix.declares(total) {
		return op.forgive(tensor.Errorf(tensor.ErrFormat, label, ix.sizeAt, "metadata total_size", "%s, but the tensors have %d bytes", ix.size, total))
	}
	return nil
}

// complete requires that numbered shards are all there and that no further
// shard of the same set lies beside them unnamed.
func (op *opener) complete(label string, ix *index, shards []string) error {
	prefixes, counts := map[string]bool{}, map[string]bool{}
	for _, s := range shards {
		if m := numbered.FindStringSubmatch(s); m != nil {
			prefixes[m[1]], counts[m[3]] = true, true
			if n, _ := strconv.Atoi(m[3]); n != len(shards) {
				if err := op.forgive(tensor.Errorf(tensor.ErrFormat, label, 0, "weight_map", "the name %s speaks of %d shards, the index names %d", quote(s), n, len(shards))); err != nil {
					return err
				}
				break
			}
		}
	}
	names, err := op.place.Names(op.ctx)
	if err != nil {
		return nil // the shards themselves may still be readable
	}
	for _, name := range names {
		m := numbered.FindStringSubmatch(name)
		if m == nil || !counts[m[3]] && completeSet(names, m) { // whole, so another checkpoint
			continue
		}
		if m[4] == ix.ending && prefixes[m[1]] && !slices.Contains(shards, name) {
			if err := op.forgive(tensor.Errorf(tensor.ErrFormat, label, 0, "weight_map", "the shard %s lies here but is not named", quote(name))); err != nil {
				return err
			}
		}
	}
	return nil
}

// missing lists the shards that do not lie where the index does.
func (op *opener) missing(shards []string) (out []string) {
	names, _ := op.place.Names(op.ctx) // of a server it may be one of many
	for _, s := range shards {
		if !slices.Contains(names, s) && !op.exists(s) {
			out = append(out, s)
		}
	}
	return out
}

// base is the name of a file that errors call by its label.
func (op *opener) base(label string) string { return label[strings.LastIndexAny(label, `/\\`)+1:] }

// isAbsent tells an error that a file does not exist.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// within requires that a shard named by an index lies in its folder.
func (op *opener) within(label, shard string) error {
	if op.place.Strays(shard) {
		return tensor.Errorf(tensor.ErrFormat, label, 0, "weight_map", "the shard %s is a link that leaves the folder", quote(shard))
	}
	return nil
}

// set opens numbered safetensors or torch shards without an index. All must
// be there.
func (op *opener) set(m []string) error {
	n, _ := strconv.Atoi(m[3])
	if n == 0 || n > maxShards {
		return tensor.Errorf(tensor.ErrLimit, op.place.Label(m[0]), 0, "shard count", "%d shards, at least 1 and at most %d", n, maxShards)
	}
	for i := 1; i <= n; i++ {
		f, err := op.blob(fmt.Sprintf("%s-%05d-of-%s.%s", m[1], i, m[3], m[4]))
		if err != nil {
			return err
		}
		s, err := op.shard(f)
		if err != nil {
			return err
		}
		if err := op.c.join(s, f.label(op)); err != nil {
			return err
		}
	}
	return nil
}

// split opens a GGUF split set from any of its files.
func (op *opener) split(name string) error {
	m := numbered.FindStringSubmatch(name)
	n, _ := strconv.Atoi(m[3])
	if n == 0 || n > maxShards {
		return tensor.Errorf(tensor.ErrLimit, op.place.Label(name), 0, "shard count", "%d shards, at least 1 and at most %d", n, maxShards)
	}
	if err := op.noExtra(m, n); err != nil {
		return err
	}
	var first *gguf.File
	for i := range n {
		f, err := op.blob(fmt.Sprintf("%s-%05d-of-%s.gguf", m[1], i+1, m[3]))
		if err != nil {
			return err
		}
		g, err := ggufShard(op.ctx, op.input(f))
		if err != nil {
			return err
		}
		op.c.Format, op.whole = ggufFormat.Name, ggufFormat.Whole
		if first == nil {
			first = g
		}
		if err := fits(f.label(op), first, g, i, n); err != nil {
			return err
		}
		if err := op.c.join(g, f.label(op)); err != nil {
			return err
		}
	}
	if _, _, tensors, ok, _ := first.Split(); ok && tensors != len(op.c.tensors) {
		return tensor.Errorf(tensor.ErrFormat, op.place.Label(name), 0, "split.tensors.count", "%d tensors declared, the shards hold %d", tensors, len(op.c.tensors))
	}
	return nil
}

// noExtra refuses further files of the set beyond its count.
func (op *opener) noExtra(m []string, n int) error {
	names, err := op.place.Names(op.ctx)
	if err != nil {
		return nil // the shards themselves may still be readable
	}
	for _, name := range names {
		x := numbered.FindStringSubmatch(name)
		if x == nil || x[1] != m[1] || x[3] != m[3] || x[4] != "gguf" {
			continue
		}
		if no, _ := strconv.Atoi(x[2]); no < 1 || no > n {
			return op.forgive(tensor.Errorf(tensor.ErrFormat, op.place.Label(name), 0, "shard number", "a shard beyond the %d of the set lies here", n))
		}
	}
	return nil
}

// fits checks a shard against its name and the first shard.
func fits(label string, first, g *gguf.File, i, n int) error {
	no, count, _, ok, err := g.Split()
	if err != nil {
		return err
	}
	archA, _ := first.Metadata().String("general.architecture")
	archB, hasArch := g.Metadata().String("general.architecture")
	for _, rule := range []struct {
		broken     bool
		field, why string
	}{
		{!ok && n > 1, "split keys", "a shard of a set has split.no and split.count"},
		{ok && no != i, "split.no", fmt.Sprintf("%d, but the name says %d (counted from 0)", no, i)},
		{ok && count != n, "split.count", fmt.Sprintf("%d, but the name says %d", count, n)},
		{g.BigEndian != first.BigEndian, "version", "the shards differ in byte order"},
		{g.Version != first.Version, "version", "the shards differ in version"},
		{g.Alignment != first.Alignment && len(g.Tensors()) > 0 && len(first.Tensors()) > 0, "general.alignment", "the shards differ in alignment"},
		{hasArch && archB != archA, "general.architecture", "the shards differ in architecture"},
	} {
		if rule.broken {
			return tensor.Errorf(tensor.ErrFormat, label, 0, rule.field, "%s", rule.why)
		}
	}
	return nil
}

// plainName tells whether a shard's name is a file name and nothing more.
func plainName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\\\x00:") && cmp.Compare(filepath.Base(s), s) == 0
}
