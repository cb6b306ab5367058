package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
)

// errPolicy is returned for a release whose policy could still change.
var errPolicy = errors.New("the policy of a release has to be fixed")

// promises requires that the policy which a version carries is fixed: from its
// release on, a changed threshold is another policy. Pre-releases promise nothing.
func promises(version string, all []verdict.PolicyRecord) error {
	if strings.Contains(version, "-") {
		return nil
	}
	digest, err := verdict.CurrentRules().Digest()
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Version == verdict.PolicyVersion && p.Fixed == digest {
			return nil
		}
	}
	return fmt.Errorf("%w: set Fixed of policy %d to %q in report/verdict/policies.go", errPolicy, verdict.PolicyVersion, digest)
}
