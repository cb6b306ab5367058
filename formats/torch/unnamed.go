package torch

import (
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
)

// loneName is the name of the tensor of a file that holds nothing else.
const loneName = "tensor"

// unnamed finds the model of a checkpoint that gives no names: one tensor, tensors in a list, whose
// names are their places, or a list of which one item is the model and others are settings or the
// state of an optimiser.
func (f *finder) unnamed(v value) (value, error) {
	var items []value
	switch v := v.(type) {
	case *view:
		return &dict{keys: []value{loneName}, values: []value{v}}, nil
	case *unread:
		return nil, v.err
	case tuple:
		items = v
	case *list:
		items = v.items
	}
	numbered, models, places := &dict{}, []value{}, []string{}
	for i, item := range items {
		if !f.any(item, 0) {
			continue
		}
		place := strconv.Itoa(i)
		if _, ok := item.(*view); ok {
			numbered.keys, numbered.values = append(numbered.keys, place), append(numbered.values, item)
		} else if !optimiser(item) {
			models, places = append(models, item), append(places, place)
		}
	}
	switch {
	case len(models) == 0 && len(numbered.keys) > 0:
		return numbered, nil
	case len(models) == 1 && len(numbered.keys) == 0:
		f.note("the model is item %s of the list that the checkpoint is", places[0])
		return models[0], nil
	case len(models) > 0:
		return nil, f.fail(tensor.ErrUnsupported, f.what, "a list of which several items hold tensors (%s); saving the one that is meant, torch.save(torch.load(FILE)[N], NEW), tells which", some(slices.Concat(places, texts(numbered.keys))))
	}
	return nil, f.fail(tensor.ErrNotModel, f.what, "a mapping from names to tensors expected, found %s", describe(v))
}

// optimiser tells the state dict of one of torch's optimisers.
func optimiser(v value) bool {
	d, ok := v.(*dict)
	return ok && len(d.keys) == 2 && d.get("state") != nil && d.get("param_groups") != nil
}

// texts are those of the keys of a dict that are texts.
func texts(keys []value) (out []string) {
	for _, k := range keys {
		if s, ok := k.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
