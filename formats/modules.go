package formats

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// modulesFile lists the modules of a SentenceTransformers model: the transformer,
// and what its output passes through, each in a folder of its own. Dense layers
// among them have weights.
const modulesFile = "modules.json"

// maxModules is far beyond any model in use.
const maxModules = 64

// module is one line of the list.
type module struct {
	Path string
	Type string
}

// modules reads the list; nil where there is none. One that cannot be read is named
// and not used, as all that lies beside weights.
func (op *opener) modules() []module {
	if !op.exists(modulesFile) {
		return nil
	}
	b, err := op.small(modulesFile, maxConfig)
	var list []module
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err == nil && len(list) > maxModules {
		err = fmt.Errorf("%d modules, at most %d", len(list), maxModules)
	}
	if err != nil {
		op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("%s is not used: %v", modulesFile, err))
		return nil
	}
	return list
}

// furtherModules adds the tensors of the modules that lie in folders of their own,
// under the folders' names.
func (op *opener) furtherModules() error {
	seen := map[string]bool{}
	for _, m := range op.modules() {
		if m.Path == "" || seen[m.Path] {
			continue
		}
		seen[m.Path] = true
		place := op.below(m.Path)
		if place == nil {
			continue // pooling and the like may have no folder
		}
		inner, err := place.Names(op.ctx)
		if err != nil || len(weights(op.o.Formats, inner)) == 0 {
			continue
		}
		if err := op.module(m, place); err != nil {
			return err
		}
	}
	return nil
}

// module opens one of them. The transformer keeps the names that it has alone.
func (op *opener) module(m module, place source.Folder) error {
	sub := &opener{ctx: op.ctx, o: op.o, place: place, dir: place.Label(""), c: &Checkpoint{place: place, meta: tensor.Metadata{}}}
	err := sub.folder()
	if err == nil {
		err = sub.config()
	}
	if err == nil {
		err = sub.unpack()
	}
	for _, f := range sub.c.files {
		f.Path = m.Path + "/" + f.Path
	}
	op.c.files = append(op.c.files, sub.c.files...)
	if err != nil {
		return err
	}
	transformer := strings.HasSuffix(m.Type, "Transformer") && len(op.c.tensors) == 0
	if transformer {
		op.c.Format, op.c.Layout, op.c.tokens, op.whole = sub.c.Format, sub.c.Layout, sub.c.tokens, true
	} else {
		for _, t := range sub.c.tensors {
			t.Name = m.Path + "." + t.Name
		}
		sub.c.meta = nil
	}
	for _, w := range sub.c.Warnings {
		op.c.Warnings = append(op.c.Warnings, escape.Printable(m.Path)+": "+w)
	}
	op.c.auxiliary = append(op.c.auxiliary, sub.c.auxiliary...)
	return op.c.join(sub.c, place.Label(""))
}
