package audit

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/report"
)

// find says where the claimed parent lies. A claim of the one who audits may
// name anything that can be opened. What the model's own files declare was
// written by somebody else: it is looked for in local places only, never
// fetched, and a name is matched loosely only in the folders that the auditor
// gave.
func (a *Result) find(ref string, o *report.Options) (string, error) {
	parent, declared := a.Claim.Parent, a.Source != byCaller
	found := ""
	for _, p := range candidates(ref, parent, declared, o) {
		if _, err := os.Stat(p); err == nil {
			found = p
			break
		}
	}
	switch {
	case found != "" && sameModel(ref, found):
		return "", unproven("the parent is the model itself")
	case found != "":
		return found, nil
	case declared:
		return "", unproven("the parent was not found in the folders given with --parents, beside the model or in the hub's local cache")
	}
	return parent, nil
}

// candidates lists paths at which a parent may lie, the likeliest first.
func candidates(ref, parent string, declared bool, o *report.Options) (out []string) {
	local := filepath.FromSlash(parent)
	if !declared || filepath.IsAbs(local) {
		out = append(out, local)
	}
	name := path.Base(strings.TrimRight(filepath.ToSlash(parent), "/"))
	if o != nil && name != "" && name != "." && name != ".." {
		for _, dir := range o.Parents {
			if filepath.IsLocal(local) {
				out = append(out, filepath.Join(dir, local), filepath.Join(dir, strings.ReplaceAll(parent, "/", "--")))
			}
			out = append(out, filepath.Join(dir, name), filepath.Join(dir, name+".gguf"), filepath.Join(dir, name+".safetensors"))
		}
	}
	if _, err := os.Stat(ref); err == nil && filepath.IsLocal(strings.TrimPrefix(local, ".."+string(filepath.Separator))) {
		beside := filepath.Dir(filepath.Clean(ref))
		out = append(out, filepath.Join(beside, strings.TrimPrefix(local, ".."+string(filepath.Separator))), filepath.Join(ref, local))
	}
	if p, err := source.Local("hf:" + parent); err == nil {
		out = append(out, p)
	}
	return out
}

// sameModel tells whether two paths name one model: the same file or folder, or
// a folder and a file in it.
func sameModel(a, b string) bool {
	if p, err := source.Local(a); err == nil {
		a = p
	}
	return sameFile(a, b) || isFile(a) && sameFile(filepath.Dir(a), b) || isFile(b) && sameFile(a, filepath.Dir(b))
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && !info.IsDir()
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
