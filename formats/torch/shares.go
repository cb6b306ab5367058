package torch

import (
	"io"
	"sort"

	"github.com/weightprint/weightprint/formats/tensor"
)

// shares is a tensor that lies in several runs, one behind the other.
type shares struct {
	item  int64 // bytes of an element
	parts []*tensor.Stored
	ends  []int64 // in bytes, of each part
}

// cut adds n elements from a place on in groups that follow one another.
func (s *shares) cut(groups []*view, at, n int64) {
	for _, g := range groups {
		if take := min(n, g.shape[0]-at); take > 0 && at >= 0 {
			t := g.tensor("", "").Data.(*tensor.Stored)
			t.Offset, t.Bytes = t.Offset+at*s.item, take*s.item
			end := t.Bytes
			if len(s.ends) > 0 {
				end += s.ends[len(s.ends)-1]
			}
			s.parts, s.ends = append(s.parts, t), append(s.ends, end)
			at, n = at+take, n-take
		}
		at -= g.shape[0]
		if n == 0 {
			return
		}
	}
}

// ReadAt fills p with the bytes from off on.
func (s *shares) ReadAt(p []byte, off int64) (done int, err error) {
	for k := sort.Search(len(s.ends), func(k int) bool { return s.ends[k] > off }); len(p) > 0; k++ {
		if k == len(s.parts) {
			return done, io.EOF
		}
		from := off - (s.ends[k] - s.parts[k].Bytes)
		n := min(int64(len(p)), s.parts[k].Bytes-from)
		if err := s.parts[k].ReadRaw(p[:n], from); err != nil {
			return done, err
		}
		p, off, done = p[n:], off+n, done+int(n)
	}
	return done, nil
}
