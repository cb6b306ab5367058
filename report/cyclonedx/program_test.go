package cyclonedx_test

import (
	"bytes"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/schematest"
	"github.com/weightprint/weightprint/report/cyclonedx"
)

// built is what a program says of itself. Test programs do not list their modules.
var built = &debug.BuildInfo{
	GoVersion: "go1.25.0", Path: "github.com/weightprint/weightprint/cmd/weightprint", Main: debug.Module{Path: "github.com/weightprint/weightprint", Version: "(devel)"},
	Deps: []*debug.Module{
		{Path: "github.com/zeebo/blake3", Version: "v0.2.4", Sum: "h1:KYQPkhpRtcqh0ssGYcKLG1JYvddkEA8QwCM/yBqhaZI="},
		{Path: "example.org/left", Version: "v1.0.0", Replace: &debug.Module{Path: "github.com/spf13/cobra", Version: "v1.10.2", Sum: "h1:x"}},
		{Path: "golang.org/x/term", Version: "v0.45.0"},
	},
	Settings: []debug.BuildSetting{{Key: "CGO_ENABLED", Value: "0"}, {Key: "GOAMD64", Value: "v1"}},
}

// The bill of materials of a program follows the schema and lists every module
// that is linked into it, a replacement in the place of what it replaces.
func TestProgramFollowsTheSchema(t *testing.T) {
	p := cyclonedx.Program{Name: "weightprint", Version: "v1.2.3", SHA256: strings.Repeat("ab", 32), Info: built,
		Licences: map[string]string{"github.com/zeebo/blake3": "CC0-1.0", "github.com/spf13/cobra": "Apache-2.0"}}
	var b, again bytes.Buffer
	require.NoError(t, cyclonedx.WriteProgram(p, &b))
	schematest.Valid(t, schema(t), b.Bytes())
	for _, part := range []string{"blake3@v0.2.4", "cobra@v1.10.2", "term@v0.45.0", "std@1.25.0", "weightprint@v1.2.3"} {
		require.Contains(t, b.String(), part+`"`)
	}
	require.NotContains(t, b.String(), "example.org")
	require.Contains(t, b.String(), built.Deps[0].Sum)
	require.Contains(t, b.String(), `"go:build:GOAMD64"`)
	require.Contains(t, b.String(), `"expression": "CC0-1.0"`)
	require.NoError(t, cyclonedx.WriteProgram(p, &again))
	require.Equal(t, b.String(), again.String())

	p.SHA256 = "short"
	again.Reset()
	require.NoError(t, cyclonedx.WriteProgram(p, &again))
	schematest.Invalid(t, schema(t), again.Bytes())
}
