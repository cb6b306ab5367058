package source

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
)

// lmName matches publisher/model and an optional file.
var lmName = regexp.MustCompile(`^([A-Za-z0-9][\w. -]*)/([A-Za-z0-9][\w. -]*)(?::(.+))?$`)

// findLMStudio looks into LM Studio's folders, PUBLISHER/MODEL.
func findLMStudio(_ context.Context, ref string, o Options) ([]Found, error) {
	m := lmName.FindStringSubmatch(strings.TrimPrefix(ref, "lmstudio:"))
	if m == nil || m[3] != "" && (!filepath.IsLocal(filepath.FromSlash(m[3])) || path.Clean(m[3]) != m[3]) {
		advice := ""
		if parts := strings.SplitN(strings.TrimPrefix(ref, "lmstudio:"), "/", 3); m == nil && len(parts) == 3 && filepath.IsLocal(parts[2]) {
			advice = "lmstudio:" + parts[0] + "/" + parts[1] + ":" + parts[2]
		}
		return nil, malformed(ref, "lmstudio:publisher/model[:file]", advice)
	}
	var names []string
	for _, store := range lmStores() {
		at := filepath.Join(store, m[1], m[2], filepath.FromSlash(m[3]))
		if info, err := os.Stat(at); err == nil {
			return found(at, info, ref, o), nil
		}
		for _, publisher := range listed(store) {
			for _, model := range listed(filepath.Join(store, publisher)) {
				names = append(names, publisher+"/"+model)
			}
		}
	}
	err := fmt.Errorf("%s: %w: not in %s", escape.Printable(ref), ErrNotStored, strings.Join(lmStores(), ", "))
	if near := nearest(m[1]+"/"+m[2], names); near != "" && near != m[1]+"/"+m[2] {
		return nil, fmt.Errorf("%w; did you mean lmstudio:%s?", err, escape.Printable(near))
	}
	return nil, err
}

// lmStores lists where LM Studio keeps models: where its settings say, then
// its folders of today and of earlier versions.
func lmStores() []string {
	home := homeDir()
	stores := []string{filepath.Join(home, ".lmstudio", "models"), filepath.Join(home, ".cache", "lm-studio", "models")}
	raw, err := readSmall(filepath.Join(home, ".lmstudio", "settings.json"))
	if err != nil {
		return stores
	}
	var settings struct{ DownloadsFolder string }
	if json.Unmarshal(raw, &settings) == nil && filepath.IsAbs(settings.DownloadsFolder) {
		return append([]string{settings.DownloadsFolder}, stores...)
	}
	return stores
}
