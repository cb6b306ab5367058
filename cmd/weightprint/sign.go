package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/intoto/oms"
)

func signCommand() *cobra.Command {
	var key, file string
	var cited [2]string
	c := &cobra.Command{
		Use:   "sign REPORT.json --key KEY.pem -o FILE",
		Short: "sign a report, or the manifest of a model, with a key file",
		Long: `sign states a report's findings as an in-toto statement about the two models, by
digest, and signs it in a DSSE envelope. The report must pin its models: make it
with compare --pin or --budget full. A manifest is signed as a Sigstore bundle of
the OpenSSF Model Signing specification.

Keys are PEM files: ed25519, or ECDSA on P-256, P-384 or P-521 (manifests: ECDSA).

  openssl genpkey -algorithm ed25519 -out key.pem
  openssl pkey -in key.pem -pubout -out pub.pem

--model-a and --model-b cite signed models: the statement then says that the
files of A or B are those that the given signature or manifest lists.`,
		Example: `  weightprint sign report.json --key key.pem -o report.dsse.json
  weightprint sign manifest.json --key key.pem -o model.sig`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if key == "" {
				return usageError{errors.New("sign: name the private key with --key")}
			}
			signed, err := sign(c.Context(), a[0], key, cited)
			if err != nil {
				return err
			}
			out := output{file: file}
			return out.write(c.OutOrStdout(), func(w io.Writer) error { _, err := w.Write(signed); return err })
		},
	}
	fl := c.Flags()
	fl.StringVar(&key, "key", "", "the private key, a PEM file")
	fl.StringVarP(&file, "output", "o", "", "write the signed statement to a file")
	fl.StringVar(&cited[0], "model-a", "", "signature or manifest of A to cite")
	fl.StringVar(&cited[1], "model-b", "", "signature or manifest of B to cite")
	return c
}

// sign signs what a file states.
func sign(ctx context.Context, file, keyFile string, cited [2]string) ([]byte, error) {
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	pem, err := readSmall(keyFile)
	if err != nil {
		return nil, err
	}
	key, err := intoto.ParsePrivateKey(pem)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyFile, err)
	}
	if s, err := intoto.ParseStatement(text); err == nil {
		if s.PredicateType == oms.PredicateType {
			if _, err := oms.FromStatement(s); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			return intoto.Bundle(ctx, s, key)
		}
		return intoto.Sign(ctx, s, key)
	}
	s, err := stated(file, text, cited)
	if err != nil {
		return nil, err
	}
	return intoto.Sign(ctx, s, key)
}

// stated turns a report into a statement. A report with anything in it that is
// not understood is not signed.
func stated(file string, text []byte, cited [2]string) (*intoto.Statement, error) {
	r, err := report.ParseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var again bytes.Buffer
	if err := r.WriteJSON(&again); err != nil {
		return nil, err
	}
	if !bytes.Equal(again.Bytes(), text) {
		return nil, fmt.Errorf("%s: not as weightprint %s writes it; a report is signed as it was made", file, report.Version())
	}
	var signed [2]*intoto.Signed
	for i, name := range cited {
		if name == "" {
			continue
		}
		if signed[i], err = signedModel(name); err != nil {
			return nil, err
		}
	}
	s, err := intoto.FromReport(r, signed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// signedModel reads the manifest to cite. The one who cites it vouches for it:
// its own signature is checked by verify.
func signedModel(file string) (*intoto.Signed, error) {
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	s, err := intoto.ParseStatement(text)
	if err != nil {
		e, bad := intoto.ParseEnvelope(text)
		if bad != nil {
			return nil, fmt.Errorf("%s: %w", file, bad)
		}
		if s, err = e.Unverified(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	m, err := oms.FromStatement(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &intoto.Signed{Statement: s, Files: m.SHA256()}, nil
}

func manifestCommand() *cobra.Command {
	var file string
	var o oms.Options
	c := &cobra.Command{
		Use:   "manifest MODEL -o FILE",
		Short: "list the files of a model by digest (OpenSSF Model Signing 1.0)",
		Long: `manifest writes an in-toto statement that lists every file of a model with its
digest, as the OpenSSF Model Signing specification 1.0 defines it. Sign it with
weightprint sign, hold a model against it with weightprint verify.`,
		Example: "  weightprint manifest model/ -o manifest.json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			path, err := source.Locate(a[0])
			if err != nil {
				return err
			}
			if file != "" {
				o.Without = append(o.Without, file)
			}
			m, err := oms.Make(c.Context(), path, &o)
			if err != nil {
				return err
			}
			s, err := m.Statement()
			if err != nil {
				return err
			}
			out := output{file: file}
			return out.write(c.OutOrStdout(), func(w io.Writer) error { return report.EncodeJSON(w, s) })
		},
	}
	fl := c.Flags()
	fl.StringVarP(&file, "output", "o", "", "write the manifest to a file")
	fl.StringVar(&o.HashType, "hash", "sha256", "sha256, blake2b or blake3")
	fl.Int64Var(&o.ShardSize, "shard-size", 0, "digest ranges of so many bytes instead of whole files")
	fl.BoolVar(&o.AllowSymlinks, "allow-symlinks", false, "follow symbolic links")
	fl.StringSliceVar(&o.Ignore, "ignore-paths", nil, "relative paths to leave out")
	return c
}

// verifyStatement checks a signed or unsigned statement.
func (f *verifyFlags) verifyStatement(c *cobra.Command, file string, text []byte, models []string) error {
	s, by, err := f.open(c.Context(), file, text)
	if errors.Is(err, intoto.ErrSignature) {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s: %s\n", tensor.Printable(file), oneLine(err))
		return exitCode(exitMismatch)
	}
	if err != nil {
		return err
	}
	switch s.PredicateType {
	case oms.PredicateType:
		return f.verifyModel(c, file, s, by, models)
	case intoto.ComparisonType:
		return f.verifyComparison(c, file, s, by, models)
	}
	return fmt.Errorf("%s: predicate type %.120q is not one that can be verified here", file, s.PredicateType)
}

// open returns the statement in a file and says in words who signed it.
func (f *verifyFlags) open(ctx context.Context, file string, text []byte) (s *intoto.Statement, by string, err error) {
	e, err := intoto.ParseEnvelope(text)
	switch {
	case err != nil:
		if s, bad := intoto.ParseStatement(text); bad == nil {
			if f.key != "" {
				return nil, "", fmt.Errorf("%s: %w", file, intoto.ErrEnvelope)
			}
			return s, "nobody: it is not signed", nil
		}
		return nil, "", fmt.Errorf("%s: %w", file, err)
	case f.noSignature:
		s, err = e.Unverified()
		by = "nobody: the signature was not checked"
	case f.key == "":
		return nil, "", usageError{fmt.Errorf("verify: %s is signed: name the signer's public key with --key", file)}
	default:
		pem, err := readSmall(f.key)
		if err != nil {
			return nil, "", err
		}
		key, err := intoto.ParsePublicKey(pem)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", f.key, err)
		}
		id, err := key.KeyID()
		if err != nil {
			return nil, "", err
		}
		s, err = e.Open(ctx, key)
		return s, "key " + id, err
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return s, by, err
}

// verifyModel holds a model against its manifest.
func (f *verifyFlags) verifyModel(c *cobra.Command, file string, s *intoto.Statement, by string, models []string) error {
	if len(models) != 1 {
		return usageError{fmt.Errorf("verify: a manifest takes one model")}
	}
	m, err := oms.FromStatement(s)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	path, err := source.Locate(models[0])
	if err != nil {
		return err
	}
	d, err := m.Verify(c.Context(), path, f.extra, file)
	if err != nil {
		return err
	}
	if d != nil {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s %s\n", tensor.Printable(d.Name), d.What)
		return exitCode(exitMismatch)
	}
	fmt.Fprintf(c.OutOrStdout(), "verified: %d entries of the manifest are those of the model, root sha256:%s\nsigned by %s\n", len(m.Resources), s.Subject[0].Digest["sha256"], by)
	for _, p := range m.Serialization.IgnorePaths {
		fmt.Fprintf(c.OutOrStdout(), "not covered: %s\n", tensor.Printable(p))
	}
	return nil
}

// verifyComparison holds a statement against its report and a comparison made
// anew.
func (f *verifyFlags) verifyComparison(c *cobra.Command, file string, s *intoto.Statement, by string, models []string) error {
	p, err := intoto.ReadComparison(s)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	w := c.OutOrStdout()
	if f.report != "" {
		text, err := readSmall(f.report)
		if err != nil {
			return err
		}
		if !p.Report.Is(text) {
			fmt.Fprintf(w, "differs: %s is not the report that was signed\n", tensor.Printable(f.report))
			return exitCode(exitMismatch)
		}
	}
	switch len(models) {
	case 0:
		fmt.Fprintln(w, "the comparison was not made anew: give A and B for that")
	case 2:
		anew, err := f.again(c.Context(), models, p.Options)
		if err != nil {
			return err
		}
		d, err := intoto.Differs(s, anew)
		if err != nil {
			return err
		}
		if d != nil {
			return differs(w, d, p.Tool.Version)
		}
		fmt.Fprintln(w, "verified: subjects and every number of the statement are as stated")
	default:
		return usageError{fmt.Errorf("verify: a comparison takes two models, A and B, or none")}
	}
	fmt.Fprintf(w, "signed by %s\nfound: %s of A %s and B %s\n", by, p.Verdict.Relation, tensor.Printable(p.Subjects[0].Name), tensor.Printable(p.Subjects[1].Name))
	unusual(w, p.Options)
	return nil
}
