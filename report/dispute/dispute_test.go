package dispute

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/verdict"
)

var ctx = context.Background()

// court is a dispute whose every key is at hand, also those of liars.
type court struct {
	t      *testing.T
	keys   map[Author]*intoto.PrivateKey
	models map[Author]string
	init   Init
}

func newCourt(t *testing.T) *court {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	c := &court{t, map[Author]*intoto.PrivateKey{}, map[Author]string{A: filepath.Join(dir, "base"), B: filepath.Join(dir, "fine-tune")}, Init{}}
	parties := map[Author]Party{}
	for _, who := range []Author{A, B, Runner} {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		der, err := x509.MarshalPKCS8PrivateKey(private)
		require.NoError(t, err)
		open, err := x509.MarshalPKIXPublicKey(public)
		require.NoError(t, err)
		c.keys[who], err = intoto.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		require.NoError(t, err)
		parties[who] = Party{string(who), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}))}
	}
	c.init = Init{Question: "who", Parties: parties, Gains: Sides, Beacon: "a named round"}
	return c
}

func (c *court) begin() *Transcript {
	t, err := Begin(ctx, c.init, c.keys[Runner])
	require.NoError(c.t, err)
	return t
}

func (c *court) opening(who Author) *Opening {
	o, err := NewOpening(ctx, c.models[who])
	require.NoError(c.t, err)
	return o
}

// opened is a transcript up to the exchange.
func (c *court) opened() *Transcript {
	t := c.begin()
	a, b := c.opening(A), c.opening(B)
	require.NoError(c.t, t.Commit(ctx, A, a, "", Attached{}, c.keys[A]))
	require.NoError(c.t, t.Commit(ctx, B, b, "", Attached{}, c.keys[B]))
	require.NoError(c.t, t.Exchange(ctx, B, b, Attached{}, c.keys[B]))
	require.NoError(c.t, t.Exchange(ctx, A, a, Attached{}, c.keys[A]))
	return t
}

func (c *court) state(t *Transcript) *State {
	s, err := t.Replay(ctx)
	require.NoError(c.t, err)
	return s
}

func TestParseGivesBackWhatWasWritten(t *testing.T) {
	c := newCourt(t)
	x := c.opened()
	again, err := Parse(x.Text())
	require.NoError(t, err)
	require.Equal(t, x.Text(), again.Text())
	require.Equal(t, x.Head(), again.Head())
	c.state(again)
	for _, bad := range []string{"", "\n", "{}\n", "null\n", string(x.Text()[:len(x.Text())-1]), " " + string(x.Text()), string(bytes.Replace(x.Text(), []byte(`"seq":0`), []byte(`"seq":0,"seq":0`), 1)), string(bytes.Replace(x.Text(), []byte(`"seq":0`), []byte(`"extra":1,"seq":0`), 1))} {
		_, err := Parse([]byte(bad))
		require.ErrorIs(t, err, ErrTranscript, "%.60q", bad)
	}
}

// The comparison is that of the command, and its report that of the record.
func TestCompare(t *testing.T) {
	c := newCourt(t)
	x := c.opened()
	text, err := x.Compare(ctx, c.models[A], c.models[B], "value", Attached{}, c.keys[Runner])
	require.NoError(t, err)
	s := c.state(x)
	require.NoError(t, s.CheckReport(text))
	require.Equal(t, string(verdict.Related), s.Run.Relation)
	require.Equal(t, Nonce(s.Committed[A].Commitment, s.Committed[B].Commitment, "value"), s.Run.Nonce)
	r, err := report.ParseJSON(text)
	require.NoError(t, err)
	require.Equal(t, s.Run.Nonce, r.Options.Nonce)
	require.ErrorIs(t, s.CheckReport(append(text, '\n')), ErrForged)

	// A runner who compared with other options, or other files, signs it in vain.
	for name, change := range map[string]func(*report.Report){
		"nonce":     func(r *report.Report) { r.Options.Nonce = "other" },
		"budget":    func(r *report.Report) { r.Options.Budget = report.Full },
		"depth":     func(r *report.Report) { r.Options.Depth = report.Quick },
		"pin":       func(r *report.Report) { r.Options.Pin = false },
		"lenient":   func(r *report.Report) { r.Options.Lenient = true },
		"alpha":     func(r *report.Report) { r.Options.Policy.Alpha = 0.5 },
		"policy":    func(r *report.Report) { r.Policy.Version++ },
		"relation":  func(r *report.Report) { r.Verdict.Relation = verdict.NoEvidence },
		"files":     func(r *report.Report) { r.Subjects[1].Files = r.Subjects[0].Files },
		"exchanged": func(r *report.Report) { r.Subjects[0], r.Subjects[1] = r.Subjects[1], r.Subjects[0] },
		"no files":  func(r *report.Report) { r.Subjects[0].Files = []report.File{} },
	} {
		other, err := report.ParseJSON(text)
		require.NoError(t, err)
		require.NoError(t, s.signedBy(other))
		change(other)
		require.ErrorIs(t, s.signedBy(other), ErrForged, name)
	}
}

// signedBy is CheckReport after the runner put this report into his line.
func (s *State) signedBy(r *report.Report) error {
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		return err
	}
	run := *s.Run
	run.Report = NewExhibit("report.json", b.Bytes())
	copied := *s
	copied.Run = &run
	return copied.CheckReport(b.Bytes())
}

// Steps that their own author signs, and that the protocol does not allow.
func TestSignedForgeriesAreFound(t *testing.T) {
	c := newCourt(t)
	x := c.opened()
	s := c.state(x)
	nonce := s.Nonce("v")
	honest := Run{"v", nonce, s.Command(nonce), report.ThisTool(), NewExhibit("r", nil), "related"}
	with := func(change func(*Run)) Run { r := honest; change(&r); return r }
	a, b := c.opening(A), c.opening(B)
	early := c.begin()
	require.NoError(t, early.Commit(ctx, A, a, "", Attached{}, c.keys[A]))

	for name, f := range map[string]struct {
		on     *Transcript
		by     Author
		what   body
		key    Author
		reason string
	}{
		"honest":                  {x, Runner, honest, Runner, ""},
		"another nonce":           {x, Runner, with(func(r *Run) { r.Nonce = Nonce("", "", "v") }), Runner, "another nonce"},
		"another beacon":          {x, Runner, with(func(r *Run) { r.Beacon = "w" }), Runner, "another nonce"},
		"no beacon":               {x, Runner, with(func(r *Run) { r.Beacon = "" }), Runner, "no value"},
		"another command":         {x, Runner, with(func(r *Run) { r.Command += " --lenient" }), Runner, "another command"},
		"a party runs":            {x, A, honest, A, "this step is that of"},
		"somebody else's key":     {x, Runner, honest, A, intoto.ErrSignature.Error()},
		"late commitment":         {x, A, Commit{"00", ""}, A, "second commitment"},
		"opened twice":            {x, A, a.Exchange, A, "opened twice"},
		"closed before the run":   {x, Runner, Close{[]Author{}, s.labels()}, Runner, "has to be run"},
		"a second init":           {x, Runner, c.init, Runner, "begins with one init"},
		"opened before both":      {early, A, a.Exchange, A, "before both have committed"},
		"commitment for another":  {early, B, Commit{"00", ""}, A, intoto.ErrSignature.Error()},
		"run before the exchange": {early, Runner, honest, Runner, "not opened: [a b]"},
		"blames the wrong one":    {early, Runner, Close{[]Author{A}, Labels{}}, Runner, "not opened: [a b]"},
		"hides a withheld answer": {early, Runner, Close{[]Author{}, s.labels()}, Runner, "not opened: [a b]"},
		"claims labels":           {early, Runner, Close{Sides, Labels{true, "x"}}, Runner, "of labels"},
	} {
		t.Run(name, func(t *testing.T) {
			y, err := Parse(f.on.Text())
			require.NoError(t, err)
			err = y.add(ctx, f.by, f.what, Attached{}, c.keys[f.key])
			if f.reason == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrForged)
			require.ErrorContains(t, err, f.reason)
			require.Equal(t, f.on.Text(), y.Text(), "a refused step leaves the transcript as it was")
		})
	}

	late := c.begin()
	require.NoError(t, late.Commit(ctx, A, a, "", Attached{}, c.keys[A]))
	require.NoError(t, late.Commit(ctx, B, b, "", Attached{}, c.keys[B]))
	require.NoError(t, late.Exchange(ctx, A, a, Attached{}, c.keys[A]))
	s = c.state(late)
	delete(s.Committed, B)
	require.ErrorContains(t, s.commit(Entry{Author: B, Body: json.RawMessage(`{"commitment":"00","seen":""}`)}), "late commitment")
}

// A party that repeats the other's commitment cannot open it with the other's
// opening, nor can an opening of one dispute serve in the next.
func TestCommitmentsCannotBeCopied(t *testing.T) {
	c := newCourt(t)
	x, a := c.begin(), c.opening(A)
	require.NoError(t, x.Commit(ctx, A, a, "", Attached{}, c.keys[A]))
	stolen := c.state(x).Committed[A]
	require.NoError(t, x.add(ctx, B, stolen, Attached{}, c.keys[B]))
	require.NoError(t, x.Exchange(ctx, A, a, Attached{}, c.keys[A]))
	require.ErrorContains(t, x.Exchange(ctx, B, a, Attached{}, c.keys[B]), "not the files that were committed to")

	c.init.Question = "another"
	y := c.begin()
	require.NoError(t, y.add(ctx, A, stolen, Attached{}, c.keys[A]))
	require.NoError(t, y.Commit(ctx, B, c.opening(B), "", Attached{}, c.keys[B]))
	require.ErrorContains(t, y.Exchange(ctx, A, a, Attached{}, c.keys[A]), "not the files")
}

// Whoever changes an early line must forge the signatures of all that follow.
func TestRewrittenHistoryIsFound(t *testing.T) {
	c := newCourt(t)
	x := c.opened()
	var b bytes.Buffer
	prev := ""
	for i, e := range x.Entries {
		if i == 0 {
			in, err := read[Init](e)
			require.NoError(t, err)
			in.Question = "another question"
			e.Body, err = json.Marshal(in)
			require.NoError(t, err)
		}
		e.Prev, e.Sig = prev, nil
		unsigned, err := json.Marshal(e)
		require.NoError(t, err)
		e.Sig, err = c.keys[Runner].Sign(ctx, unsigned) // the runner signs what is not his
		require.NoError(t, err)
		line, err := json.Marshal(e)
		require.NoError(t, err)
		prev = hexSum(line)
		b.Write(append(line, '\n'))
	}
	y, err := Parse(b.Bytes())
	require.NoError(t, err)
	_, err = y.Replay(ctx)
	require.ErrorIs(t, err, ErrForged)
	require.ErrorContains(t, err, "line 2")
}

// A party that tells two stories cannot have the other's answer to one of them stand
// behind the other, though every line is signed.
func TestSplicedTranscriptsAreFound(t *testing.T) {
	c := newCourt(t)
	x := c.begin()
	y, err := Parse(x.Text())
	require.NoError(t, err)
	require.NoError(t, x.Commit(ctx, A, c.opening(A), "", Attached{}, c.keys[A]))
	require.NoError(t, y.Commit(ctx, A, c.opening(A), "", Attached{}, c.keys[A]))
	require.NoError(t, y.Commit(ctx, B, c.opening(B), "", Attached{}, c.keys[B]))
	c.state(y)
	spliced, err := Parse(append(x.Text(), append(y.lines[2], '\n')...))
	require.NoError(t, err)
	_, err = spliced.Replay(ctx)
	require.ErrorIs(t, err, ErrForged)
	require.ErrorContains(t, err, "does not follow the line before it")
}

// The nonce moves with each of its three parts, and parts do not run into each other.
func TestNonce(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range [][3]string{{"a", "b", "c"}, {"b", "a", "c"}, {"a", "b", "d"}, {"ab", "", "c"}, {"a", "bc", ""}, {"", "ab", "c"}} {
		n := Nonce(x[0], x[1], x[2])
		require.Len(t, n, 64)
		require.False(t, seen[n], "%v", x)
		seen[n] = true
		require.Equal(t, n, Nonce(x[0], x[1], x[2]))
	}
	require.NotEqual(t, derive(commitPurpose, "a", "b", "c"), Nonce("a", "b", "c"))
}

func TestOpeningFile(t *testing.T) {
	c := newCourt(t)
	o := c.opening(A)
	text, err := o.Encode()
	require.NoError(t, err)
	back, err := DecodeOpening(text)
	require.NoError(t, err)
	x, err := o.commitment("first", A)
	require.NoError(t, err)
	y, err := back.commitment("first", A)
	require.NoError(t, err)
	require.Equal(t, x, y)
	for _, bad := range []string{"", "{}", `{"schema":"weightprint.dispute-opening/2"}`} {
		_, err := DecodeOpening([]byte(bad))
		require.ErrorIs(t, err, ErrTranscript)
	}
	require.NoError(t, os.WriteFile(filepath.Join(c.models[A], "more"), nil, 0o600))
	again := c.opening(A)
	again.Salt = o.Salt
	z, err := again.commitment("first", A)
	require.NoError(t, err)
	require.NotEqual(t, x, z, "every file counts")
	_, err = Exchange{Salt: "00", Manifest: o.Manifest}.commitment("first", A)
	require.Error(t, err)
}

// A beginning that leaves something open is refused.
func TestInitIsWhole(t *testing.T) {
	c := newCourt(t)
	for name, change := range map[string]func(*Init){
		"question": func(x *Init) { x.Question = "" },
		"beacon":   func(x *Init) { x.Beacon = "" },
		"nobody":   func(x *Init) { x.Gains = nil },
		"twice":    func(x *Init) { x.Gains = []Author{A, A} },
		"runner":   func(x *Init) { x.Gains = []Author{Runner} },
		"depth":    func(x *Init) { x.Depth = "deep" },
		"party":    func(x *Init) { x.Parties = map[Author]Party{A: c.init.Parties[A], Runner: c.init.Parties[Runner]} },
		"key": func(x *Init) {
			x.Parties = map[Author]Party{A: {}, B: c.init.Parties[B], Runner: c.init.Parties[Runner]}
		},
	} {
		x := c.init
		change(&x)
		_, err := Begin(ctx, x, c.keys[Runner])
		require.ErrorIs(t, err, ErrForged, name)
	}
	_, err := Begin(ctx, c.init, c.keys[A])
	require.ErrorIs(t, err, ErrForged, "the runner begins")
}

func FuzzReplay(f *testing.F) {
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := Parse(text)
		if err != nil {
			return
		}
		require.Equal(t, text, x.Text())
		_, _ = x.Replay(ctx) // it never panics
	})
}
