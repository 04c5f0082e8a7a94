package logs

import (
	"sort"
	"unsafe"
)

// A view is a log as it was at one moment. It does not change, and what it
// points to in files stays there until the log is removed.
type view struct {
	id       uint64 // of the log as it was opened, for the cache of chunks
	path     string // of its files, without suffix
	frames   []frame
	rows     []byte // encoded; of the chunk after the last frame
	state    state
	open     [streams]openLine
	finished bool
	outline  int64 // bytes of it, behind the last frame; 0 if there is none
	writer   bool  // it has one
}

// An openLine is the newest Line with Open set of a stream; without Open if
// there is none now. seq counts the open lines that there were.
type openLine struct {
	seq  uint64
	line Line
}

// size is about what the view takes in memory.
func (v *view) size() int64 {
	return int64(unsafe.Sizeof(*v)) + int64(len(v.frames))*int64(unsafe.Sizeof(frame{})) + int64(len(v.rows))
}

// before is the state before a chunk.
func (v *view) before(chunk int) state {
	if chunk == 0 {
		return state{}
	}
	return v.frames[chunk-1].after
}

// chunkOfRow returns the number of the chunk that has the row.
func (v *view) chunkOfRow(n int64) int {
	return sort.Search(len(v.frames), func(i int) bool { return v.frames[i].after.rows >= n })
}

// chunkOfText returns the number of the chunk that has the byte of the plain
// text at offset off.
func (v *view) chunkOfText(off int64) int {
	return sort.Search(len(v.frames), func(i int) bool { return v.frames[i].after.text > off })
}
