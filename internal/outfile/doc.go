// Package outfile writes the files that the program leaves behind. Each is
// there whole or not at all, and none takes the place of anything that the
// program did not write itself:
//
//	Prepare   looks at the place before any work is done
//	Write     writes beside it, syncs, renames, and syncs the folder
//	Append    goes on with a file of records
//
// All changes of the file system go through the calls of system.go, which tests
// can make fail one by one.
package outfile
