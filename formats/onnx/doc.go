// Package onnx reads the weights of ONNX models: initialisers and constants
// of the graph and of what is nested in it, their values in the file or in
// files beside it, and those that are stored quantised, as the numbers that
// the graph computes with.
//
// The graph is read for the names and the orientation of the weights and for
// the scales of quantised ones. Nothing is executed. The wire format is read
// by a reader of its own that allocates nothing from a length that was not
// checked. Sources: onnx.proto and the operators' reference of onnx 1.19, the
// contributed operators of ONNX Runtime 1.22.
package onnx
