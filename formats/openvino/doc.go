// Package openvino reads the weights of OpenVINO models: the constants that an
// .xml file describes and the .bin file beside it holds, compressed ones as
// the numbers that the graph makes of them. Nothing is executed. Source: the
// description of the intermediate representation, versions 10 and 11, and of
// its operation sets.
package openvino
