// Package logs stores the logs of steps in files, and reads them back from any
// row, finished or still being written, through one set of calls.
//
// A log has one Writer and any number of readers. Readers are given what is in
// the files and in the chunk that is being filled, never a queue of their own,
// so a slow reader costs nobody anything and an idle one holds no descriptor.
//
// # Files
//
// Rows are encoded one after the other into chunks of about 64 KiB. A full
// chunk is sealed: compressed and appended as a frame to <key>.log. The rows of
// the chunk that is being filled stand in <key>.tail.
//
//	.log     frame*  [outline index trailer]
//	frame    header (chunk number, lengths, CRCs, state after the chunk) zstd(rows)
//	outline  length CRC zstd(rows): those of the commands, with their numbers
//	index    the headers of all frames again; its trailer marks a finished log
//	.tail    header (chunk number, state before the chunk)  record*
//	record   length CRC kind payload: the rows of one Append, or the counts of
//	         rows that were not stored any more
//
// The state is what reading the log up to there would tell: rows, bytes of
// text, complete source lines and pieces of unfinished ones for each stream.
//
// # Crashes
//
// What an Append wrote survives the death of the process when it returns; it
// survives that of the machine after Close. Opening a log cuts what was torn.
// The tail counts only if it continues the chunk that follows the last frame,
// so a death between sealing a chunk and emptying the tail neither loses nor
// doubles a row. Losing rows at the end is harmless in any case, as the counts
// of source lines are lost with them and the source is fed again from there.
package logs
