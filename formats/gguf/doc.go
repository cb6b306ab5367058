// Package gguf reads GGUF files, versions 2 and 3, little- and big-endian:
// their metadata and the tensors of every ggml type. It refuses whatever the
// format forbids, and where text and tools disagree it takes the strict side;
// docs/FORMATS.md lists these choices. It opens no other file: split sets are
// joined by package formats.
package gguf
