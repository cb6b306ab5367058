package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
)

// snapshot finds the files of a repository of the hub's cache that is named by its
// folder, models--ORG--NAME: those of the revision main or, where that is not
// cached, of the only revision that is. It returns "" for other folders.
func snapshot(dir string) (path, commit string, err error) {
	if !strings.Contains(filepath.Base(dir), "--") {
		return "", "", nil
	}
	commits := slices.DeleteFunc(listed(filepath.Join(dir, "snapshots")), func(name string) bool { return !hexCommit.MatchString(name) })
	if b, err := saferio.ReadFile(filepath.Join(dir, "refs", "main"), 1<<10); err == nil && len(commits) > 0 {
		if at := strings.TrimSpace(string(b)); slices.Contains(commits, at) {
			return filepath.Join(dir, "snapshots", at), at, nil
		}
	}
	switch len(commits) {
	case 0:
		return "", "", nil
	case 1:
		return filepath.Join(dir, "snapshots", commits[0]), commits[0], nil
	}
	return "", "", tensor.Errorf(tensor.ErrNotModel, dir, -1, "snapshots", "several revisions are cached and main is none of them; name the folder of one: %s", strings.Join(commits[:min(5, len(commits))], ", "))
}

// repositories says what lies in the root of the hub's cache, whose folders are
// repositories, and "" for other folders.
func repositories(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	var refs []string
	for _, e := range entries {
		if org, name, ok := strings.Cut(strings.TrimPrefix(e.Name(), "models--"), "--"); ok && strings.HasPrefix(e.Name(), "models--") {
			refs = append(refs, "hf:"+escape.Printable(org+"/"+name))
		}
	}
	more := ""
	if len(refs) > 20 {
		refs, more = refs[:20], " and others"
	}
	return strings.Join(refs, ", ") + more
}
