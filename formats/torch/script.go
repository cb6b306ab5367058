package torch

import (
	"context"
	"strings"
)

// adoptScript takes the parameters, buffers and other tensors of a TorchScript
// program: its data are a pickled module tree, whose classes stand in the
// program's own source and are not looked at. Tensors that the compiler made
// constants (all weights of a frozen program) go by "constants." and their
// number.
func (f *File) adoptScript(ctx context.Context, a *archive, root value) error {
	find := &finder{file: f.name, what: "data.pkl", meta: f.meta, script: true}
	if o, ok := root.(*object); ok && strings.HasPrefix(o.class, "__torch__.") {
		f.meta["torch.script"] = o.class
	}
	m, constants, err := a.unpickle(ctx, "constants")
	if err != nil {
		return err
	}
	merged := &dict{}
	if d := find.mapping(root); d != nil {
		merged.add(d, nil)
	}
	if t, ok := constants.(tuple); ok && len(t) > 0 {
		merged.keys, merged.values = append(merged.keys, "constants"), append(merged.values, t)
	}
	find.names = m.names
	f.warn("this is a TorchScript program; its tensors were read and nothing of it was run")
	return f.adopt(find, merged)
}
