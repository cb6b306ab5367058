package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/weightprint/weightprint/report/cyclonedx"
	"github.com/weightprint/weightprint/report/verdict"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(2)
	}
}

// semantic is a version as modules have it.
var semantic = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	fl := flag.NewFlagSet("release", flag.ContinueOnError)
	version := fl.String("version", "", "version to stamp, such as v1.2.3")
	out := fl.String("o", filepath.Join("build", "release"), "folder to write; it must not exist")
	only := fl.String("targets", "", "targets to build, such as linux/amd64 (default: all)")
	key := fl.String("key", "", "sign the list of digests with this key, a PEM file")
	licences := fl.Bool("licences", false, "check the licences of all modules, and build nothing")
	if err := fl.Parse(args); err != nil {
		return err
	}
	all, err := linked(ctx, systems(targets))
	if err != nil {
		return err
	}
	if *licences {
		return list(all, stdout)
	}
	if !semantic.MatchString(*version) {
		return fmt.Errorf("-version is %q, and no version such as v1.2.3", *version)
	}
	if err := promises(*version, verdict.Policies()); err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	return release(ctx, *version, *out, *key, chosen, all, stdout)
}

// release fills a new folder.
func release(ctx context.Context, version, dir, key string, chosen []target, all []module, stdout io.Writer) error {
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already; a release is written once", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, t := range chosen {
		name := t.file(version)
		file := filepath.Join(dir, name)
		if err := t.build(ctx, version, file); err != nil {
			return err
		}
		if err := bill(file, version, all); err != nil {
			return err
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s  %.1f MB\n", name, float64(info.Size())/1e6)
	}
	if err := writeLicences(filepath.Join(dir, "LICENCES"), all); err != nil {
		return err
	}
	if err := sums(dir); err != nil || key == "" {
		return err
	}
	return sign(ctx, filepath.Join(dir, sumsFile), key)
}

// bill writes the bill of materials of a built program beside it.
func bill(file, version string, all []module) error {
	info, err := readBuild(file)
	if err != nil {
		return err
	}
	sum, err := sum(file)
	if err != nil {
		return err
	}
	p := cyclonedx.Program{Name: "weightprint", Version: version, SHA256: sum, Info: info, Licences: map[string]string{}}
	for _, m := range all {
		p.Licences[m.Path] = m.spdx
	}
	var b strings.Builder
	if err := cyclonedx.WriteProgram(p, &b); err != nil {
		return err
	}
	return os.WriteFile(file+".cdx.json", []byte(b.String()), 0o644)
}
