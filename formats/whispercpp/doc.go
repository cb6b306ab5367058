// Package whispercpp reads the .bin files of whisper.cpp: the parameters of a
// Whisper model, its mel filters, its vocabulary and its tensors, one behind the
// other. The layout is that of models/convert-pt-to-ggml.py of whisper.cpp; other
// files with the same first bytes, which llama.cpp and others wrote before GGUF, are
// not recognised.
package whispercpp
