package dated_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/dated"
	"github.com/weightprint/weightprint/report/dated/datedtest"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/intoto/oms"
	"github.com/weightprint/weightprint/report/verdict"
)

var ctx = context.Background()

// desk is a folder with the networks of the demo, an authority, and its tokens.
type desk struct {
	t         testing.TB
	dir       string
	authority *datedtest.Authority
	roots     *x509.CertPool
}

func newDesk(t testing.TB, m datedtest.Making) *desk {
	t.Helper()
	d := &desk{t, t.TempDir(), datedtest.New(t, m), nil}
	require.NoError(t, demo.Extract(d.dir))
	var err error
	d.roots, err = dated.ParseRoots(d.authority.Roots)
	require.NoError(t, err)
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) write(name string, b []byte) string {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(d.path(name), b, 0o600))
	return d.path(name)
}

// stamp puts a token beside a file.
func (d *desk) stamp(name string, at time.Time) string {
	return d.authority.StampFile(d.t, d.path(name), d.path(name+".tsr"), at)
}

func (d *desk) open(name string) *formats.Checkpoint {
	d.t.Helper()
	m, err := formats.Open(ctx, d.path(name), nil)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { m.Close() })
	return m
}

func (d *desk) manifest(model string) *intoto.Statement {
	d.t.Helper()
	m, err := oms.Make(ctx, d.path(model), &oms.Options{HashType: "sha256"})
	require.NoError(d.t, err)
	s, err := m.Statement()
	require.NoError(d.t, err)
	return s
}

// objects are what may be stamped, each made of a model.
var objects = map[string]func(d *desk, model, name string){
	"manifest": func(d *desk, model, name string) {
		b, err := d.manifest(model).JSON()
		require.NoError(d.t, err)
		d.write(name, b)
	},
	"signed manifest": func(d *desk, model, name string) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(d.t, err)
		der, err := x509.MarshalPKCS8PrivateKey(private)
		require.NoError(d.t, err)
		key, err := intoto.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		require.NoError(d.t, err)
		b, err := intoto.Bundle(ctx, d.manifest(model), key)
		require.NoError(d.t, err)
		d.write(name, b)
	},
	"fingerprint": func(d *desk, model, name string) {
		f, err := fingerprint.Compute(ctx, d.open(model), nil)
		require.NoError(d.t, err)
		w, err := os.Create(d.path(name))
		require.NoError(d.t, err)
		_, err = f.WriteTo(w)
		require.NoError(d.t, err)
		require.NoError(d.t, w.Close())
	},
	"commitment": func(d *desk, model, name string) {
		s, err := commitment.NewSecret()
		require.NoError(d.t, err)
		o, err := commitment.Commit(ctx, d.open(model), s)
		require.NoError(d.t, err)
		d.write(name, o.Commitment().Encode())
		d.write(name+".opening", o.Encode())
	},
	"list": func(d *desk, model, name string) {
		b, err := os.ReadFile(d.path(model + "/model.safetensors"))
		require.NoError(d.t, err)
		h := crypto.SHA256.New()
		h.Write(b)
		d.write(name, fmt.Appendf(nil, "%x  model.safetensors\n", h.Sum(nil)))
	},
	"report": func(d *desk, model, name string) {
		r, err := report.Compare(ctx, d.path(model), d.path("other-seed"), &report.Options{Depth: report.Quick})
		require.NoError(d.t, err)
		w, err := os.Create(d.path(name))
		require.NoError(d.t, err)
		require.NoError(d.t, r.WriteJSON(w))
		require.NoError(d.t, w.Close())
	},
	"file": func(d *desk, model, name string) {
		b, err := os.ReadFile(d.path(model + "/model.safetensors"))
		require.NoError(d.t, err)
		d.write(name, b)
	},
}

// Whatever is stamped binds the model that it commits to, and no other.
func TestWhatIsStampedBinds(t *testing.T) {
	d := newDesk(t, datedtest.Making{})
	for name, make := range objects {
		make(d, "base", name)
		all, err := dated.Read([]string{d.stamp(name, noon)}, d.roots)
		require.NoError(t, err, name)
		require.Len(t, all, 1)
		require.Empty(t, all[0].Ignored, name)
		r, err := report.Compare(ctx, d.path("fine-tune"), d.path("base"), &report.Options{Dates: all, Depth: report.Quick, Budget: 200 << 10})
		require.NoError(t, err, name)
		p := r.Verdict.Precedence
		require.NotNil(t, p, "%s: %v", name, r.Warnings)
		require.Nil(t, p.A, name)
		require.Equal(t, verdict.Time("2024-03-01T12:00:00Z"), *p.B, name)
		require.Equal(t, verdict.Undetermined, p.Direction, name)
		require.Equal(t, "B existed by 2024-03-01T12:00:00Z; no dated record of A was given", p.Story)

		// The report holds all that its dates rest on, but no secret.
		again, err := report.Compare(ctx, d.path("fine-tune"), d.path("base"), &r.Options)
		require.NoError(t, err)
		diff, err := r.Differs(again)
		require.NoError(t, err)
		require.Nil(t, diff, name)

		r, err = report.Compare(ctx, d.path("fine-tune"), d.path("fine-tune-q8_0"), &report.Options{Dates: all, Depth: report.Quick, Budget: 200 << 10})
		require.NoError(t, err)
		require.Nil(t, r.Verdict.Precedence, name)
		require.Contains(t, fmt.Sprint(r.Warnings), "commits to neither A nor B", name)
		again, err = report.Compare(ctx, d.path("fine-tune"), d.path("fine-tune-q8_0"), &r.Options)
		require.NoError(t, err)
		diff, err = r.Differs(again)
		require.NoError(t, err)
		require.Nil(t, diff, name)
	}
}

func TestReadRefuses(t *testing.T) {
	d := newDesk(t, datedtest.Making{})
	foreign := datedtest.New(t, datedtest.Making{})
	objects["manifest"](d, "base", "m.json")
	objects["commitment"](d, "base", "c.commit")
	good := d.stamp("m.json", noon)

	all, err := dated.Read([]string{good}, nil)
	require.NoError(t, err)
	require.Contains(t, all[0].Ignored, "give the authority's root certificate with --roots")
	r, err := report.Compare(ctx, d.path("base"), d.path("fine-tune"), &report.Options{Dates: all, Depth: report.Quick})
	require.NoError(t, err)
	require.Nil(t, r.Verdict.Precedence, "what nobody vouches for counts for nothing")
	require.Contains(t, fmt.Sprint(r.Warnings), "not verified")

	_, err = dated.Read([]string{foreign.StampFile(t, d.path("m.json"), d.path("foreign.tsr"), noon), d.path("m.json")}, d.roots)
	require.ErrorIs(t, err, dated.ErrAuthority)
	_, err = dated.Read([]string{d.path("m.json"), d.authority.StampFile(t, d.path("c.commit"), d.path("other.tsr"), noon)}, d.roots)
	require.ErrorIs(t, err, dated.ErrUndated)
	_, err = dated.Read([]string{d.authority.StampFile(t, d.path("c.commit"), d.path("m.json.tst"), noon)}, d.roots)
	require.ErrorIs(t, err, dated.ErrImprint)
	_, err = dated.Read([]string{d.write("x.tsr", []byte("no token"))}, d.roots)
	require.ErrorIs(t, err, dated.ErrToken)
	_, err = dated.Read([]string{d.path("missing")}, d.roots)
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.Remove(d.path("c.commit.opening")))
	all, err = dated.Read([]string{d.stamp("c.commit", noon)}, d.roots)
	require.NoError(t, err)
	require.Contains(t, all[0].Ignored, "without its opening")

	long := newDesk(t, datedtest.Making{Hash: crypto.SHA512})
	objects["manifest"](long, "base", "m.json")
	_, err = dated.Read([]string{long.authority.StampFile(t, long.path("m.json"), long.path("far.tsr"), noon)}, long.roots)
	require.ErrorIs(t, err, dated.ErrImprint)
	all, err = dated.Read([]string{long.path("far.tsr"), long.path("m.json")}, long.roots)
	require.NoError(t, err)
	require.NotEmpty(t, all[0].Files)
}

// The earliest token of a model counts; a direction needs both dates, and the
// assumption.
func TestDirectionNeedsDatesAndAnAssumption(t *testing.T) {
	d := newDesk(t, datedtest.Making{})
	objects["manifest"](d, "base", "base.json")
	objects["fingerprint"](d, "base", "base.wfp")
	objects["manifest"](d, "fine-tune", "tune.json")
	early, late, later := d.stamp("base.json", noon), d.stamp("tune.json", noon.Add(time.Hour)), d.stamp("base.wfp", noon.Add(2*time.Hour))
	for i, c := range []struct {
		files     []string
		noAccess  bool
		direction verdict.Direction
		says      string
	}{
		{[]string{early, late, later}, true, verdict.AToB, "assumed, not shown: whoever made A had no access to B"},
		{[]string{early, late}, false, verdict.Undetermined, "no record of B before"},
		{[]string{early}, true, verdict.Undetermined, "no dated record of B"},
		{[]string{later, late}, true, verdict.BToA, "no record of A before"},
	} {
		all, err := dated.Read(c.files, d.roots)
		require.NoError(t, err)
		o := &report.Options{Dates: all, NoAccess: c.noAccess}
		r, err := report.Compare(ctx, d.path("base"), d.path("fine-tune"), o)
		require.NoError(t, err)
		require.Equal(t, c.direction, r.Verdict.Direction, "case %d", i)
		require.Contains(t, r.Verdict.Precedence.Words(), c.says)
		require.Equal(t, c.direction != verdict.Undetermined, r.Verdict.Precedence.Assumed != nil)
		for _, claimed := range []verdict.Direction{verdict.AToB, verdict.BToA} {
			err := r.Check(report.Claim{Relation: verdict.Related, Direction: claimed})
			if claimed == c.direction {
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, report.ErrUnproven, "dates contradict nothing")
		}
	}
}

// An arranged stranger is inconclusive, and found by its labels where both files
// are dated before the time until which neither was available to the other side:
// the assumption says that it was not arranged.
func TestLabelsOfCommittedFiles(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(1, 1))
	build := adversary.Build{Layers: 3, Hidden: 32, Width: 96, Heads: 2, KV: 1, Dim: 16, Vocab: 64}
	victim, own := adversary.New(r, build), adversary.New(r, build)
	d := newDesk(t, datedtest.Making{})
	require.NoError(t, victim.Write(d.path("victim")))
	require.NoError(t, adversary.Arrangements[1].Apply(r, own, victim.Clone()).Write(d.path("arranged")))
	objects["list"](d, "victim", "victim.sha256")
	objects["list"](d, "arranged", "arranged.sha256")
	both := []string{d.stamp("victim.sha256", noon), d.stamp("arranged.sha256", noon.Add(time.Hour))}
	for _, c := range []struct {
		files     []string
		disclosed verdict.Time
		want      verdict.Relation
	}{
		{nil, "", verdict.Inconclusive},
		{both, "", verdict.Inconclusive},
		{both[:1], "2024-04-01T00:00:00Z", verdict.Inconclusive},
		{both, "2024-03-01T12:30:00Z", verdict.Inconclusive},
		{both, "2024-04-01T00:00:00Z", verdict.SharedInit},
	} {
		all, err := dated.Read(c.files, d.roots)
		require.NoError(t, err)
		rep, err := report.Compare(ctx, d.path("victim"), d.path("arranged"), &report.Options{Dates: all, Disclosed: c.disclosed, NoAccess: true})
		require.NoError(t, err)
		require.Equal(t, c.want, rep.Verdict.Relation, "%v", rep.Verdict.Because)
		require.Equal(t, verdict.Undetermined, rep.Verdict.Direction)
	}
}
