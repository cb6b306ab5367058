package formats

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
)

// cutUp matches the names of files that were cut into pieces without regard to what
// they hold, as hubs asked for of files beyond 50 GB, such as
// model.gguf.part1of3 and model.gguf-split-a. The pieces together are the file.
var cutUp = regexp.MustCompile(`^(.+\.gguf)(?:\.part(\d{1,3})of(\d{1,3})|-split-([a-z]))$`)

// firstPart matches the first of the pieces, which stands for all.
var firstPart = regexp.MustCompile(`\.gguf(\.part0*1of\d{1,3}|-split-a)$`)

// pieces lists the files that a piece belongs to, in order. Where letters number
// them the folder says how many there are.
func (op *opener) pieces(m []string) ([]string, error) {
	if m[4] != "" {
		var out []string
		for c := 'a'; c <= 'z' && op.exists(fmt.Sprintf("%s-split-%c", m[1], c)); c++ {
			out = append(out, fmt.Sprintf("%s-split-%c", m[1], c))
		}
		if last := m[1] + "-split-" + m[4]; len(out) == 0 || out[len(out)-1] < last {
			return nil, tensor.Errorf(ErrIncomplete, op.place.Label(last), -1, "file", "pieces before it do not lie here: the download is incomplete")
		}
		return out, nil
	}
	n, _ := strconv.Atoi(m[3])
	if no, _ := strconv.Atoi(m[2]); n == 0 || no < 1 || no > n {
		return nil, tensor.Errorf(tensor.ErrFormat, op.place.Label(m[0]), 0, "file name", "piece %s of %s", m[2], m[3])
	}
	out := make([]string, n)
	for i := range out {
		if out[i] = fmt.Sprintf("%s.part%0*dof%s", m[1], len(m[2]), i+1, m[3]); !op.exists(out[i]) {
			return nil, tensor.Errorf(ErrIncomplete, op.place.Label(out[i]), -1, "file", "does not lie here, one of %d pieces: the download is incomplete", n)
		}
	}
	return out, nil
}

// together opens the file that was cut up.
func (op *opener) together(m []string) error {
	names, err := op.pieces(m)
	if err != nil {
		return err
	}
	x := &joined{}
	for _, name := range names {
		f, err := op.blob(name)
		if err != nil {
			return err
		}
		x.parts, x.ends = append(x.parts, f), append(x.ends, x.Size()+f.Size())
	}
	in := op.inputOf(m[1], x)
	in.Label = op.place.Label(m[0])
	f, err := op.formatOf(in)
	if err != nil {
		return err
	}
	model, err := op.read(f, in)
	if err != nil {
		return err
	}
	return op.c.join(model, in.Label)
}

// joined reads files as if they were one.
type joined struct {
	parts []*File
	ends  []int64 // of each within the whole
}

// Size is that of all.
func (x *joined) Size() int64 {
	if len(x.ends) == 0 {
		return 0
	}
	return x.ends[len(x.ends)-1]
}

// at finds the part in which an offset lies, and where that part begins.
func (x *joined) at(off int64) (i int, begins int64) {
	i = sort.Search(len(x.ends), func(i int) bool { return x.ends[i] > off })
	if i > 0 {
		begins = x.ends[i-1]
	}
	return i, begins
}

// ReadAt reads across the ends of the parts.
func (x *joined) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		i, begins := x.at(off + int64(n))
		if i == len(x.parts) {
			return n, io.EOF
		}
		from := off + int64(n) - begins
		most := min(int64(len(p)-n), x.parts[i].Size()-from)
		k, err := x.parts[i].ReadAt(p[n:int64(n)+most], from)
		if n += k; int64(k) < most {
			return n, err
		}
	}
	return n, nil
}

// Fetches tells whether announcing reads makes a difference.
func (x *joined) Fetches() bool { return len(x.parts) > 0 && x.parts[0].Fetches() }

// Fetch announces reads to the parts that they lie in.
func (x *joined) Fetch(ctx context.Context, spans []tensor.Span) error {
	each := make([][]tensor.Span, len(x.parts))
	for _, s := range spans {
		for s.Lo < min(s.Hi, x.Size()) {
			i, begins := x.at(s.Lo)
			hi := min(s.Hi, x.ends[i])
			each[i] = append(each[i], tensor.Span{Lo: s.Lo - begins, Hi: hi - begins})
			s.Lo = hi
		}
	}
	for i, part := range each {
		if len(part) == 0 {
			continue
		}
		if err := x.parts[i].Fetch(ctx, part); err != nil {
			return err
		}
	}
	return nil
}
