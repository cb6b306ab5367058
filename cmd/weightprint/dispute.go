package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

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
	key      string
	tokens   []string
	exhibits []string
	as       string
	undo     []func() // takes back what a step wrote before the transcript
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
	c.Flags().StringSliceVar(&f.exhibits, "exhibit", nil, "a file to put on record with this step: an older commitment or manifest of yours, its time stamp, its opening")
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
func (f *disputeFlags) step(c *cobra.Command, dir string, does func(*dispute.Transcript, dispute.Attached, *intoto.PrivateKey) (exhibit []byte, err error)) error {
	key, err := f.private()
	if err != nil {
		return err
	}
	t, err := readTranscript(filepath.Join(dir, transcriptFile))
	if err != nil {
		return err
	}
	with, files, err := f.attached()
	if err != nil {
		return err
	}
	if err := forged(c, stampsOf(t, with.Tokens, files)); err != nil {
		return err
	}
	exhibit, err := does(t, with, key)
	if err := forged(c, err); err != nil {
		f.takeBack(dir, t)
		return err
	}
	if exhibit != nil {
		files = append(files, exhibit)
	}
	if err := f.keep(dir, t, files); err != nil {
		f.takeBack(dir, t)
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "line %d, head %s\n", len(t.Entries), t.Head())
	return err
}

// keep writes the files of a step. Exhibits first: a transcript that names what is
// not there is worth less than a file that nothing names.
func (f *disputeFlags) keep(dir string, t *dispute.Transcript, files [][]byte) error {
	for _, text := range files {
		file, added, err := putExhibit(dir, text)
		if added {
			f.undo = append(f.undo, func() { _ = os.Remove(file) })
		}
		if err != nil {
			return err
		}
	}
	return replaceFile(filepath.Join(dir, transcriptFile), t.Text(), isTranscript)
}

// takeBack removes what a step that failed wrote, unless the transcript names it
// already: it can be in place although not all was well with it.
func (f *disputeFlags) takeBack(dir string, t *dispute.Transcript) {
	if len(f.undo) == 0 {
		return
	}
	if now, err := readSmall(filepath.Join(dir, transcriptFile)); err != nil || bytes.Equal(now, t.Text()) {
		return
	}
	for _, undo := range slices.Backward(f.undo) {
		undo()
	}
}

// attached reads the files of --token and --exhibit, tokens first.
func (f *disputeFlags) attached() (with dispute.Attached, files [][]byte, err error) {
	for _, x := range []struct {
		names []string
		to    *[]dispute.Exhibit
	}{{f.tokens, &with.Tokens}, {f.exhibits, &with.Exhibits}} {
		for _, name := range x.names {
			text, err := readSmall(name)
			if err != nil {
				return with, nil, err
			}
			*x.to = append(*x.to, dispute.NewExhibit(filepath.Base(name), text))
			files = append(files, text)
		}
	}
	return with, files, nil
}

// stampsOf requires that tokens are over the transcript as it stands before the
// next step. Whose they are is asked when it is replayed.
func stampsOf(t *dispute.Transcript, tokens []dispute.Exhibit, files [][]byte) error {
	for i, x := range tokens {
		if _, err := t.Stamp(len(t.Entries), x, files[i], nil); err != nil {
			return err
		}
	}
	return nil
}

// forged turns a step that does not hold into a finding.
func forged(c *cobra.Command, err error) error {
	if !errors.Is(err, dispute.ErrForged) && !errors.Is(err, intoto.ErrSignature) {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "refused: %s\n", oneLine(err))
	return exitCode(exitMismatch)
}
