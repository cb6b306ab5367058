package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

const modulePath = "github.com/weightprint/weightprint"

// target is a system that programs are built for.
type target struct{ os, arch string }

// targets are those of a release.
var targets = []target{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

func (t target) String() string { return t.os + "/" + t.arch }

// file is the name of the program.
func (t target) file(version string) string {
	name := fmt.Sprintf("weightprint-%s-%s-%s", version, t.os, t.arch)
	if t.os == "windows" {
		name += ".exe"
	}
	return name
}

// choose reads a list of targets; empty means all.
func choose(list string) (out []target, err error) {
	if list == "" {
		return targets, nil
	}
	for _, word := range strings.Split(list, ",") {
		i := slices.IndexFunc(targets, func(t target) bool { return t.String() == word })
		if i < 0 {
			return nil, fmt.Errorf("target %q is none of %v", word, targets)
		}
		out = append(out, targets[i])
	}
	return out, nil
}

// systems are the different operating systems of targets.
func systems(all []target) (out []string) {
	for _, t := range all {
		if !slices.Contains(out, t.os) {
			out = append(out, t.os)
		}
	}
	return out
}

// pinned is the whole environment of Go that could change a bit of what is built.
var pinned = []string{"CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOENV=off", "GOFIPS140=off", "GODEBUG="}

// kept is what of the caller's environment a build may see.
var kept = []string{"PATH", "HOME", "USERPROFILE", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "LOCALAPPDATA", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOROOT", "GOTOOLCHAIN"}

// environment is that of a build.
func (t target) environment() (out []string) {
	for _, name := range kept {
		if v, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+v)
		}
	}
	return append(append(out, pinned...), "GOOS="+t.os, "GOARCH="+t.arch)
}

// build builds one static program without paths, times, build identifiers or
// state of version control.
func (t target) build(ctx context.Context, version, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	flags := "-s -w -buildid= -X " + modulePath + "/report.stamped=" + version
	c := exec.CommandContext(ctx, "go", "build", "-p", "2", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", file, "./cmd/weightprint")
	c.Env = t.environment()
	if c.Dir, err = root(ctx); err != nil {
		return err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("building for %s: %w: %s", t, err, bytes.TrimSpace(out))
	}
	return nil
}

// root is the folder of the module.
func root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	return strings.TrimSpace(string(out)), err
}

// readBuild reads from a program what it was built of.
func readBuild(file string) (*debug.BuildInfo, error) { return buildinfo.ReadFile(file) }
