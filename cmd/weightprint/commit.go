package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/internal/saferio"
)

// The verbs by which models are compared that will not be shown. They are
// explained together in docs/CLOSED-WEIGHTS.md.

func commitCommand() *cobra.Command {
	var file, secret string
	c := &cobra.Command{
		Use:   "commit MODEL -o COMMIT",
		Short: "fix the weights of a model without showing anything of them",
		Long: `commit reads every value of a model once and writes two files. COMMIT binds the
weights and says nothing about them: publish it, and have its date witnessed.
COMMIT.opening answers challenges: keep it secret, and keep it, for without it
and the model the commitment is worth nothing. Neither file is ever overwritten.`,
		Example: "  weightprint commit model/ -o model.commit",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if file == "" {
				return usageError{fmt.Errorf("commit: give -o FILE")}
			}
			if secret == "" {
				secret = file + ".opening"
			}
			return commitTo(c, a[0], file, secret)
		},
	}
	c.Flags().StringVarP(&file, "output", "o", "", "commitment to write")
	c.Flags().StringVar(&secret, "opening", "", "secret opening to write (default: the commitment's name with .opening)")
	return c
}

func commitTo(c *cobra.Command, ref, file, secret string) error {
	if file == secret || isStream(file) || isStream(secret) {
		return usageError{errors.New("commit: the commitment and its opening are two files")}
	}
	public, err := fresh(c, []string{ref}, file, 0o666)
	if err != nil {
		return err
	}
	private, err := fresh(c, []string{ref}, secret, 0o600)
	if err != nil {
		return err
	}
	s, err := commitment.NewSecret()
	if err != nil {
		return err
	}
	m, err := openModel(c.Context(), ref, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	stop := watch(c, m)
	o, err := commitment.Commit(c.Context(), m, s)
	stop()
	if err != nil {
		return err
	}
	if err := m.Verify(); err != nil {
		return err
	}
	// The opening first: a commitment that nobody can open is worth nothing.
	if err := private.bytes(o.Encode()); err != nil {
		return err
	}
	if err := public.bytes(o.Commitment().Encode()); err != nil {
		if _, there := os.Lstat(file); errors.Is(there, os.ErrNotExist) {
			err = errors.Join(err, os.Remove(secret)) // it is ours, and opens nothing
		}
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "commitment %s\n", o.Commitment().Root)
	if len(o.Axes) == 0 {
		fmt.Fprintln(c.ErrOrStderr(), "weightprint: the model has no units that can be sketched: the commitment can be opened whole, but answers no challenge")
	}
	return nil
}

// verifyCommitment holds a model against a commitment, with its opening.
func verifyCommitment(c *cobra.Command, file, ref, opening string) error {
	want, err := readSealed(file, commitment.DecodeCommitment)
	if err != nil {
		return err
	}
	o, err := readSealed(opening, commitment.DecodeOpening)
	if err != nil {
		return err
	}
	m, err := openModel(c.Context(), ref, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	if o.Commitment() != want {
		fmt.Fprintln(c.OutOrStdout(), "differs: the opening is of another commitment")
		return exitCode(exitMismatch)
	}
	stop := watch(c, m)
	err = o.Verify(c.Context(), m)
	stop()
	if errors.Is(err, commitment.ErrNotCommitted) {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s\n", oneLine(err))
		return exitCode(exitMismatch)
	}
	if err == nil {
		err = m.Verify()
	}
	if err == nil {
		fmt.Fprintln(c.OutOrStdout(), "verified: every value is that of the commitment")
	}
	return err
}

// fresh looks at the place of a file of the protocol: nothing may stand there,
// whatever --force says.
func fresh(c *cobra.Command, a []string, file string, mode os.FileMode) (*destination, error) {
	d := &destination{stdout: c.OutOrStdout()}
	if isStream(file) {
		return d, nil
	}
	r := rulesOf(c, a, nil)
	r.New, r.Mode, r.Force = true, mode, false
	var err error
	d.target, err = outfile.Prepare(file, r)
	return d, err
}

// readSealed reads a file of the commitment protocol.
func readSealed[T any](name string, decode func([]byte) (T, error)) (x T, err error) {
	b, err := saferio.ReadFile(name, commitment.MaxFileBytes)
	if err != nil {
		return x, err
	}
	x, err = decode(b)
	if err != nil {
		return x, fmt.Errorf("%s: %w", escape.Printable(name), err)
	}
	return x, nil
}
