// Package examples_test holds the snippets of docs/COOKBOOK.md, so that they
// compile and run; a test requires that the two are the same.
package examples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/dated"
	"github.com/weightprint/weightprint/report/dated/datedtest"
	"github.com/weightprint/weightprint/report/html"
	"github.com/weightprint/weightprint/report/lineage"
	"github.com/weightprint/weightprint/report/verdict"
)

// cookbook is read before TestMain leaves the folder.
var cookbook, source []byte

// TestMain runs the snippets in a folder that holds the demo's models.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		cookbook, _ = os.ReadFile("../docs/COOKBOOK.md")
		source, _ = os.ReadFile("cookbook_test.go")
		dir, err := os.MkdirTemp("", "cookbook-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if err := errors.Join(demo.Extract(dir), os.Chdir(dir)); err != nil {
			panic(err)
		}
		stamped()
		return m.Run()
	}())
}

// stamped dates two of the models under an authority of its own.
func stamped() {
	a := datedtest.New(panics{}, datedtest.Making{})
	a.StampFile(panics{}, "base/model.safetensors", "base.tsr", time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC))
	a.StampFile(panics{}, "fine-tune/model.safetensors", "fine-tune.tsr", time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC))
	if err := os.WriteFile("tsa.pem", a.Roots, 0o600); err != nil {
		panic(err)
	}
}

// panics fails where there is no test yet.
type panics struct{}

func (panics) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panics) FailNow()                          { panic("failed") }

func Example_compare() {
	r, err := report.Compare(context.Background(), "base", "fine-tune", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Verdict.Relation, r.Verdict.Kinds, r.Verdict.Direction)
	for _, c := range r.Components {
		fmt.Println(c.Name, c.Relation)
	}
	// Output:
	// related [fine-tuned] undetermined
	// embeddings related
	// attention related
	// mlp related
}

func Example_claim() {
	r, err := report.Compare(context.Background(), "base", "other-seed", nil)
	if err != nil {
		panic(err)
	}
	switch err := r.Check(report.Claim{Relation: verdict.Related}); {
	case err == nil:
		fmt.Println("confirmed")
	case errors.Is(err, report.ErrContradicted):
		fmt.Println("contradicted")
	default:
		fmt.Println("unproven:", err)
	}
	// Output: contradicted
}

func Example_dates() {
	text, err := os.ReadFile("tsa.pem")
	if err != nil {
		panic(err)
	}
	roots, err := dated.ParseRoots(text)
	if err != nil {
		panic(err)
	}
	dates, err := dated.Read([]string{"base.tsr", "fine-tune.tsr"}, roots)
	if err != nil {
		panic(err)
	}
	r, err := report.Compare(context.Background(), "base", "fine-tune", &report.Options{Dates: dates, NoAccess: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Verdict.Direction)
	fmt.Println(r.Verdict.Precedence.Story)
	// Output:
	// a-to-b
	// A existed by 2024-03-01T00:00:00Z; no record of B before 2024-06-01T00:00:00Z was given
}

func Example_budget() {
	o := &report.Options{Budget: 600 << 10, Depth: report.Quick}
	r, err := report.Compare(context.Background(), "base", "fine-tune", o)
	if err != nil {
		panic(err)
	}
	s := r.Subjects[1]
	fmt.Println(r.Verdict.Relation, s.BytesRead < s.BytesTotal, s.Root == nil)
	// Output: related true true
}

func Example_html() {
	r, err := report.Compare(context.Background(), "base", "fine-tune", nil)
	if err != nil {
		panic(err)
	}
	var page bytes.Buffer
	if err := html.Write(r, &page); err != nil {
		panic(err)
	}
	fmt.Println(strings.Count(page.String(), "<svg") > 3)
	// Output: true
}

func Example_values() {
	ctx := context.Background()
	m, err := formats.Open(ctx, "base", nil)
	if err != nil {
		panic(err)
	}
	defer m.Close()
	t, ok := m.Tensor("model.norm.weight")
	if !ok {
		panic("no such tensor")
	}
	v := make([]float32, t.Len())
	if err := t.ReadRows(ctx, v, 0, t.Rows()); err != nil {
		panic(err)
	}
	fmt.Println(t.DType, t.Shape, len(v))
	// Output: BF16 [96] 96
}

func Example_fingerprint() {
	ctx := context.Background()
	m, err := formats.Open(ctx, "base", nil)
	if err != nil {
		panic(err)
	}
	defer m.Close()
	f, err := fingerprint.Compute(ctx, m, nil)
	if err != nil {
		panic(err)
	}
	difference, err := f.Verify(ctx, m)
	fmt.Println(f.Parameters, difference == nil, err)
	// Output: 806112 true <nil>
}

func Example_lineage() {
	ctx := context.Background()
	var models []report.Input
	for _, ref := range []string{"base", "fine-tune", "fine-tune-q8_0", "other-seed"} {
		m, err := formats.Open(ctx, ref, nil)
		if err != nil {
			panic(err)
		}
		defer m.Close()
		models = append(models, report.FromCheckpoint(ctx, m))
	}
	g, err := lineage.Build(ctx, models, nil)
	if err != nil {
		panic(err)
	}
	if err := g.WriteText(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// base
	// └─ fine-tune  fine-tuned (direction undetermined)
	//    └─ fine-tune-q8_0  repackaged, quantised (a reading; direction undetermined)
	// other-seed
}

// The snippets in docs/COOKBOOK.md are the examples above, in their order.
func TestCookbookShowsTheExamples(t *testing.T) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "cookbook_test.go", source, 0)
	require.NoError(t, err)
	var want []string
	for _, d := range f.Decls {
		x, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(x.Name.Name, "Example") {
			continue
		}
		body := string(source[set.Position(x.Body.Lbrace).Offset+2 : set.Position(x.Body.Rbrace).Offset])
		body, _, _ = strings.Cut(body, "\t// Output:")
		want = append(want, strings.ReplaceAll("\n"+body, "\n\t", "\n")[1:])
	}
	var got []string
	for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(cookbook, -1) {
		got = append(got, string(m[1]))
	}
	require.Equal(t, want, got)
}
