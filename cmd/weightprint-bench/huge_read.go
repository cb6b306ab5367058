package main

import (
	"io"
	"sort"
)

// ReadAt reads the held beginning, and draws what lies behind it.
func (v *virtual) ReadAt(p []byte, off int64) (n int, err error) {
	if off < int64(len(v.head)) {
		n = copy(p, v.head[off:])
	}
	for n < len(p) {
		at := off + int64(n) - int64(len(v.head))
		if at >= v.end {
			return n, io.EOF
		}
		k, err := v.draw(p[n:], at)
		if err != nil {
			return n, err
		}
		n += k
	}
	return n, nil
}

// draw reads from one tensor. Values have two bytes, and ranges may cut one in half.
func (v *virtual) draw(p []byte, at int64) (int, error) {
	i := sort.Search(len(v.tensors), func(i int) bool { return v.tensors[i].at+v.tensors[i].bytes > at })
	t := v.tensors[i]
	from, to := at-t.at, min(at-t.at+int64(len(p)), t.bytes)
	whole := make([]byte, (to+to%2)-(from-from%2))
	if _, err := t.values.ReadAt(whole, from-from%2); err != nil {
		return 0, err
	}
	return copy(p, whole[from%2:from%2+to-from]), nil
}
