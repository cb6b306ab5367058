package onnx

import (
	"fmt"
	"math"
)

// called finds the name of a tensor and, for a matrix that lies inputs ×
// outputs, the order that puts it right.
func (f *finder) called(v *values, x *value, rank int) (name string, order []int) {
	own := plainName(x.name)
	if !anonymous.MatchString(own) {
		return f.free(f.within(v, own), v), nil
	}
	p := x.place(rank)
	if p.swapped {
		order = []int{1, 0}
	}
	if p.name != "" {
		if name := f.within(v, p.name); !f.taken[name] {
			return f.free(name, v), order
		}
	}
	return f.free(f.within(v, own), v), order
}

// free makes a name unique.
func (f *finder) free(name string, v *values) string {
	if f.file.byName[name] != nil && v.g.path != "" {
		name = v.g.path + "/" + name
	}
	for base := name; f.file.byName[name] != nil; {
		f.again[base]++
		name = fmt.Sprintf("%s#%d", base, f.again[base]+1)
	}
	return name
}

// first is the place where a value is used first, of nodes and of inputs within
// a node; behind all others if it is not used. Modules list their parameters
// much in this order.
func (x *value) first() int {
	n := math.MaxInt
	for _, u := range x.ends(between) {
		at, input := u.n, u.input
		if p := u.product(); p != nil { // a bias stands behind the weight
			at, input = p, 2
		}
		n = min(n, at.order*placesOfNode+min(input, 15)*4)
	}
	return n
}

// placesOfNode is how many places in order the tensors of one node may have.
const placesOfNode = 64

// aliases lists further names of a tensor: exporters keep one of equal
// parameters and make the others of it.
func (f *finder) aliases(v *values) {
	for _, n := range v.g.nodes {
		if n.op != "Identity" || len(n.in) != 1 || len(n.out) != 1 || anonymous.MatchString(n.out[0]) {
			continue
		}
		made := v.named[n.out[0]] // nil for an output without a name
		if made == nil || len(made.uses) == 0 {
			continue
		}
		x := v.find(n.in[0])
		for range maxHops {
			if x != nil && x.by != nil && x.by.op == "Identity" && len(x.by.in) == 1 {
				x = v.find(x.by.in[0])
			}
		}
		if x == nil || x.c == nil || !x.c.floating() || f.file.byName[n.out[0]] != nil {
			continue
		}
		t := f.file.byName[f.within(v, plainName(x.name))]
		if t == nil || t.Data.StoredBytes() == 0 {
			continue
		}
		alias := *t
		alias.Name = n.out[0]
		f.order[alias.Name] = made.first()
		f.file.tensors = append(f.file.tensors, &alias)
		f.file.byName[alias.Name] = &alias
	}
}
