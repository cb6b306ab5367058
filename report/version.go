package report

import "runtime/debug"

// stamped is set by the linker in programs of a release: builds that leave out
// the state of version control, so that they can be repeated, know no version.
var stamped string

// Version is the version of this module: that of the release that was built, else
// the one that the build knows it by.
func Version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/weightprint/weightprint" {
			return d.Version
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" && info.Main.Path == "github.com/weightprint/weightprint" {
		return v
	}
	return "development"
}
