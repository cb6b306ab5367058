package cyclonedx

import (
	"bytes"
	"io"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/weightprint/weightprint/internal/escape"
)

// Program is a built program as its bill of materials states it.
type Program struct {
	Name     string            // of the file
	Version  string            // of the release
	SHA256   string            // of the file, in hexadecimal
	Info     *debug.BuildInfo  // as package debug/buildinfo reads it from the file
	Licences map[string]string // SPDX expressions by module path; others are left unstated
}

// WriteProgram writes the bill of materials of a program: the modules that were
// linked into it, the Go release that built it, and every setting of the build.
// It has no serial number and no time, so that the same program gives the same
// bytes.
func WriteProgram(p Program, w io.Writer) error {
	var b bytes.Buffer
	if err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(p.bom(), cdx.SpecVersion1_6); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
}

func (p Program) bom() *cdx.BOM {
	main := cdx.Component{BOMRef: "program", Type: cdx.ComponentTypeApplication, Name: p.Name, Version: p.Version,
		PackageURL: address(p.Info.Main.Path, p.Version), Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: p.SHA256}},
		Licenses: p.licence(p.Info.Main.Path), Properties: settings(p.Info)}
	parts := []cdx.Component{{BOMRef: "go", Type: cdx.ComponentTypeLibrary, Name: "std", Version: p.Info.GoVersion,
		PackageURL: "pkg:golang/std@" + strings.TrimPrefix(p.Info.GoVersion, "go"), Licenses: expression("BSD-3-Clause")}}
	for _, m := range p.Info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := cdx.Component{BOMRef: m.Path, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: address(m.Path, m.Version), Licenses: p.licence(m.Path)}
		if m.Sum != "" {
			c.Properties = &[]cdx.Property{{Name: "go:sum", Value: m.Sum}}
		}
		parts = append(parts, c)
	}
	refs := make([]string, len(parts))
	for i := range parts {
		refs[i] = parts[i].BOMRef
	}
	out := cdx.NewBOM()
	out.Metadata = &cdx.Metadata{Component: &main}
	out.Components = &parts
	out.Dependencies = &[]cdx.Dependency{{Ref: "program", Dependencies: &refs}}
	return out
}

// address is a package URL of a Go module.
func address(path, version string) string { return "pkg:golang/" + path + "@" + version }

func (p Program) licence(module string) *cdx.Licenses { return expression(p.Licences[module]) }

func expression(spdx string) *cdx.Licenses {
	if spdx == "" {
		return nil
	}
	return &cdx.Licenses{{Expression: spdx}}
}

// settings are those that the build itself recorded, such as GOAMD64.
func settings(info *debug.BuildInfo) *[]cdx.Property {
	out := []cdx.Property{{Name: "go:version", Value: info.GoVersion}}
	for _, s := range info.Settings {
		out = append(out, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	return &out
}
