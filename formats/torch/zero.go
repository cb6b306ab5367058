package torch

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// DeepSpeed's ZeRO stage 3 divides every parameter among the ranks of a run: each
// takes the same number of neighbouring elements, the last ones padded, and lays its
// shares of all parameters one behind the other in fp32_flat_groups of its
// optimiser's file. The order and the shapes are param_shapes of the model's file.
// Source: deepspeed/utils/zero_to_fp32.py, which DeepSpeed lays beside them.

// Limits of this reader on such checkpoints.
const (
	maxRanks  = 1 << 12
	maxShares = 1 << 19 // of all parameters
)

// rank is what the files of one rank of a run hold.
type rank struct {
	model  *dict
	groups []*view // of one dimension each
	label  string  // of the optimiser's file
	held   int64   // elements of all groups
}

// zero is such a checkpoint under way.
type zero struct {
	*File
	ranks  []rank
	shares int
}

// ReadZeRO reads a checkpoint of ZeRO's stage 3 from the files of each rank, in
// order: the model's states and the optimiser's.
func ReadZeRO(ctx context.Context, models, optimisers []*Part) (*File, error) {
	if len(models) == 0 || len(models) > maxRanks || len(models) != len(optimisers) {
		return nil, tensor.Errorf(tensor.ErrFormat, "", -1, "files", "%d files of models and %d of optimisers, at most %d of each", len(models), len(optimisers), maxRanks)
	}
	z := &zero{File: &File{meta: tensor.Metadata{"torch.container": "ZeRO stage 3"}, byName: map[string]*tensor.Tensor{}, name: models[0].Label}}
	for i, p := range models {
		r := rank{label: optimisers[i].Label}
		var err error
		if r.model, err = z.described(ctx, p); err != nil {
			return nil, err
		}
		if err := z.optimiser(ctx, &r, optimisers[i], len(models)); err != nil {
			return nil, err
		}
		z.ranks = append(z.ranks, r)
	}
	for _, step := range []func() error{z.trained, z.frozen, z.buffers, z.shared} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if len(z.tensors) == 0 {
		return nil, tensor.Errorf(tensor.ErrNotModel, z.name, -1, "param_shapes", "no tensor under any name")
	}
	return z.File, nil
}

// described runs the pickle of one file.
func (z *zero) described(ctx context.Context, p *Part) (*dict, error) {
	a, err := openArchive(ctx, p.Label, p, p.Size, z.forgive)
	if err != nil {
		return nil, err
	}
	_, root, err := a.unpickle(ctx, "data")
	if err != nil {
		return nil, err
	}
	d, ok := root.(*dict)
	if !ok {
		return nil, tensor.Errorf(tensor.ErrFormat, p.Label, -1, "data.pkl", "a dict expected, found %s", describe(root))
	}
	return d, nil
}

// optimiser takes the full-precision parameters out of an optimiser's state.
func (z *zero) optimiser(ctx context.Context, r *rank, p *Part, ranks int) error {
	root, err := z.described(ctx, p)
	if err != nil {
		return err
	}
	state, _ := root.get("optimizer_state_dict").(*dict)
	groups, ok := state.get("fp32_flat_groups").(*list)
	if !ok {
		return tensor.Errorf(tensor.ErrUnsupported, p.Label, -1, "optimizer_state_dict", "no fp32_flat_groups: not the state of ZeRO's stage 3, or one without the weights in full precision")
	}
	if n, ok := state.get("partition_count").(int64); !ok || n != int64(ranks) {
		return tensor.Errorf(tensor.ErrFormat, p.Label, -1, "partition_count", "%s: the files of %d ranks lie here", describe(state.get("partition_count")), ranks)
	}
	for i, g := range groups.items {
		v, ok := g.(*view)
		if !ok || len(v.shape) != 1 || v.dtype != tensor.F32 && v.dtype != tensor.BF16 && v.dtype != tensor.F16 {
			return tensor.Errorf(tensor.ErrUnsupported, p.Label, -1, fmt.Sprintf("fp32_flat_groups %d", i), "a tensor of one dimension of floats expected, found %s", describe(g))
		}
		r.groups = append(r.groups, v)
		r.held += v.shape[0]
		z.Distinct += v.shape[0] * item(v.dtype)
		if first := z.first(r); i >= len(first.groups) || first.groups[i].shape[0] != v.shape[0] || first.groups[0].dtype != v.dtype {
			return tensor.Errorf(tensor.ErrFormat, p.Label, -1, fmt.Sprintf("fp32_flat_groups %d", i), "all ranks have groups of the same lengths and one type; this one has another than the first rank's")
		}
	}
	if len(r.groups) != len(z.first(r).groups) || len(r.groups) == 0 {
		return tensor.Errorf(tensor.ErrFormat, p.Label, -1, "fp32_flat_groups", "%d groups, the first rank has %d", len(r.groups), len(z.first(r).groups))
	}
	return nil
}

// first is the first rank, which may be the one that is being read.
func (z *zero) first(reading *rank) *rank {
	if len(z.ranks) > 0 {
		return &z.ranks[0]
	}
	return reading
}

// each calls f with the names and shapes of a dict, in order.
func (z *zero) each(d *dict, field string, f func(name string, shape []int64, n int64) error) error {
	for i, k := range d.keys {
		name, ok := k.(string)
		shape, ok2 := numbers(d.values[i])
		n, ok3 := tensor.Elements(shape)
		if !ok || !ok2 || !ok3 || len(shape) > maxRank || n > 1<<56 {
			return tensor.Errorf(tensor.ErrFormat, z.name, -1, field, "names and shapes expected, found %s: %s", describe(k), describe(d.values[i]))
		}
		if err := f(name, shape, n); err != nil {
			return err
		}
	}
	return nil
}

// trained lists the parameters that were trained.
func (z *zero) trained() error {
	groups, ok := z.ranks[0].model.get("param_shapes").(*list)
	if !ok {
		return tensor.Errorf(tensor.ErrFormat, z.name, -1, "param_shapes", "a list of names and shapes expected")
	}
	at, ranks := int64(0), int64(len(z.ranks))
	for _, g := range groups.items {
		d, ok := g.(*dict)
		if !ok {
			return tensor.Errorf(tensor.ErrFormat, z.name, -1, "param_shapes", "names and shapes expected, found %s", describe(g))
		}
		err := z.each(d, "param_shapes", func(name string, shape []int64, n int64) error {
			share := (n + ranks - 1) / ranks
			if share > z.ranks[0].held-at {
				return tensor.Errorf(tensor.ErrFormat, z.name, -1, "param_shapes "+quoteKey(name), "%d elements, but of each rank's %d only %d are left for its share", n, z.ranks[0].held, z.ranks[0].held-at)
			}
			t := &shares{item: item(z.ranks[0].groups[0].dtype)}
			for _, r := range z.ranks {
				t.cut(r.groups, at, share)
			}
			at += share
			return z.list(name, shape, n, z.ranks[0].groups[0].dtype, t)
		})
		if err != nil {
			return err
		}
	}
	if at != z.ranks[0].held {
		return tensor.Errorf(tensor.ErrFormat, z.name, -1, "param_shapes", "the parameters take %d of the %d elements of each rank", at, z.ranks[0].held)
	}
	return nil
}

// frozen lists the parameters that were not: each rank keeps its share of them by name.
func (z *zero) frozen() error {
	d, ok := z.ranks[0].model.get("frozen_param_shapes").(*dict)
	if !ok {
		return nil
	}
	return z.each(d, "frozen_param_shapes", func(name string, shape []int64, n int64) error {
		share := (n + int64(len(z.ranks)) - 1) / int64(len(z.ranks))
		t := &shares{}
		var dtype tensor.DType
		for i, r := range z.ranks {
			fragments, _ := r.model.get("frozen_param_fragments").(*dict)
			v, ok := fragments.get(name).(*view)
			if i == 0 && ok {
				dtype, t.item = v.dtype, item(v.dtype)
			}
			if !ok || len(v.shape) != 1 || v.shape[0] != share || v.dtype != dtype {
				return tensor.Errorf(tensor.ErrFormat, z.name, -1, "frozen_param_fragments "+quoteKey(name), "rank %d: a share of %d elements of one type expected, found %s", i, share, describe(fragments.get(name)))
			}
			z.Distinct += share * t.item
			t.cut([]*view{v}, 0, share)
		}
		return z.list(name, shape, n, dtype, t)
	})
}

// buffers lists what is no parameter; every rank has all of it.
func (z *zero) buffers() error {
	names, _ := z.ranks[0].model.get("buffer_names").(*list)
	module, _ := z.ranks[0].model.get("module").(*dict)
	if names == nil {
		return nil
	}
	for _, k := range names.items {
		name, _ := k.(string)
		switch v := module.get(name).(type) {
		case *view:
			t := v.tensor(z.name, name)
			z.Distinct += t.StoredBytes()
			if err := z.add(t); err != nil {
				return err
			}
		case *unread:
			return v.err
		}
	}
	return nil
}

// shared lists parameters that are others under a further name.
func (z *zero) shared() error {
	d, ok := z.ranks[0].model.get("shared_params").(*dict)
	if !ok {
		return nil
	}
	for i, k := range d.keys {
		name, _ := k.(string)
		of, _ := d.values[i].(string)
		if t := z.byName[of]; t != nil && name != "" && z.byName[name] == nil {
			again := *t
			again.Name = name
			if err := z.add(&again); err != nil {
				return err
			}
		}
	}
	return nil
}

// list adds a tensor of shares.
func (z *zero) list(name string, shape []int64, n int64, dtype tensor.DType, t *shares) error {
	if z.shares += len(t.parts); z.shares > maxShares {
		return tensor.Errorf(tensor.ErrLimit, z.name, -1, "tensor "+quoteKey(name), "more than %d shares of parameters", maxShares)
	}
	return z.add(&tensor.Tensor{Name: name, DType: dtype, Shape: slices.Clone(shape), Data: &tensor.Stored{File: z.name, Name: name, R: t, Bytes: n * t.item, DType: dtype}})
}

// add adds a tensor under a name of its own.
func (z *zero) add(t *tensor.Tensor) error {
	switch {
	case z.byName[t.Name] != nil:
		return tensor.Errorf(tensor.ErrFormat, z.name, -1, "tensor "+quoteKey(t.Name), "two entries make this name")
	case len(z.tensors) == maxTensors:
		return tensor.Errorf(tensor.ErrLimit, z.name, -1, "tensor "+quoteKey(t.Name), "more than %d tensors", maxTensors)
	}
	z.tensors = append(z.tensors, t)
	z.byName[t.Name] = t
	return nil
}
