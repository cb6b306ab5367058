package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// module is one whose packages are built or tested here.
type module struct {
	Path, Version, Dir string

	spdx  string   // its licences, as an SPDX expression
	files []string // that state them
}

// linked lists the modules of all packages that are built or tested on the given
// systems, ours first, with their licences.
func linked(ctx context.Context, systems []string) ([]module, error) {
	dir, err := root(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]module{}
	for _, system := range systems {
		c := exec.CommandContext(ctx, "go", "list", "-deps", "-test", "-json=Module", "./...")
		c.Dir, c.Env = dir, append(os.Environ(), "GOOS="+system, "GOFLAGS=-mod=readonly")
		out, err := c.Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return nil, fmt.Errorf("go list for %s: %w: %s", system, err, exit.Stderr)
			}
			return nil, err
		}
		for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
			var p struct{ Module *module }
			if err := d.Decode(&p); err != nil {
				return nil, err
			}
			if p.Module != nil { // the standard library has none
				found[p.Module.Path] = *p.Module
			}
		}
	}
	all := []module{}
	for _, m := range found {
		if err := m.identify(); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	sort.Slice(all, func(i, j int) bool {
		if a, b := all[i].Path == modulePath, all[j].Path == modulePath; a != b {
			return a
		}
		return all[i].Path < all[j].Path
	})
	return all, nil
}

// licences are the permissive ones, by sentences that only their texts have.
var licences = []struct {
	spdx string
	has  []string
}{
	{"Apache-2.0", []string{"apache license version 2.0", "terms and conditions for use, reproduction, and distribution"}},
	{"Apache-2.0", []string{"licensed under the apache license, version 2.0"}},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "without restriction"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "neither the name of"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}},
	{"CC0-1.0", []string{"cc0 1.0 universal"}},
}

// refused are phrases of licences that bind what is linked with them, or that
// forbid uses.
var refused = []string{"gnu general public license", "gnu lesser general public", "gnu library general public", "affero", "mozilla public license", "eclipse public license", "server side public license", "business source license", "commons clause", "noncommercial", "non-commercial", "creative commons attribution"}

// errLicence is returned for a module that may not be linked.
var errLicence = errors.New("no permissive licence")

// classify tells the licences that a text states; empty if they are none of those
// known.
func classify(text string) (spdx string, err error) {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, words := range refused {
		if strings.Contains(text, words) {
			return "", fmt.Errorf("%w: it says %q", errLicence, words)
		}
	}
	var all []string
	for _, l := range licences {
		shown := !slices.ContainsFunc(l.has, func(words string) bool { return !strings.Contains(text, words) })
		if shown && !slices.Contains(all, l.spdx) && !(l.spdx == "BSD-2-Clause" && slices.Contains(all, "BSD-3-Clause")) {
			all = append(all, l.spdx)
		}
	}
	return strings.Join(all, " AND "), nil
}

// identify reads the files of a module that state its licence. Every one must be
// a permissive licence; there must be one.
func (m *module) identify() error {
	names, err := os.ReadDir(m.Dir)
	if err != nil {
		return fmt.Errorf("%s: %w; go mod download fetches it", m.Path, err)
	}
	var all []string
	for _, f := range names {
		upper := strings.ToUpper(f.Name())
		if f.IsDir() || !strings.HasPrefix(upper, "LICENSE") && !strings.HasPrefix(upper, "LICENCE") && !strings.HasPrefix(upper, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, f.Name()))
		if err != nil {
			return err
		}
		spdx, err := classify(string(text))
		if err == nil && spdx == "" {
			err = fmt.Errorf("%w: its text is none of those known", errLicence)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", m.Path, f.Name(), err)
		}
		m.files = append(m.files, f.Name())
		if !slices.Contains(all, spdx) {
			all = append(all, spdx)
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: %w: no file states one", m.Path, errLicence)
	}
	m.spdx = strings.Join(all, " AND ")
	return nil
}

// list prints the modules with their licences.
func list(all []module, w io.Writer) error {
	for _, m := range all {
		if _, err := fmt.Fprintf(w, "%-52s %-40s %s\n", m.Path, m.Version, m.spdx); err != nil {
			return err
		}
	}
	return nil
}

// writeLicences puts the texts of all licences and notices into one file, as most
// of them ask of whoever passes a program on.
func writeLicences(file string, all []module) error {
	var b strings.Builder
	for _, m := range all {
		for _, name := range append(slices.Clone(m.files), "NOTICE", "NOTICE.txt", "PATENTS") {
			text, err := os.ReadFile(filepath.Join(m.Dir, name))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "==== %s %s: %s ====\n\n%s\n\n", m.Path, m.Version, name, strings.TrimSpace(string(text)))
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
