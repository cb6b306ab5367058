// Package source gives access to the bytes of checkpoints, wherever they lie.
// Whatever its kind, a source is read by position only, notices when it
// changes under the reader, and counts what it gave out. It is the only
// package that opens files of a model or sockets.
package source
