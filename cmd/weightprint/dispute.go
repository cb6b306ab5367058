package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/dispute"
	"github.com/weightprint/weightprint/report/intoto"
)

// transcriptFile and exhibitsFolder are what the folder of a dispute holds.
const (
	transcriptFile = "transcript.jsonl"
	exhibitsFolder = "exhibits"
)

// disputeFlags are what the steps of a dispute share.
type disputeFlags struct {
	key    string
	tokens []string
	as     string
}

func disputeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "dispute",
		Short: "compare the models of two parties who do not trust each other, on record",
		Long: `dispute keeps a folder with a transcript that both parties and a neutral runner sign
step by step: init, commit by each party, exchange by each, run, close. Hand the
folder on after every step, and keep the head that each step prints: a transcript
that was changed or begun anew does not lead to it. weightprint verify
DIR/transcript.jsonl replays it. docs/DISPUTE.md explains the steps and what each
side could still cheat about.`,
		Example: `  weightprint dispute commit case/ model/ --as a --unseen --opening a.opening --key a.key.pem
  weightprint dispute run case/ model-a/ model-b/ --beacon 8f3c51 --key runner.key.pem
  weightprint verify case/transcript.jsonl`,
	}
	c.AddCommand(disputeInitCommand(), disputeCommitCommand(), disputeExchangeCommand(), disputeRunCommand(), disputeCloseCommand())
	return c
}

// flags adds the flags of a step.
func (f *disputeFlags) flags(c *cobra.Command, party bool) *cobra.Command {
	c.Flags().StringVar(&f.key, "key", "", "your private key, a PEM file")
	c.Flags().StringSliceVar(&f.tokens, "token", nil, "a time stamp over the transcript as it stands before this step; it becomes an exhibit")
	_ = c.MarkFlagRequired("key")
	if party {
		c.Flags().StringVar(&f.as, "as", "", "the party you are: a or b")
		_ = c.MarkFlagRequired("as")
	}
	return c
}

// who is the party that --as names.
func (f *disputeFlags) who() (dispute.Author, error) {
	if f.as != string(dispute.A) && f.as != string(dispute.B) {
		return "", usageError{oneOf("as", f.as, []string{"a", "b"})}
	}
	return dispute.Author(f.as), nil
}

// private reads the key of --key.
func (f *disputeFlags) private() (*intoto.PrivateKey, error) {
	pem, err := readSmall(f.key)
	if err != nil {
		return nil, err
	}
	key, err := intoto.ParsePrivateKey(pem)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.key, err)
	}
	return key, err
}

// step does one step in the folder of a dispute: it reads the transcript, changes it
// and writes it with its exhibits. A step that does not hold changes nothing.
func (f *disputeFlags) step(c *cobra.Command, dir string, does func(*dispute.Transcript, []dispute.Exhibit, *intoto.PrivateKey) (exhibit []byte, err error)) error {
	key, err := f.private()
	if err != nil {
		return err
	}
	t, err := readTranscript(filepath.Join(dir, transcriptFile))
	if err != nil {
		return err
	}
	var tokens []dispute.Exhibit
	var files [][]byte
	for _, name := range f.tokens {
		text, err := readSmall(name)
		if err != nil {
			return err
		}
		tokens, files = append(tokens, dispute.NewExhibit(filepath.Base(name), text)), append(files, text)
	}
	exhibit, err := does(t, tokens, key)
	if err := forged(c, err); err != nil {
		return err
	}
	if exhibit != nil {
		files = append(files, exhibit)
	}
	// Exhibits first: a transcript that names what is not there is worth less than
	// a file that nothing names.
	for _, text := range files {
		if err := putExhibit(dir, text); err != nil {
			return err
		}
	}
	if err := replaceFile(filepath.Join(dir, transcriptFile), t.Text(), isTranscript); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "line %d, head %s\n", len(t.Entries), t.Head())
	return err
}

// forged turns a step that does not hold into a finding.
func forged(c *cobra.Command, err error) error {
	if !errors.Is(err, dispute.ErrForged) && !errors.Is(err, intoto.ErrSignature) {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "refused: %s\n", oneLine(err))
	return exitCode(exitMismatch)
}

func readTranscript(file string) (*dispute.Transcript, error) {
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	t, err := dispute.Parse(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", escape.Printable(file), err)
	}
	return t, err
}

// isTranscript tells the file of a transcript by its first bytes.
func isTranscript(head []byte) bool {
	return bytes.HasPrefix(head, []byte(`{"schema":"`+dispute.Schema+`",`))
}

// replaceFile writes a file of a dispute; ours tells what may stand there, nil for
// nothing.
func replaceFile(file string, text []byte, ours func([]byte) bool) error {
	t, err := outfile.Prepare(file, &outfile.Rules{Ours: ours, New: ours == nil})
	if err != nil {
		return err
	}
	return (&destination{target: t}).bytes(text)
}

// exhibitPath is where an exhibit lies: under its digest.
func exhibitPath(dir, sum string) string { return filepath.Join(dir, exhibitsFolder, sum) }

// putExhibit stores an exhibit under its digest, if it does not lie there.
func putExhibit(dir string, text []byte) error {
	file := exhibitPath(dir, dispute.NewExhibit("", text).SHA256)
	if have, err := readSmall(file); err == nil && bytes.Equal(have, text) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return replaceFile(file, text, func([]byte) bool { return true }) // damaged, if it is there
}

func disputeInitCommand() *cobra.Command {
	var f disputeFlags
	var x dispute.Init
	var gains, budget, depth string
	parties := map[dispute.Author]*string{dispute.A: new(string), dispute.B: new(string), dispute.Runner: new(string)}
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "begin: state the question, the parties with their keys, the beacon and the comparison",
		Example: `  weightprint dispute init case/ --question "was B made from A?" --a Alpha=a.pub.pem --b Beta=b.pub.pem \
      --runner Court=runner.pub.pem --beacon "drand quicknet, round 20000000" --key runner.key.pem`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := fillInit(&x, parties, gains, budget, depth); err != nil {
				return usageError{err}
			}
			return f.begin(c, a[0], x)
		},
	}
	fl := c.Flags()
	fl.StringVar(&x.Question, "question", "", "what is asked")
	fl.StringVar(&x.Beacon, "beacon", "", "the public value that will draw the positions: a source and a round that is still to come")
	fl.StringVar(&gains, "gains", "both", "who gains from a finding of common origin: a, b or both")
	fl.StringVar(&budget, "budget", report.DefaultBudget.String(), "bytes to read of each model")
	fl.StringVar(&depth, "depth", string(report.Normal), "quick, normal or full")
	for who, value := range parties {
		fl.StringVar(value, string(who), "", "name and public key of "+string(who)+": NAME=FILE.pem")
		_ = c.MarkFlagRequired(string(who))
	}
	_ = c.MarkFlagRequired("question")
	_ = c.MarkFlagRequired("beacon")
	return f.flags(c, false)
}

// fillInit reads the flags of init.
func fillInit(x *dispute.Init, parties map[dispute.Author]*string, gains, budget, depth string) (err error) {
	x.Parties = map[dispute.Author]dispute.Party{}
	for who, value := range parties {
		name, file, ok := strings.Cut(*value, "=")
		if !ok {
			return fmt.Errorf("--%s: %q is not NAME=FILE.pem", who, *value)
		}
		pem, err := readSmall(file)
		if err != nil {
			return fmt.Errorf("--%s: %w", who, err)
		}
		x.Parties[who] = dispute.Party{Name: name, Key: string(pem)}
	}
	switch gains {
	case "a", "b":
		x.Gains = []dispute.Author{dispute.Author(gains)}
	case "both":
		x.Gains = dispute.Sides
	default:
		return oneOf("gains", gains, []string{"a", "b", "both"})
	}
	x.Depth = report.Depth(depth)
	x.Budget, err = report.ParseBytes(budget)
	return err
}

// begin writes the first line of a transcript.
func (f *disputeFlags) begin(c *cobra.Command, dir string, x dispute.Init) error {
	key, err := f.private()
	if err != nil {
		return err
	}
	t, err := dispute.Begin(c.Context(), x, key)
	if err := forged(c, err); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(dir, transcriptFile), t.Text(), nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "line 1, head %s\n", t.Head())
	return err
}

func disputeCommitCommand() *cobra.Command {
	var f disputeFlags
	var opening, seen string
	var unseen bool
	c := &cobra.Command{
		Use:   "commit DIR MODEL",
		Short: "commit to the files of your model, which nobody learns anything of",
		Long: `commit digests every file of MODEL, writes the secret opening to --opening, and adds
the commitment to the transcript. State with it whether you have had the other
party's file: --unseen, or --seen "since May 2025: it is public". A false statement
is yours, signed.`,
		Example: "  weightprint dispute commit case/ model/ --as a --unseen --opening a.opening --key a.key.pem",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, a []string) error {
			who, err := f.who()
			if err != nil {
				return err
			}
			if unseen == (seen != "") {
				return usageError{errors.New("commit: state either --unseen or --seen")}
			}
			path, err := source.Local(a[1])
			if err != nil {
				return err
			}
			o, err := dispute.NewOpening(c.Context(), path)
			if err != nil {
				return err
			}
			secret, err := fresh(c, a[1:], opening, 0o600)
			if err != nil {
				return err
			}
			return f.step(c, a[0], func(t *dispute.Transcript, tokens []dispute.Exhibit, key *intoto.PrivateKey) ([]byte, error) {
				if err := t.Commit(c.Context(), who, o, seen, tokens, key); err != nil {
					return nil, err
				}
				text, err := o.Encode()
				if err != nil {
					return nil, err
				}
				return nil, secret.bytes(text) // before the commitment: one that nobody can open is worth nothing
			})
		},
	}
	c.Flags().StringVar(&opening, "opening", "", "secret file to write: it opens the commitment at the exchange")
	c.Flags().BoolVar(&unseen, "unseen", false, "state that you have never had the other party's file")
	c.Flags().StringVar(&seen, "seen", "", "state since when and how you have had the other party's file")
	_ = c.MarkFlagRequired("opening")
	return f.flags(c, true)
}

func disputeExchangeCommand() *cobra.Command {
	var f disputeFlags
	var opening string
	c := &cobra.Command{
		Use:     "exchange DIR",
		Short:   "open your commitment, once both have committed: the digests of your files",
		Example: "  weightprint dispute exchange case/ --as a --opening a.opening --key a.key.pem",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			who, err := f.who()
			if err != nil {
				return err
			}
			text, err := readSmall(opening)
			if err != nil {
				return err
			}
			o, err := dispute.DecodeOpening(text)
			if err != nil {
				return err
			}
			return f.step(c, a[0], func(t *dispute.Transcript, tokens []dispute.Exhibit, key *intoto.PrivateKey) ([]byte, error) {
				return nil, t.Exchange(c.Context(), who, o, tokens, key)
			})
		},
	}
	c.Flags().StringVar(&opening, "opening", "", "the secret file that commit wrote")
	_ = c.MarkFlagRequired("opening")
	return f.flags(c, true)
}

func disputeRunCommand() *cobra.Command {
	var f disputeFlags
	var beacon string
	c := &cobra.Command{
		Use:   "run DIR A B",
		Short: "hold both models against their commitments, compare them, and add the report",
		Long: `run is the runner's step. It refuses a model that differs in any file from what was
committed to, draws the nonce from both commitments and the value of the beacon that
init named, and compares as init stated. The report becomes an exhibit.`,
		Example: `  weightprint dispute run case/ model-a/ model-b/ --beacon 8f3c… --key runner.key.pem`,
		Args:    args(cobra.ExactArgs(3)),
		RunE: func(c *cobra.Command, a []string) error {
			paths, err := localPaths(a[1:])
			if err != nil {
				return err
			}
			return f.step(c, a[0], func(t *dispute.Transcript, tokens []dispute.Exhibit, key *intoto.PrivateKey) ([]byte, error) {
				return t.Compare(c.Context(), paths[0], paths[1], beacon, tokens, key)
			})
		},
	}
	c.Flags().StringVar(&beacon, "beacon", "", "the value of the beacon")
	_ = c.MarkFlagRequired("beacon")
	return f.flags(c, false)
}

func localPaths(refs []string) (out []string, err error) {
	for _, ref := range refs {
		path, err := source.Local(ref)
		if err != nil {
			return nil, err
		}
		out = append(out, path)
	}
	return out, nil
}

func disputeCloseCommand() *cobra.Command {
	var f disputeFlags
	c := &cobra.Command{
		Use:   "close DIR",
		Short: "end the record: after the comparison, or with who withholds its opening",
		Long: `close is the runner's last step. After the comparison it states whether labels are
evidence of origin in this dispute. Before the exchange is complete it puts on record
who has not opened its commitment: give the parties the time that was agreed on.`,
		Example: "  weightprint dispute close case/ --key runner.key.pem",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			return f.step(c, a[0], func(t *dispute.Transcript, tokens []dispute.Exhibit, key *intoto.PrivateKey) ([]byte, error) {
				return nil, t.Close(c.Context(), tokens, key)
			})
		},
	}
	return f.flags(c, false)
}

// verifyDispute replays a transcript with its exhibits and, where both models are
// given, makes the comparison anew.
func (f *verifyFlags) verifyDispute(c *cobra.Command, file string, models []string) error {
	if len(models) != 0 && len(models) != 2 {
		return usageError{errors.New("verify: a transcript takes two models, A and B, or none")}
	}
	if err := takes(c, "a transcript"); err != nil {
		return err
	}
	t, err := readTranscript(file)
	if err != nil {
		return err
	}
	s, text, err := replayed(c.Context(), t, filepath.Dir(file))
	if errors.Is(err, dispute.ErrForged) {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s\n", oneLine(err))
		return exitCode(exitMismatch)
	}
	if err != nil {
		return err
	}
	if len(models) == 2 && text == nil {
		return usageError{errors.New("verify: no comparison is on record; give no models")}
	}
	if len(models) == 2 {
		if err := f.verifyReport(c, file, text, models); err != nil {
			return err
		}
	}
	return writeState(c.OutOrStdout(), t, s)
}

// replayed replays a transcript and holds its exhibits against it. text is the
// report, nil where nothing was compared.
func replayed(ctx context.Context, t *dispute.Transcript, dir string) (s *dispute.State, text []byte, err error) {
	if s, err = t.Replay(ctx); err != nil {
		return nil, nil, err
	}
	for i, e := range t.Entries {
		for _, x := range e.Tokens {
			if _, err := getExhibit(dir, x, i+1); err != nil {
				return nil, nil, err
			}
		}
	}
	if s.Run == nil {
		return s, nil, nil
	}
	if text, err = getExhibit(dir, s.Run.Report, len(t.Entries)); err != nil {
		return nil, nil, err
	}
	return s, text, s.CheckReport(text)
}

// getExhibit reads an exhibit, which must be what the transcript says.
func getExhibit(dir string, x dispute.Exhibit, line int) ([]byte, error) {
	if strings.Trim(x.SHA256, "0123456789abcdef") != "" || len(x.SHA256) != 64 {
		return nil, fmt.Errorf("%w: line %d: exhibit %.80q has no SHA-256", dispute.ErrForged, line, x.Name)
	}
	text, err := readSmall(exhibitPath(dir, x.SHA256))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: exhibit %.80q is missing: %s", dispute.ErrForged, x.Name, exhibitPath(dir, x.SHA256))
	}
	if err == nil && dispute.NewExhibit("", text).SHA256 != x.SHA256 {
		err = fmt.Errorf("%w: exhibit %.80q was changed: %s", dispute.ErrForged, x.Name, exhibitPath(dir, x.SHA256))
	}
	return text, err
}
