package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

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
			to, err := destine(c, a, file, isSigned)
			if err != nil {
				return err
			}
			signed, err := sign(c.Context(), a[0], key, cited)
			if err != nil {
				return err
			}
			return to.bytes(signed)
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
	s, err := intoto.ParseStatement(text)
	if err != nil {
		if s, err = stated(file, text, cited); err != nil {
			return nil, err
		}
		return intoto.Sign(ctx, s, key)
	}
	if _, err := oms.FromStatement(s); err != nil {
		return nil, fmt.Errorf("%s: %w; a comparison is signed from its report", file, err)
	}
	return intoto.Bundle(ctx, s, key)
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
