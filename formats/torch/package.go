package torch

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Archives of torch.package hold the source of programs, pickles under names of their
// own, and the tensors of all of them as .data/KEY.storage. TorchScript programs lie
// beside as .data/ts_code/NUMBER, in the form of their own archives. Of the pickles and
// programs the tensors are read; nothing is run.

const (
	packageData  = ".data/"
	packageMark  = "/" + packageData + "extern_modules"
	packageCode  = packageData + "ts_code/"
	maxPackaged  = 256 // pickles and programs with tensors
	pickleBegins = 0x80
)

// packaged are the pickles of a package, programs first, without the root and each
// without ".pkl".
func (a *archive) packaged() (programs, pickles []string) {
	for i := range a.entries {
		name, ok := strings.CutPrefix(a.entries[i].name, a.root+"/")
		if !ok {
			continue
		}
		if inner, ok := strings.CutPrefix(name, packageCode); ok {
			if number, rest, _ := strings.Cut(inner, "/"); rest == "data.pkl" {
				programs = append(programs, packageCode+number+"/data")
			}
			continue
		}
		if !strings.HasPrefix(name, packageData) && !strings.HasSuffix(name, ".py") && a.begins(&a.entries[i]) == pickleBegins {
			pickles = append(pickles, name)
		}
	}
	return programs, pickles
}

// begins is the first byte of an entry, 0 if there is none.
func (a *archive) begins(e *entry) byte {
	var b [1]byte
	if e.size == 0 {
		return 0
	}
	_, _ = a.content(e).ReadAt(b[:], 0)
	return b[0]
}

// adoptPackage takes the tensors of all pickles and programs of a package. Where
// several have some, their names come first.
func (f *File) adoptPackage(ctx context.Context, a *archive) error {
	programs, pickles := a.packaged()
	var parts [][]named
	var names []string
	storages, n := map[string]*storage{}, 0
	for i, name := range append(slices.Clone(programs), pickles...) {
		script := i < len(programs)
		file := name
		if script {
			file += ".pkl"
		}
		m, root, err := a.run(ctx, file, packageData, ".storage", storages)
		if err != nil {
			return err
		}
		find := &finder{file: f.name, what: file, meta: f.meta, names: m.names, script: script}
		if !find.within(root) {
			continue
		}
		found, err := find.model(root)
		if err != nil {
			return err
		}
		f.Warnings = append(f.Warnings, find.notes...)
		parts, names = append(parts, found), append(names, path.Base(path.Dir(name)))
		if !script {
			names[len(names)-1] = strings.ReplaceAll(name, "/", ".")
		}
		if n += len(found); len(parts) > maxPackaged || n > maxTensors {
			return tensor.Errorf(tensor.ErrLimit, f.name, a.start, "directory", "more than %d pickles with tensors, or %d tensors in all", maxPackaged, maxTensors)
		}
	}
	if len(parts) == 0 {
		return tensor.Errorf(tensor.ErrNotModel, f.name, a.start, "directory", "no pickle and no program of this archive of torch.package holds a tensor")
	}
	f.warn("this is an archive of torch.package; the tensors of its pickles and programs were read and nothing of it was run")
	return f.list(joinParts(parts, names))
}

// joinParts puts the name of each part before its tensors' where there are several.
func joinParts(parts [][]named, names []string) (all []named) {
	for i, found := range parts {
		for _, n := range found {
			if len(parts) > 1 {
				n.name = join(names[i], n.name)
			}
			all = append(all, n)
		}
	}
	return all
}

// within tells whether a tensor stands in a value.
func (f *finder) within(root value) bool {
	f.holds = map[value]bool{}
	ok := f.any(root, 0)
	f.holds, f.visits = nil, 0
	return ok
}

// packagedID reads what a package's pickle says of something that lies beside it: a
// program, of which no more is taken here, or a storage, whose key is a number.
func packagedID(v value) (id value, done bool) {
	t, ok := v.(tuple)
	switch {
	case !ok || len(t) < 3:
		return v, false
	case t[0] == "reduce_package":
		return &inert{"a program of the package"}, true
	}
	if n, ok := t[2].(int64); ok && n >= 0 {
		t = slices.Clone(t)
		t[2] = strconv.FormatInt(n, 10)
	}
	return t, false
}
