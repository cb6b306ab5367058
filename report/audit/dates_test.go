package audit_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
	"github.com/weightprint/weightprint/report/dated"
	"github.com/weightprint/weightprint/report/dated/datedtest"
	"github.com/weightprint/weightprint/report/verdict"
)

// clerk dates model folders.
type clerk struct {
	testing.TB
	authority *datedtest.Authority
}

// date stamps the weights of a model.
func (c clerk) date(model string, at time.Time) []report.Date {
	c.Helper()
	token := c.authority.StampFile(c, filepath.Join(model, "model.safetensors"), filepath.Join(c.TempDir(), "x.tsr"), at)
	roots, err := dated.ParseRoots(c.authority.Roots)
	require.NoError(c, err)
	all, err := dated.Read([]string{token}, roots)
	require.NoError(c, err)
	return all
}

var day = time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)

// claimed audits that a model was made from a parent.
func claimed(t testing.TB, parent, model string, d verdict.Direction, o report.Options) audit.Result {
	t.Helper()
	c := audit.Claim{Parent: parent, Relation: verdict.Related, Direction: d}
	all, err := audit.Run(context.Background(), model, []audit.Claim{c}, &o)
	require.NoError(t, err)
	return all[0]
}

// However a copy is made to look like the ancestor: a true claim is not
// contradicted, a false direction not confirmed; and the true one is confirmed by
// dates of both, with the assumption stated.
func TestForgedDirection(t *testing.T) {
	clerk := clerk{t, datedtest.New(t, datedtest.Making{})}
	build := adversary.Build{Layers: 3, Hidden: 24, Width: 48, Heads: 2, KV: 1, Dim: 12, Vocab: 64}
	confirmed := 0
	for i, f := range adversary.Forgeries {
		if testing.Short() && i%4 != 0 {
			continue
		}
		r := rand.New(rand.NewPCG(uint64(i), 17))
		published := adversary.New(r, build)
		published.Train(r, adversary.NewCorpus(r, build.Vocab), adversary.Schooling{Steps: 30, Batch: 4, Long: 12, Rate: 8e-3})
		if f.Publish != nil {
			published = f.Publish(r, published)
		}
		dir := t.TempDir()
		victim, copied := filepath.Join(dir, "victim"), filepath.Join(dir, "copy")
		require.NoError(t, published.Write(victim))
		require.NoError(t, f.Apply(r, published.Clone()).Write(copied))
		first, second := clerk.date(victim, day), clerk.date(copied, day.Add(time.Hour))
		both := append(append([]report.Date{}, first...), second...)
		for what, o := range map[string]report.Options{
			"no dates":            {},
			"an assumption alone": {NoAccess: true},
			"the copy's date":     {Dates: second, NoAccess: true},
			"the victim's date":   {Dates: first, NoAccess: true},
			"dates alone":         {Dates: both},
			"dates, assumption":   {Dates: both, NoAccess: true},
		} {
			if i > 1 && what != "no dates" && what != "dates, assumption" { // they come to the same for every forgery
				continue
			}
			for _, d := range []verdict.Direction{"", verdict.AToB} {
				a := claimed(t, victim, copied, d, o)
				require.NotEqual(t, audit.Contradicted, a.Outcome, "%s, %s: %s", f.Name, what, a.Because)
				if d == "" {
					continue
				}
				if what == "dates, assumption" && a.Verdict.Relation == verdict.Related {
					require.Equal(t, audit.Confirmed, a.Outcome, "%s: %s", f.Name, a.Because)
					require.Contains(t, a.Because, "assumed, not shown")
					confirmed++
				} else {
					require.Equal(t, audit.Unproven, a.Outcome, "%s, %s: %s", f.Name, what, a.Because)
				}
			}
			for parent, model := range map[string]string{copied: victim, victim: copied} {
				d := map[string]verdict.Direction{copied: verdict.AToB, victim: verdict.BToA}[parent]
				a := claimed(t, parent, model, d, o)
				require.Equal(t, audit.Unproven, a.Outcome, "%s, %s: %s", f.Name, what, a.Because)
			}
		}
	}
	require.Positive(t, confirmed)
	t.Log(confirmed, "of", len(adversary.Forgeries), "true directions confirmed")
}

// An audit shows its nonce, and a lost date says why.
func TestAuditShowsNonceAndDates(t *testing.T) {
	dir := demoModels(t)
	clerk := clerk{t, datedtest.New(t, datedtest.Making{})}
	o := report.Options{Nonce: "n", Dates: clerk.date(filepath.Join(dir, "other-seed"), day)}
	a := claimed(t, filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), "", o)
	require.Equal(t, audit.Confirmed, a.Outcome)
	require.Equal(t, "n", a.Options.Nonce)
	file, err := os.Create(filepath.Join(t.TempDir(), "a.json"))
	require.NoError(t, err)
	require.NoError(t, audit.WriteJSON(file, "m", "n", nil, []audit.Result{a}))
	text, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	var x struct {
		Nonce  *string
		Claims []struct {
			Verdict  struct{ Precedence *verdict.Precedence }
			Warnings []string
		}
	}
	require.NoError(t, json.Unmarshal(text, &x))
	require.Equal(t, "n", *x.Nonce)
	require.Nil(t, x.Claims[0].Verdict.Precedence)
	require.Contains(t, x.Claims[0].Warnings, "x.tsr: a file commits to neither A nor B; it counts for nothing")
}
