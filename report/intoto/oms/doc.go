// Package oms reads and writes manifests of the OpenSSF Model Signing
// specification, version 1.0: in-toto statements that list the files of a model
// by digest. Signed (intoto.Bundle), they are what "model_signing verify key"
// reads; a comparison can cite them.
//
// A manifest pins files, not values: a model that was resharded or cast has
// another one.
package oms
